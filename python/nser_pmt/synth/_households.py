"""Synthetic Pakistani households for examples, tests and benchmarks.

**No row is a real person or household.** The rows are random numbers shaped by published or
aggregate shares: use them to try code and to measure speed, never to estimate poverty.

Each household has a latent welfare z ~ N(0, 1). Its log consumption is the mean of its province
and region plus the region's standard deviation times z. An indicator cuts
u = r z + sqrt(1 - r^2) e, with e ~ N(0, 1) of its own, at the normal quantiles of its shares
(ordered probit): so it has those shares, and the loading r ties it to welfare. Household
composition is a chain: size, dependants given size, children given dependants, and so on. Each
link meets only the part of z that the links before it have not used, which keeps every
conditional share exact.

Columns, shares and loadings are in ``data/synth/pakistan-2016.toml``, each block marked *measured*
(HIICS 2015-16, aggregates only; census 2017) or *assumption* (durables, stove, vehicles,
elementary workers); ``tools/synth_marginals.py`` measures them again. Given z and region,
indicators outside the chain are independent: land does not know of livestock, nor a fridge of a
washing machine, and only the mean of consumption differs between provinces. Households above 20
members are drawn as 20.

Achieved: OLS of ln(consumption_pc) on the seven ``*_cat`` columns has R2 0.49 on 1,000,000
households (survey: 0.52).
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from importlib import resources
from statistics import NormalDist
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl
from polars.io.plugins import register_io_source

from nser_pmt.synth._random import check_ints

__all__ = ["households", "scan_households"]

_U8 = npt.NDArray[np.uint8]
_F32 = npt.NDArray[np.float32]
_F64 = npt.NDArray[np.float64]

CHUNK = 65_536  # rows per random stream: part of the definition of the data
_PER_SD = 512  # look-up bins per standard deviation
_BINS = 16 * _PER_SD  # u is held to (-8, 8)
_TOP = 20  # largest household
_ACRE_STEPS = 1024
_CELL, _Z, _ACRE, _FIRST_DRAW = 0, (1, 2), 3, 4  # blocks of random words


@dataclass(frozen=True, kw_only=True)
class _Draw:
    """One ordered-probit draw; the table holds a level or count by region, given, bin of u."""

    block: int  # of random words
    loading: np.float32
    spread: np.float32  # sqrt(1 - loading^2)
    given: str | None  # the count that picks the row of the table
    chain: bool  # takes its part of z away from later links
    regional: bool
    table: _U8


@dataclass(frozen=True, kw_only=True)
class _Model:
    """The parameter file, compiled to look-up tables."""

    schema: dict[str, Any]
    normal: _F32  # by random word
    cell: _U8  # by random word: province + number of provinces * rural
    mean: _F64  # of ln consumption, by cell
    sd: _F64
    draws: dict[str, _Draw]
    recode: dict[str, tuple[str, _U8]]  # column -> draw, code by level
    acres: _F64  # by land level and step


def _part_rows(rows: list[list[float]]) -> list[list[float]]:
    """Shares of 0..n among n, for n = 0.._TOP; past the last row its spread of k/n is stretched."""
    cap = len(rows)
    knots = (np.arange(-1, cap + 1) + 0.5) / cap
    cumulative = np.concatenate([[0.0], np.cumsum(rows[-1])])
    out = [[1.0], *rows]
    for n in range(cap + 1, _TOP + 1):
        at = np.interp((np.arange(n) + 0.5) / n, knots, cumulative)
        out.append(np.diff(np.concatenate([[0.0], at, [1.0]])).tolist())
    return out


def _bins(shares: list[float], first: int) -> _U8:
    """Value at the centre of each bin of u: ``first`` + level."""
    quantile = NormalDist().inv_cdf
    cumulative = np.cumsum(shares)[:-1] / np.sum(shares)
    cuts = [quantile(c) if 0 < c < 1 else 18 * c - 9 for c in np.clip(cumulative, 0, 1).tolist()]
    centre = (np.arange(_BINS) + 0.5 - _BINS // 2) / _PER_SD
    return (first + np.searchsorted(cuts, centre)).astype(np.uint8)


def _compile_draw(block: int, spec: dict[str, Any]) -> _Draw:
    given = spec.get("part_of", spec.get("given"))
    rows: list[list[float]] = []
    for shares in (spec[k] for k in ("all", "urban", "rural") if k in spec):
        if "part_of" in spec:
            rows += _part_rows(shares)
        elif given:  # rows are for 1, 2, ...; the last stands for more
            rows += [shares[min(max(n, 1), len(shares)) - 1] for n in range(_TOP + 1)]
        else:
            rows.append(shares)
    r = spec["loading"]
    return _Draw(
        block=block,
        loading=np.float32(r),
        spread=np.float32(np.sqrt(1 - r * r)),
        given=given,
        chain=spec.get("chain", False),
        regional="all" not in spec,
        table=np.concatenate([_bins(row, spec.get("first", 0)) for row in rows]),
    )


def _acre_table(edges: list[float]) -> _F64:
    """Acres by land level and step, in kanals (eighths of an acre); level 0 owns none."""
    lo, hi = np.array(edges[:-1])[:, None], np.array(edges[1:])[:, None]
    step = (np.arange(_ACRE_STEPS) + 1) / _ACRE_STEPS
    acres = np.minimum(np.ceil((lo + (hi - lo) * step) * 8) / 8, hi)
    return np.concatenate([np.zeros((1, _ACRE_STEPS)), acres]).ravel()


@cache
def model() -> _Model:
    path = resources.files("nser_pmt") / "data" / "synth" / "pakistan-2016.toml"
    spec = tomllib.loads(path.read_text(encoding="utf-8"))
    columns = spec["columns"]
    schema = {k: getattr(pl, v) if isinstance(v, str) else pl.Enum(v) for k, v in columns.items()}
    recode = {}
    for column, names in spec["recode"].items():
        levels = spec["draw"][names["draw"]]["levels"]
        codes = [columns[column].index(names.get(x, x)) for x in levels]
        recode[column] = names["draw"], np.array(codes, np.uint8)
    shares = np.concatenate([spec["province"][r] for r in columns["region"]])
    last_word = np.round(np.cumsum(shares) / shares.sum() * 65_536)[:-1]
    consumption = [spec["ln_consumption"][r] for r in columns["region"]]
    quantile = NormalDist().inv_cdf
    return _Model(
        schema=schema,
        normal=np.array([quantile((k + 0.5) / 65_536) for k in range(65_536)], np.float32),
        cell=np.searchsorted(last_word, np.arange(65_536), side="right").astype(np.uint8),
        mean=np.concatenate([c["mean"] for c in consumption]),
        sd=np.repeat([c["sd"] for c in consumption], len(columns["province"])),
        draws={
            k: _compile_draw(i, v) for i, (k, v) in enumerate(spec["draw"].items(), _FIRST_DRAW)
        },
        recode=recode,
        acres=_acre_table(spec["draw"]["land"]["edges"]),
    )


def _draw_all(m: _Model, words: npt.NDArray[np.uint16], rural: _U8, z: _F32) -> dict[str, _U8]:
    """Level or count of every draw of the file, and the counts derived on the way."""
    v: dict[str, _U8] = {}
    rest: npt.NDArray[Any] = z  # what the chain has left of z
    for name, d in m.draws.items():
        u = (rest if d.chain or d.given else z) * d.loading
        u += m.normal[words[d.block]] * d.spread
        if d.chain:
            rest = (rest - u * d.loading) / d.spread
        at = np.clip(u, -7.99, 7.99) * np.float32(_PER_SD) + np.float32(_BINS // 2)
        if d.given:
            at += v[d.given] * np.float32(_BINS)
        if d.regional:
            at += rural * np.float32(_BINS * (_TOP + 1) if d.given else _BINS)
        v[name] = d.table[at.astype(np.intp)]
        _keep_house(name, v)
    return v


def _keep_house(name: str, v: dict[str, _U8]) -> None:
    """Hold a new draw to the laws of a household; add the counts that later draws are part of."""
    if name == "n_5_16":  # somebody older heads the household
        v[name] = np.minimum(v[name], v["hhsize"] - 1)
        v["n_dep_other"] = v["n_dep_lt18_gt65"] - v[name]
    elif name == "n_0_4":
        v[name] = np.minimum(v[name], v["hhsize"] - 1 - v["n_5_16"])
    elif name == "n_5_13":
        v["n_le13"] = v["n_0_4"] + v[name]
    elif name == "n_5_16_attending":
        older = v["n_5_16"] - v["n_5_13"]
        v["attending_low"] = np.maximum(v[name], older) - older
        v["attending_slack"] = np.minimum(v[name], v["n_5_13"]) - v["attending_low"]
    elif name == "attending_slack_taken":
        v["n_5_13_attending"] = v["attending_low"] + v[name]
    elif name == "n_elementary_workers":
        v[name] = np.minimum(v[name], v["hhsize"] - v["n_le13"])


def code(column: str, *labels: str) -> _U8:
    """Category code of each label."""
    categories = model().schema[column].categories.to_list()
    return np.array([categories.index(x) for x in labels], np.uint8)


def rooms_codes(rooms: npt.NDArray[Any], size: npt.NDArray[Any]) -> _U8:
    """Class of rooms per member."""
    crowding = sum((10 * rooms > k * size).view(np.uint8) for k in (2, 3, 4))
    return code("rooms_cat", "<=0.2", "0.2-0.3", "0.3-0.4", ">0.4")[crowding]


def arrays(m: _Model, seed: int, chunk: int, rows: int) -> dict[str, npt.NDArray[Any]]:
    """Make the first ``rows`` of a chunk, by column name; Enum columns as category codes."""
    blocks = _FIRST_DRAW + len(m.draws)
    stream = np.random.PCG64DXSM(np.random.SeedSequence([seed, chunk]))
    raw = np.asarray(stream.random_raw(blocks * CHUNK // 4))  # the same in every NumPy version
    words = raw.astype("<u8", copy=False).view("<u2").reshape(blocks, CHUNK)[:, :rows]

    cell = m.cell[words[_CELL]]
    n_provinces = np.uint8(len(m.mean) // 2)
    rural = (cell >= n_provinces).view(np.uint8)
    a, b = (m.normal[words[k]].astype(np.float64) for k in _Z)
    z = 0.6 * a + 0.8 * b  # 2^32 values
    v = _draw_all(m, words, rural, z.astype(np.float32))

    def school(asked: _U8, attending: _U8) -> _U8:
        """0 nobody in the age range, 1 all attend, 2 some, 3 none."""
        some = np.where(attending == 0, 3, 2)
        state = np.where(asked == 0, 0, np.where(attending == asked, 1, some))
        return state.astype(np.uint8)

    school_5_16 = school(v["n_5_16"], v["n_5_16_attending"])
    dep_class = np.searchsorted([3, 5, 7], np.arange(_TOP + 1), side="right")
    land_levels = len(m.acres) // _ACRE_STEPS
    land = ["none", *["<=12.5ha"] * (land_levels - 2), ">12.5ha"]
    acre_step = words[_ACRE] // (65_536 // _ACRE_STEPS)
    first_id = chunk * CHUNK + 1
    v |= {
        "school_5_13": np.minimum(school(v["n_5_13"], v["n_5_13_attending"]), 2),
        "school_5_16": school_5_16,
        "dep_cat": code("dep_cat", "0-2", "3-4", "5-6", "7+")[dep_class][v["n_dep_lt18_gt65"]],
        "school_cat": code("school_cat", "nochild", "all", "some", "none")[school_5_16],
        "rooms_cat": rooms_codes(v["rooms"], v["hhsize"]),
        "land_cat": code("land_cat", *land)[v["land"]],
        "province": cell - rural * n_provinces,
        "region": rural,
        "fridge_freezer_washer": v["fridge_freezer"] | v["washing_machine"],
        "motor_vehicle": (v["vehicles"] > 0).view(np.uint8),
    }
    return {
        **v,
        **{column: codes[v[draw]] for column, (draw, codes) in m.recode.items()},
        "hh_id": np.arange(first_id, first_id + rows, dtype=np.uint64),
        "land_owned_acres": m.acres[v["land"] * np.intp(_ACRE_STEPS) + acre_step],
        "hh_weight": np.ones(rows),
        "consumption_pc": np.rint(100 * np.exp(m.mean[cell] + m.sd[cell] * z)) / 100,
    }


def coded_schema() -> dict[str, Any]:
    """Dtypes of the frames made here: Enum columns are still UInt8 codes."""
    return {k: pl.UInt8 if isinstance(v, pl.Enum) else v for k, v in model().schema.items()}


def enums() -> list[pl.Expr]:
    """Category codes to Enum, once the codes are in the frame.

    The scan does it outside its source, because Polars 1.30 turns an Enum that a Python source
    yields into a Categorical. Polars 2 says ``cat.to``; Polars 1 casts, from UInt32.
    """
    return [
        pl.col(k).cat.to(v) if hasattr(pl.col(k).cat, "to") else pl.col(k).cast(pl.UInt32).cast(v)
        for k, v in model().schema.items()
        if isinstance(v, pl.Enum)
    ]


def _frame(seed: int, chunk: int, rows: int) -> pl.DataFrame:
    made = arrays(model(), seed, chunk, rows)
    numpy_types = {pl.Boolean: np.bool_, pl.Int16: np.int16}
    return pl.DataFrame(
        {
            name: made[name].astype(numpy_types.get(dtype, made[name].dtype), copy=False)
            for name, dtype in coded_schema().items()
        }
    )


def _batches(n: int, seed: int, batch_size: int) -> Iterator[pl.DataFrame]:
    """Rows 1..n in frames of about ``batch_size`` rows: whole chunks, at least one."""
    step = max(1, batch_size // CHUNK) * CHUNK
    for start in range(0, n, step):
        stop = min(start + step, n)
        starts = range(start, stop, CHUNK)
        parts = [_frame(seed, at // CHUNK, min(CHUNK, stop - at)) for at in starts]
        yield pl.concat(parts, rechunk=True)


def households(n: int, seed: int = 0) -> pl.DataFrame:
    """Make synthetic households.

    Parameters
    ----------
    n : int
        Number of rows, at least 0.
    seed : int, default 0
        At least 0. Row i is the same for every ``n``.

    Returns
    -------
    DataFrame
        One row per household, without nulls: ``hh_id`` (UInt64, row number from 1); place,
        composition, schooling, dwelling, durables, livestock; ``land_owned_acres`` (acres); the
        seven ``*_cat`` classes; ``hh_weight`` (1.0); ``consumption_pc``, the true latent
        consumption (rupees per person and month, 2015-16 prices).

    Raises
    ------
    DomainError
        If ``n`` or ``seed`` is not an int or is negative.

    See Also
    --------
    scan_households : the same rows, lazily.

    Notes
    -----
    No real household, not for poverty estimates: the module's docstring holds model and sources.

    Examples
    --------
    >>> from nser_pmt import synth
    >>> synth.households(3).select("hh_id", "region", "hhsize", "rooms_cat").rows()
    [(1, 'rural', 6, '0.3-0.4'), (2, 'rural', 11, '<=0.2'), (3, 'urban', 7, '0.2-0.3')]
    """
    check_ints(0, n=n, seed=seed)
    if n == 0:
        return pl.DataFrame(schema=model().schema)
    return pl.concat(_batches(n, seed, CHUNK), rechunk=True).with_columns(enums())


def scan_households(n: int, seed: int = 0, *, batch_size: int = 1_000_000) -> pl.LazyFrame:
    """Make the rows of :func:`households` lazily, batch by batch.

    Memory stays flat: 35 million rows, a whole country, can be streamed to ``sink_parquet``.

    Parameters
    ----------
    n, seed : int
        As in :func:`households`.
    batch_size : int, default 1_000_000
        Most rows made at a time (Polars may ask for fewer), in whole chunks of 65,536, at least
        one. It changes memory and speed, never a row.

    Returns
    -------
    LazyFrame
        Columns as in :func:`households`.

    Raises
    ------
    DomainError
        If an argument is not an int, ``n`` or ``seed`` is negative, or ``batch_size`` is below 1.

    Examples
    --------
    >>> from nser_pmt import synth
    >>> synth.scan_households(100_000).select("n_le13").tail(3).collect()["n_le13"].to_list()
    [4, 0, 6]
    """
    check_ints(0, n=n, seed=seed)
    check_ints(1, batch_size=batch_size)

    def source(
        with_columns: list[str] | None,
        predicate: pl.Expr | None,
        n_rows: int | None,
        size: int | None,
    ) -> Iterator[pl.DataFrame]:
        rows = n if n_rows is None else min(n, n_rows)  # a limit comes before the filter
        for batch in _batches(rows, seed, min(size or batch_size, batch_size)):
            df = batch if predicate is None else batch.filter(predicate)
            # drop, not select: Polars 1.30 streaming needs schema order, and without any column
            # the frame must keep its height
            keep = df.columns if with_columns is None else with_columns
            yield df.drop([c for c in df.columns if c not in keep])

    return register_io_source(source, schema=pl.Schema(coded_schema())).with_columns(enums())
