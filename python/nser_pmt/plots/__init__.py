"""Charts of results, drawn on this machine; they need the extra ``nser_pmt[plots]``.

Each function returns a `Chart`: it shows in a notebook, `Chart.svg` is its text, and `Chart.save`
writes it. Altair describes a chart, vl-convert draws it; neither loads anything from the network.
A chart holds some hundred numbers, however many rows its result was made from.
"""

from nser_pmt.plots._chart import Chart
from nser_pmt.plots._errors import coverage, error_curve
from nser_pmt.plots._estimation import coefficients, weights
from nser_pmt.plots._linkage import cluster_sizes, match_weights, threshold_curve, waterfall
from nser_pmt.plots._scenario import coverage_curve, movers
from nser_pmt.plots._shares import concentration, roc

__all__ = [
    "Chart",
    "cluster_sizes",
    "coefficients",
    "concentration",
    "coverage",
    "coverage_curve",
    "error_curve",
    "match_weights",
    "movers",
    "roc",
    "threshold_curve",
    "waterfall",
    "weights",
]
