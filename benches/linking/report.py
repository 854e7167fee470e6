"""The tables of the linking suite: every engine on the same file, each in a process of its own."""

from __future__ import annotations

import argparse
from typing import Any, NamedTuple

from linking import data
from report import child, table

THREADS = 2
SEEDS = (1, 2, 3)  # one draw of u proves nothing


class Case(NamedTuple):
    engine: str
    module: str
    args: tuple[str, ...] = ()


def on_persons() -> list[Case]:
    def splink(name: str, *args: str) -> list[Case]:
        return [
            Case(f"{name}, draw {seed}", "splink_plan", (*args, "--seed", str(seed)))
            for seed in SEEDS
        ]

    fixed = ("--fix-u", "--max-pairs", "2e6")
    return [
        Case("nser_pmt, Splink's rules", "nser_plan", ("--rules", "as Splink")),
        Case("nser_pmt, and numbers within one error", "nser_plan"),
        Case("nser_pmt, and keys of names", "nser_plan", ("--rules", "keys")),
        *splink("Splink, u 1e7", "--max-pairs", "1e7"),
        *splink("Splink, u of CNIC by hand", *fixed),
        Case("nser_pmt, loose", "nser_plan", ("--rules", "loose")),
        Case(
            "Splink, u by hand, loose", "splink_plan", (*fixed, "--rules", "loose", "--seed", "1")
        ),
        *(
            Case(f"GoldenMatch, {t}", "goldenmatch_plan", ("--threshold", t))
            for t in ("0.85", "0.88", "0.9")
        ),
        Case("recordlinkage, two keys", "recordlinkage_plan"),
    ]


def on_febrl(number: int) -> list[Case]:
    engines = [
        Case("nser_pmt", "nser_plan"),
        Case("Splink", "splink_plan", ("--max-pairs", "1e6", "--seed", "1")),
    ]
    if number == 4:
        return [*engines, Case("recordlinkage", "recordlinkage_plan")]
    models = ("weighted", "probabilistic")
    automatic = (Case(f"GoldenMatch, {m}", "goldenmatch_plan", ("--model", m)) for m in models)
    return [*engines, *automatic]


HEAD = (
    "s",
    "CPU s",
    "GB",
    "pairs",
    "blocking recall",
    "best pair F1",
    "pair F1, p >= .95",
    "best cluster F1",
    "cluster F1, p >= .95",
)


def cells(result: dict[str, Any]) -> tuple[str, ...]:
    def number(name: str) -> str:
        value = result.get(name)
        return "" if value is None else f"{value:.4f}"

    best = number("best_f1")
    if best:
        best += f" ({result['best_threshold']:.1f})"
    clusters = {w: found["f1"] for w, found in result.get("clusters", {}).items()}
    top = max(clusters, key=clusters.__getitem__, default=None)
    most = "" if top is None else f"{clusters[top]:.4f}" + (f" ({top})" if top else "")
    free = clusters.get("4.25")
    return (
        f"{result['wall']:.2f}",
        f"{result['cpu']:.2f}",
        f"{result['peak'] / 1e9:.2f}",
        f"{result['pairs']:,}" if "pairs" in result else "",
        number("blocking_recall"),
        best,
        number("label_free_f1"),
        most,
        "" if free is None else f"{free:.4f}",
    )


def stage_lines(results: dict[str, dict[str, Any]]) -> list[tuple[str, ...]]:
    names = list(dict.fromkeys(s for result in results.values() for s in result["stages"]))
    lines = [("wall s (CPU s)", *names)]
    for engine, result in results.items():
        taken = [result["stages"].get(name) for name in names]
        shown = (f"{t['wall']:.2f} ({t['cpu']:.2f})" if t else "" for t in taken)
        lines.append((engine, *shown))
    return lines


def measured(cases: list[Case], source: tuple[str, str]) -> dict[str, dict[str, Any]]:
    return {
        case.engine: child(
            f"linking.{case.module}",
            *source,
            *case.args,
            *(() if case.module == "nser_plan" else ("--threads", str(THREADS))),
            threads=THREADS,
        )
        for case in cases
    }


def report(args: argparse.Namespace) -> tuple[dict[str, str], str]:
    """Return the versions of all packages, and the tables."""
    rows = min(args.rows, 1_000_000)
    persons = measured(on_persons(), ("--file", str(data.persons(rows))))
    texts = []
    versions: dict[str, str] = {}
    groups = {f"{rows:,} persons": persons}
    for number in (1, 2, 3, 4):
        groups[f"FEBRL {number}"] = measured(on_febrl(number), ("--febrl", str(number)))
    for title, results in groups.items():
        lines = [(engine, *cells(result)) for engine, result in results.items()]
        texts.append(table((title, *HEAD), lines, markdown=args.markdown))
        for result in results.values():
            versions |= result["versions"]
    head, *lines = stage_lines(persons)
    texts.append(table(head, lines, markdown=args.markdown))
    return versions, "\n\n".join(texts)
