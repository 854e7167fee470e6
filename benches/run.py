"""Run the bench suites and print their tables, ratios first.

    python benches/run.py [--suite NAME] [--rows N] [--skip-end-to-end] [--markdown]

Every number of threads has a fresh process, in which nser_pmt and its peers take turns. Exits with
1 if any answers differ, never because a target is missed. All of it takes an hour and 10 GB of
memory at full size.
"""

from __future__ import annotations

import argparse

import calibrate.report
import deciding.report
import fit.report
import identity.report
import linking.report
import person_index.report
import regression.report
import scenario.report
import scoring.report
import similarity.report
import status.report
import targeting.report
import top_k.report
import updates.report
import verify.report
from report import machine

SUITES = {
    "calibrate": calibrate.report.report,
    "deciding": deciding.report.report,
    "fit": fit.report.report,
    "identity": identity.report.report,
    "linking": linking.report.report,
    "person_index": person_index.report.report,
    "regression": regression.report.report,
    "scenario": scenario.report.report,
    "scoring": scoring.report.report,
    "similarity": similarity.report.report,
    "status": status.report.report,
    "targeting": targeting.report.report,
    "top_k": top_k.report.report,
    "updates": updates.report.report,
    "verify": verify.report.report,
}


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--suite", action="append", choices=SUITES, help="all by default")
    parser.add_argument("--rows", type=int, default=5_000_000, help="rows in memory")
    parser.add_argument("--end-to-end-rows", type=int, default=35_000_000)
    parser.add_argument("--dir", help="keep the households of the end-to-end bench here")
    parser.add_argument("--skip-end-to-end", action="store_true")
    parser.add_argument("--markdown", action="store_true", help="print the tables for the README")
    args = parser.parse_args()
    for name in args.suite or SUITES:
        versions, text = SUITES[name](args)
        print(machine(versions), text, sep="\n\n", end="\n\n", flush=True)


if __name__ == "__main__":
    main()
