"""Measure the numbers behind ``nser_pmt.synth`` and print them as TOML blocks.

    python tools/synth_marginals.py [DATA_FOLDER]

DATA_FOLDER defaults to ``$NSER_PMT_DATA``, else ``../shared/data`` beside the repository. Only
weighted shares, means and correlations are printed: no record of the survey leaves its file.
Sources, in ``households/``: ``pak_hiics2015_16_household.parquet`` (household weight
``w_calibrated``; the one household with zero consumption is dropped) and
``pak_census2017_provisional_margins.csv`` (persons).

Model: z is a household's standardised log consumption within its province and region. An item
with ordered levels is cut from u = r z + sqrt(1 - r^2) e at the normal quantiles of its shares, so
E[z | level] = r E[u | level]. The loading r is the weighted least-squares slope of z on the
level's mean latent score E[u | level]; along the chain of counts it is the slope on what earlier
links have left of z.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from statistics import NormalDist
from typing import Any

import numpy as np
import polars as pl

REPO = Path(__file__).resolve().parents[1]
REGIONS = ("urban", "rural")
# file name -> column name; the census and the survey use the same short names
PROVINCES = {"Punjab": "Punjab", "Sindh": "Sindh", "KP": "Khyber Pakhtunkhwa",
             "Balochistan": "Balochistan", "ICT": "Islamabad"}  # fmt: skip
NORMAL = NormalDist()
DIGITS = 5

# Levels run from the poorest to the richest by mean z; None takes what is left. "a|b" is one source
# level that the survey does not split: SPLIT holds ASSUMED fractions.
WATER = {
    "hand_pump": ["hand pump"],
    "other": None,
    "tube_well|motor_pump": ["motorized pumping/tubewell"],
    "covered_well": ["closed well"],
    "piped": ["piped water"],
}
TOILET = {
    "none": ["no toilet in the household"],
    "dry_raised_latrine": ["dry raised laterine"],
    "dry_pit_latrine": ["dry pit latrine"],
    "flush_drain": ["flush connected to open drain"],
    "flush_pit|flush_septic": ["flush connected to pit"],
    "flush_sewer": ["flush connected to public sewerage"],
}
HEAD = {"never": ["never"], "class_0_5": ["0-5"], "class_6_10": ["6-10"], "other": ["other"],
        "class_11_plus": ["11+"]}  # fmt: skip
LIVESTOCK = {
    "small": ["cow_goat_sheep"],
    "large_and_small": ["both"],
    "large": ["buffalo"],
    "neither": ["none"],
}
FEMALE = ("below_class_1", "none_present", "class_1_or_higher")
SPLIT = {"tube_well|motor_pump": (0.15, 0.85), "flush_pit|flush_septic": (0.5, 0.5)}
# acres; the top is ASSUMED
LAND_EDGES = (0.0, 0.5, 1.0, 2.0, 3.0, 5.0, 8.0, 12.5, 20.0, 30.9, 100.0)

_HIICS = "measured: HIICS 2015-16, household weights, aggregates only"
NOTES = {
    "province": "Households: census 2017 provisional persons (FATA in Khyber Pakhtunkhwa; the\n"
    "urban shares of the provinces are from memory, adding to the confirmed total)\n"
    "/ mean household size by province and region (measured: HIICS 2015-16).",
    "ln_consumption": f"Mean by province and region, sd within province by region. {_HIICS}.",
    "draw.hhsize": f"1, 2, ..., 20 and more. {_HIICS}.",
    "draw.rooms": f"Row n: hhsize n (the last: and more); 1 .. 10 rooms and more. {_HIICS}.",
    "draw.n_dep_lt18_gt65": f"Row n: shares of 0..n dependants among n members. {_HIICS}.",
    "draw.n_5_16": f"Row n: aged 5-16 among n dependants. {_HIICS}.",
    "draw.n_0_4": f"Row n: aged 0-4 among n dependants not aged 5-16. {_HIICS}.",
    "draw.n_5_13": f"Row n: aged 5-13 among n aged 5-16. {_HIICS}.",
    "draw.n_5_16_attending": f"Row n: attending school among n aged 5-16. {_HIICS}.",
    "draw.attending_slack_taken": "Attending at 5-13 is between lo and hi,\n"
    "lo = max(n_5_16_attending - (n_5_16 - n_5_13), 0),\n"
    "hi = min(n_5_16_attending, n_5_13).\n"
    f"Row n: the number above lo when hi - lo = n. {_HIICS}.",
    "draw.head_education": f'"other" shows as class_6_10 in head_education. {_HIICS}.',
    "draw.female_head_spouse_educ": f"{_HIICS}.",
    "draw.water": f"{_HIICS}; assumption: pump = 15% tube well, 85% motor pump.",
    "draw.toilet": f"{_HIICS}; assumption: flush to pit = half septic tank, half pit.",
    "draw.livestock": f"{_HIICS}.",
    "draw.land": f"None, then (edge, next edge] acres. {_HIICS}; assumption: top 100.",
}

# A count given another: name -> (given, highest given with a row of its own, rows by region)
PARTS = {
    "n_dep_lt18_gt65": ("hhsize", 12, False),
    "n_5_16": ("n_dep_lt18_gt65", 9, False),
    "n_0_4": ("n_dep_other", 6, False),
    "n_5_13": ("n_5_16", 7, False),
    "n_5_16_attending": ("n_5_16", 7, True),
    "attending_slack_taken": ("attending_slack", 3, True),
}
TOP_HHSIZE, TOP_ROOMS, TOP_ROOMS_HHSIZE = 20, 10, 12


def data_folder() -> Path:
    """Folder with ``households/``: the first argument, ``NSER_PMT_DATA`` or ``../shared/data``."""
    if len(sys.argv) > 1:
        return Path(sys.argv[1])
    return Path(os.environ.get("NSER_PMT_DATA", REPO.parent / "shared" / "data"))


def _shares(code: np.ndarray, w: np.ndarray, levels: int) -> np.ndarray:
    total = np.bincount(code, w, levels)
    return np.asarray(total / total.sum())


def _mean_scores(p: np.ndarray) -> np.ndarray:
    """E[u | level] for a standard normal u cut at the quantiles of shares ``p``."""
    edge = [
        0.0,
        *(NORMAL.pdf(NORMAL.inv_cdf(c)) if 0 < c < 1 else 0.0 for c in np.cumsum(p)[:-1]),
        0.0,
    ]
    return -np.diff(edge) / np.where(p > 0, p, 1.0)


def _loading(code: np.ndarray, cell: np.ndarray, w: np.ndarray, z: np.ndarray) -> float:
    """Slope of z on the mean latent score, the shares being those of each cell."""
    num = den = 0.0
    for c in np.unique(cell):
        k = cell == c
        score = _mean_scores(_shares(code[k], w[k], int(code.max()) + 1))[code[k]]
        num += float(np.sum(w[k] * z[k] * score))
        den += float(np.sum(w[k] * score**2))
    return num / den


def _read(folder: Path) -> pl.DataFrame:
    w = pl.col("w_calibrated")
    y = pl.col("cons_pc").log()
    attend, lo = pl.col("n_5_16_attending"), pl.col("attending_low")
    mean = ((y * w).sum() / w.sum()).over("prov5", "region")
    return (
        pl.read_parquet(folder / "households" / "pak_hiics2015_16_household.parquet")
        .filter(pl.col("cons_pc") > 0)
        .with_columns(
            mean=mean,
            region=pl.col("region").str.to_lowercase(),
            n_14_16=pl.col("n_5_16") - pl.col("n_5_13"),
            n_dep_other=pl.col("n_dep_lt18_gt65") - pl.col("n_5_16"),
        )
        .with_columns(
            sd=(((y - pl.col("mean")) ** 2 * w).sum() / w.sum()).sqrt().over("region"),
            attending_low=pl.max_horizontal(attend - pl.col("n_14_16"), 0),
        )
        .with_columns(
            z=(y - pl.col("mean")) / pl.col("sd"),
            attending_slack=pl.min_horizontal(attend, "n_5_13") - lo,
            attending_slack_taken=(pl.col("n_5_13_attending") - lo).clip(0),
        )
        .with_columns(
            attending_slack_taken=pl.min_horizontal("attending_slack_taken", "attending_slack")
        )
    )


def _codes(column: pl.Series, levels: dict[str, Any]) -> np.ndarray:
    """Level number of each value; the level whose source is None takes what is left."""
    rest = next((i for i, names in enumerate(levels.values()) if names is None), None)
    code = np.full(len(column), -1 if rest is None else rest)
    for i, names in enumerate(levels.values()):
        if names is not None:
            code[column.is_in(names).to_numpy()] = i
    if (code < 0).any():
        raise ValueError(f"unexpected level in {column.name}")
    return code


def _with_splits(names: list[str], shares: np.ndarray) -> tuple[list[str], list[float]]:
    out_names: list[str] = []
    out: list[float] = []
    for name, share in zip(names, shares, strict=True):
        out_names += name.split("|")
        out += [float(share) * f for f in SPLIT.get(name, (1.0,))]
    return out_names, out


def measure(folder: Path) -> dict[str, Any]:
    """All measured blocks, as ``tomllib`` would read them."""
    d = _read(folder)
    w, z = d["w_calibrated"].to_numpy(), d["z"].to_numpy()
    region = (d["region"] == "rural").to_numpy().astype(np.int64)
    col = {name: d[name].to_numpy() for name in d.columns if d.schema[name] == pl.Int64}

    def by_region(code: np.ndarray, levels: int) -> list[np.ndarray]:
        return [_shares(code[region == r], w[region == r], levels) for r in (0, 1)]

    draws: dict[str, Any] = {}

    def item(name: str, code: np.ndarray, names: list[str] | None, **more: Any) -> None:
        parts = by_region(code, len(names) if names else int(code.max()) + 1)
        block: dict[str, Any] = {"loading": _loading(code, region, w, z), **more}
        for label, p in zip(REGIONS, parts, strict=True):
            if names:
                block["levels"], block[label] = _with_splits(names, p)
            else:
                block[label] = p.tolist()
        draws[name] = block

    size = np.minimum(col["hhsize"], TOP_HHSIZE)
    item("hhsize", size - 1, None, first=1, chain=True)
    left = np.sqrt(
        1 - draws["hhsize"]["loading"] ** 2
    )  # share of z not yet explained along the chain

    def given(
        code: np.ndarray, base: np.ndarray, cap: int, regional: bool, part: bool
    ) -> dict[str, Any]:
        """Rows of shares of ``code`` for base = 1 .. cap; row n of a part has levels 0 .. n."""
        use = (base >= 1) & (base <= cap) if part else base >= 1
        row = np.minimum(base, cap)[use]
        c, r, ww = code[use], region[use] if regional else 0 * region[use], w[use]
        r_item = _loading(c, r * 100 + row, ww, z[use]) / left
        out: dict[str, Any] = {"loading": r_item}
        for i, label in enumerate(REGIONS if regional else ("all",)):
            out[label] = [
                _shares(c[k], ww[k], n + 1 if part else int(code.max()) + 1).tolist()
                for n in range(1, cap + 1)
                for k in [(row == n) & (r == i)]
            ]
        return out

    rooms = np.minimum(col["rooms"], TOP_ROOMS) - 1
    draws["rooms"] = {
        "given": "hhsize",
        "first": 1,
        **given(rooms, size, TOP_ROOMS_HHSIZE, True, False),
    }
    for name, (base, cap, regional) in PARTS.items():
        draws[name] = {
            "part_of": base,
            "chain": True,
            **given(col[name], col[base], cap, regional, True),
        }
        left = left * np.sqrt(1 - draws[name]["loading"] ** 2)

    female = d["female_head_spouse_educ_years"]
    code = np.where(
        female.is_null().to_numpy(), 1, np.where(female.fill_null(0).to_numpy() < 1, 0, 2)
    )
    item("head_education", _codes(d["headedu_cat"], HEAD), list(HEAD))
    item("female_head_spouse_educ", code, list(FEMALE))
    item("water", _codes(d["water_source"], WATER), list(WATER))
    toilet = d["toilet"].str.replace("sewer.*", "sewerage")
    item("toilet", _codes(toilet, TOILET), list(TOILET))
    item("livestock", _codes(d["livestock_cat"], LIVESTOCK), list(LIVESTOCK))
    acres = d["land_owned_acres"].to_numpy()
    item("land", np.searchsorted(LAND_EDGES[:-1], acres, side="left"), None, edges=list(LAND_EDGES))

    return {k: _rounded(v) for k, v in {**_places(d, folder), "draw": draws}.items()}


def _places(d: pl.DataFrame, folder: Path) -> dict[str, Any]:
    """Household shares (census persons / mean size), mean and sd of ln consumption."""
    w = pl.col("w_calibrated")
    cells = {
        (p, r): (m, s)
        for p, r, m, s in d.group_by("prov5", "region")
        .agg(pl.col("mean").first(), (pl.col("hhsize") * w).sum() / w.sum())
        .iter_rows()
    }
    sd = dict(d.group_by("region").agg(pl.col("sd").first()).iter_rows())
    census = pl.read_csv(folder / "households" / "pak_census2017_provisional_margins.csv")
    persons = {
        a: dict(zip(REGIONS, v, strict=True))
        for a, *v in census.select("area", "urban_pop", "rural_pop").iter_rows()
    }
    persons["KP"] = {r: persons["KP"][r] + persons["FATA"][r] for r in REGIONS}  # merged in 2018
    households = {(p, r): persons[p][r] / cells[p, r][1] for p in PROVINCES for r in REGIONS}
    total = sum(households.values())
    return {
        "province": {"levels": list(PROVINCES.values())}
        | {r: [households[p, r] / total for p in PROVINCES] for r in REGIONS},
        "ln_consumption": {
            r: {"mean": [cells[p, r][0] for p in PROVINCES], "sd": sd[r]} for r in REGIONS
        },
    }


def _rounded(value: Any) -> Any:
    if isinstance(value, dict):
        return {k: _rounded(v) for k, v in value.items()}
    if isinstance(value, list):
        return [_rounded(v) for v in value]
    return round(float(value), DIGITS) if isinstance(value, float | np.floating) else value


def _toml(value: Any) -> str:
    if isinstance(value, list) and value and isinstance(value[0], list):
        return "[\n" + "".join(f"  {_toml(v)},\n" for v in value) + "]"
    if isinstance(value, list):
        return "[" + ", ".join(_toml(v) for v in value) + "]"
    return json.dumps(value)


def blocks(tree: dict[str, Any], path: str = "") -> str:
    """Write the tree as TOML tables."""
    plain = {k: v for k, v in tree.items() if not isinstance(v, dict)}
    text = "".join(f"\n# {line}" for line in NOTES.get(path, "").splitlines())
    text += f"\n[{path}]\n" if plain else ""
    text += "".join(f"{k} = {_toml(v)}\n" for k, v in plain.items())
    return text + "".join(
        blocks(v, f"{path}.{k}" if path else k) for k, v in tree.items() if isinstance(v, dict)
    )


if __name__ == "__main__":
    print(blocks(measure(data_folder())))
