"""Synthetic Pakistani households and persons for examples, tests and benchmarks.

**No row is a real person or household.** `households` and `scan_households` make what a proxy means
test reads; `people` makes what record linkage reads: a registry with errors of entry and duplicate
records, its truth, and the citizens behind it; `registry` makes both at once, so that households,
their members and the citizens agree. Rates come from published or aggregate shares and
from stated assumptions (``data/synth``): use the rows to try code and to compare tools, never to
estimate anything about the country.
"""

from nser_pmt.synth._country import Country
from nser_pmt.synth._households import households, scan_households
from nser_pmt.synth._people import People, people
from nser_pmt.synth._registry import registry, write_registry

__all__ = [
    "Country",
    "People",
    "households",
    "people",
    "registry",
    "scan_households",
    "write_registry",
]
