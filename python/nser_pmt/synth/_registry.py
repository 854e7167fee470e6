"""One invented country: households' answers, their members and the citizens' file that agree."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Literal

import polars as pl

from nser_pmt._options import chosen, invalid
from nser_pmt.synth import _households as hh
from nser_pmt.synth import _members as m
from nser_pmt.synth import _population as p
from nser_pmt.synth._country import Country
from nser_pmt.synth._country_maker import Maker, Part
from nser_pmt.synth._random import check_ints

_Script = Literal["roman", "both"]
_Form = Literal["digits", "printed", "mixed"]


def _parts(maker: Maker, n: int, homes: int, threads: int) -> Iterator[Part]:
    """Make all chunks, in order."""
    jobs, first = [], 0
    for chunk, start in enumerate(range(0, max(homes, 1), hh.CHUNK)):
        rows = min(hh.CHUNK, homes - start)
        jobs.append((chunk, rows, min(max(n - start, 0), rows), first))
        first += int(hh.arrays(hh.model(), maker.seed, chunk, rows)["hhsize"].sum())
    if first > p.MOST_PERSONS:
        raise invalid(f"there are numbers for {p.MOST_PERSONS:,} persons, got {first:,}")
    with ThreadPoolExecutor(threads) as pool:
        yield from pool.map(lambda job: maker.part(*job), jobs)


def registry(
    n: int,
    seed: int = 0,
    *,
    duplicates: float = 1.0,
    errors: float = 1.0,
    missing: float = 1.0,
    script: _Script = "both",
    cnic_form: _Form = "mixed",
) -> Country:
    """Make one invented country in which households, their members and the citizens' file agree.

    Parameters
    ----------
    n : int
        Number of households on forms; some are on two. At most about 6,000,000.
    seed : int, default 0
        At least 0. Households, persons and citizens are the same for every ``n`` and whatever the
        other arguments.
    duplicates : float, default 1.0
        Factor on the shares of households that are registered twice and of persons whom a second
        household claims; 0 makes each person stand on one form.
    errors : float, default 1.0
        Factor on the rates of errors of entry; 0 makes clean forms.
    missing : float, default 1.0
        Factor on the shares of answers without a value; 0 leaves those that wrong numbers make.
    script : {"roman", "both"}, default "both"
        "both" adds the names in Urdu: ``name_urdu`` and so on.
    cnic_form : {"digits", "printed", "mixed"}, default "mixed"
        Numbers on forms as 13 digits, as ``AAAAA-BBBBBBB-C``, or half of each.

    Returns
    -------
    Country
        ``households``, ``people``, ``citizens``, ``truth``, ``household_truth``: the columns are in
        ``docs/synthetic-people.md``.

    Raises
    ------
    DomainError
        If an argument is out of its range or not of its type.

    See Also
    --------
    households : the same answers of households, without members.
    people : a registry of persons alone.

    Notes
    -----
    What a household owns, and how many members of which age it has, are the rows of
    :func:`households` with the same seed; members are made to fit. With ``errors=0`` and
    ``missing=0`` every column of composition can be counted again from the members. Shares are in
    ``data/synth/registry-2024.toml``: nearly all are invented.

    Examples
    --------
    >>> from nser_pmt import synth
    >>> made = synth.registry(1000, seed=7)
    >>> made
    Country(...)
    >>> made.people.select("relation", "marital_state").head(2).rows()
    """
    check_ints(0, n=n, seed=seed)
    factors = {"duplicates": duplicates, "errors": errors, "missing": missing}
    for name, value in factors.items():
        if not 0 <= value <= 100:
            raise invalid(f"{name} must be from 0 to 100, got {value}")
    chosen("script", script, _Script)
    chosen("cnic_form", cnic_form, _Form)
    homes = n + int(n * m.parameters()["forms"]["unregistered"])
    maker = Maker(seed, homes, duplicates, errors, missing, script, cnic_form)
    parts: dict[str, list[pl.DataFrame]] = {k: [] for k in Country.__dataclass_fields__}
    forms = people = 0
    for part in _parts(maker, n, homes, pl.thread_pool_size()):
        numbered = {
            "households": {"hh_id": forms},
            "people": {"hh_id": forms, "person_id": people},
            "citizens": {},
            "truth": {"person_id": people},
            "household_truth": {"hh_id": forms},
        }
        for name, ids in numbered.items():
            frame = part[name].with_columns(pl.col(c) + by for c, by in ids.items())
            parts[name].append(frame)
        forms += part["households"].height
        people += part["people"].height
    whole = {name: pl.concat(frames) for name, frames in parts.items()}
    return Country(**whole)
