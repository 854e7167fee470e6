"""One invented country: households' answers, their members and the citizens' file that agree."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Literal

import polars as pl

from nser_pmt._options import chosen, invalid
from nser_pmt.synth import _households as hh
from nser_pmt.synth import _population as p
from nser_pmt.synth._country import Country
from nser_pmt.synth._country_maker import Maker, Part
from nser_pmt.synth._random import check_ints

_Script = Literal["roman", "both"]
_Form = Literal["digits", "printed", "mixed"]


def _maker(
    n: int,
    seed: int,
    duplicates: float,
    errors: float,
    missing: float,
    script: str,
    cnic_form: str,
) -> Maker:
    """Check the arguments of a call."""
    check_ints(0, n=n, seed=seed)
    factors = {"duplicates": duplicates, "errors": errors, "missing": missing}
    for name, value in factors.items():
        if not 0 <= value <= 100:
            raise invalid(f"{name} must be from 0 to 100, got {value}")
    chosen("script", script, _Script)
    chosen("cnic_form", cnic_form, _Form)
    return Maker(seed, n, duplicates, errors, missing, script, cnic_form)


def _parts(maker: Maker) -> Iterator[Part]:
    """Make all chunks, in order, on as many threads as Polars has; forms and records numbered on.

    Few are made ahead of the one that is taken.
    """
    jobs = deque(_jobs(maker))
    forms = people = 0
    threads = pl.thread_pool_size()
    with ThreadPoolExecutor(threads) as pool:
        ahead: deque[Future[Part]] = deque()
        while jobs or ahead:
            while jobs and len(ahead) <= threads:
                ahead.append(pool.submit(maker.part, *jobs.popleft()))
            part = ahead.popleft().result()
            numbered = {
                "households": {"hh_id": forms},
                "people": {"hh_id": forms, "person_id": people},
                "citizens": {},
                "truth": {"person_id": people},
                "household_truth": {"hh_id": forms},
            }
            forms += part["households"].height
            people += part["people"].height
            yield {
                name: part[name].with_columns(pl.col(column) + by for column, by in ids.items())
                for name, ids in numbered.items()
            }


def _jobs(maker: Maker) -> list[tuple[int, int, int, int]]:
    """Chunk, households, registered households, number of the first person."""
    jobs, first = [], 0
    for chunk, start in enumerate(range(0, max(maker.homes, 1), hh.CHUNK)):
        rows = min(hh.CHUNK, maker.homes - start)
        jobs.append((chunk, rows, min(max(maker.n - start, 0), rows), first))
        first += int(hh.arrays(hh.model(), maker.seed, chunk, rows)["hhsize"].sum())
        if first > p.MOST_PERSONS:
            raise invalid(f"there are numbers for {p.MOST_PERSONS:,} persons, not for more")
    return jobs


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
    write_registry : the same rows in files, for more households than memory holds.
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
    Country(1,014 forms of 1,000 households, 6,620 members, 6,783 citizens)
    >>> made.people.select("hh_id", "relation", "marital_state").head(2).rows()
    [(1, 'head', 'married'), (1, 'wife', 'married')]
    """
    maker = _maker(n, seed, duplicates, errors, missing, script, cnic_form)
    parts = list(_parts(maker))
    return Country(**{name: pl.concat([part[name] for part in parts]) for name in parts[0]})


def write_registry(
    folder: str | Path,
    n: int,
    seed: int = 0,
    *,
    duplicates: float = 1.0,
    errors: float = 1.0,
    missing: float = 1.0,
    script: _Script = "both",
    cnic_form: _Form = "mixed",
) -> None:
    """Write the rows of :func:`registry` to Parquet files, part by part.

    Memory does not grow with ``n``.

    Parameters
    ----------
    folder : str or Path
        Gets a folder for each frame, ``households`` to ``household_truth``, with files
        ``00000.parquet`` and so on, in order. Made if it is not there; none of the folders may be.
    n, seed, duplicates, errors, missing, script, cnic_form
        As in :func:`registry`.

    Raises
    ------
    DomainError
        If an argument is out of its range or not of its type.
    FileExistsError
        If there is a folder of one of the frames.

    Examples
    --------
    >>> import tempfile
    >>> import polars as pl
    >>> from nser_pmt import synth
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     synth.write_registry(folder, 1000, seed=7)
    ...     pl.scan_parquet(f"{folder}/people").select(pl.len()).collect().item()
    6620
    """
    maker = _maker(n, seed, duplicates, errors, missing, script, cnic_form)
    folders = {name: Path(folder) / name for name in Country.__dataclass_fields__}
    for path in folders.values():
        path.mkdir(parents=True)
    for number, part in enumerate(_parts(maker)):
        for name, path in folders.items():
            # Half as long as the default, for files half as large again.
            part[name].write_parquet(path / f"{number:05}.parquet", compression="lz4")
