from collections.abc import Callable, Mapping
from typing import Any, final

import polars as pl

__all__ = [
    "ArrowStream",
    "CnicIndex",
    "Control",
    "Dictionary",
    "KeyIndex",
    "Linker",
    "Moments",
    "PersonIndex",
    "RuleRun",
    "ScenarioCoder",
    "ScenarioCodes",
    "ScenarioCurve",
    "ScenarioScores",
    "Scorer",
    "Scores",
    "__version__",
    "assign_pairs",
    "bootstrap",
    "calibrate",
    "choose_terms",
    "cluster_pairs",
    "cnic_categories",
    "cnic_key",
    "concentration_curve",
    "cross_validate",
    "debug_build",
    "evaluate",
    "evaluate_one",
    "glm_factors",
    "glm_fit",
    "group_scores",
    "inverse",
    "isa_names",
    "jackknife",
    "learn_matches",
    "name_categories",
    "penalised_path",
    "provoke_panic",
    "quantile_fit",
    "quantile_refits",
    "rank_correlation",
    "rank_ids",
    "robust_meat",
    "sandwich_variance",
    "student_limit",
    "student_p",
    "targeting_bootstrap",
    "targeting_curve",
    "weighted_gram",
]

__version__: str

@final
class ArrowStream:
    def __arrow_c_stream__(self, requested_schema: object | None = None) -> object: ...

@final
class CnicIndex:
    def __new__(
        cls,
        numbers: pl.Series | pl.DataFrame,
        rows: int,
        *,
        name: pl.Series | pl.DataFrame | None = None,
        father: pl.Series | pl.DataFrame | None = None,
        birth: pl.Series | pl.DataFrame | None = None,
    ) -> CnicIndex: ...
    @property
    def id(self) -> str: ...
    def __len__(self) -> int: ...
    def release(self) -> None: ...

@final
class Control:
    def __new__(cls) -> Control: ...
    @property
    def id(self) -> int: ...
    @property
    def done(self) -> int: ...
    @property
    def statuses(self) -> list[int]: ...
    def cancel(self) -> None: ...

@final
class Dictionary:
    def __new__(
        cls,
        series: pl.Series | pl.DataFrame,
        rows: int,
        *,
        threads: int | None = None,
        control: Control | None = None,
        timeout: float | None = None,
    ) -> Dictionary: ...
    def __len__(self) -> int: ...
    def top_k(
        self,
        series: pl.Series | pl.DataFrame,
        rows: int,
        *,
        scorer: str,
        k: int,
        cutoff: float,
        threads: int | None = None,
        isa: str | None = None,
        control: Control | None = None,
        timeout: float | None = None,
        tick: Callable[[int], object] | None = None,
    ) -> ArrowStream: ...

@final
class KeyIndex:
    @staticmethod
    def build(
        path: str,
        keys: pl.Series,
        columns: list[pl.Series],
        rows: int,
        texts: list[tuple[pl.Series, int]],
        about: str,
        *,
        control: Control | None = None,
        timeout: float | None = None,
    ) -> None: ...
    @staticmethod
    def open(path: str, verify: bool) -> KeyIndex: ...
    @property
    def about(self) -> str: ...
    @property
    def width(self) -> int: ...
    def __len__(self) -> int: ...
    def rows(self, key: int) -> list[bytes]: ...
    def text(self, dictionary: int, code: int) -> str: ...
    def first(
        self,
        keys: pl.Series,
        rows: int,
        *,
        control: Control | None = None,
        timeout: float | None = None,
    ) -> ArrowStream: ...
    def all(
        self,
        keys: pl.Series,
        rows: int,
        *,
        control: Control | None = None,
        timeout: float | None = None,
    ) -> ArrowStream: ...

@final
class Linker:
    def __new__(
        cls,
        series: list[pl.Series | pl.DataFrame],
        rows: int,
        plan: str,
        *,
        threads: int | None = None,
        control: Control | None = None,
        timeout: float | None = None,
    ) -> Linker: ...
    @property
    def agreement(self) -> list[float | None]: ...
    @property
    def all_pairs(self) -> int: ...
    def rule(self, rule: int) -> RuleRun: ...
    def random_patterns(
        self,
        pairs: int,
        seed: int,
        *,
        control: Control | None = None,
        timeout: float | None = None,
    ) -> ArrowStream: ...
    def random_pairs(self, pairs: int, seed: int) -> ArrowStream: ...
    def score_pairs(
        self, left: pl.Series, right: pl.Series, pairs: int, weights: str
    ) -> ArrowStream: ...

@final
class Moments:
    def __new__(
        cls,
        columns: list[tuple[str, Any, int]],
        rows: int,
        *,
        weights: pl.Series | None,
        groups: pl.Series | None,
        run: dict[str, Any],
    ) -> Moments: ...
    @property
    def width(self) -> int: ...
    @property
    def groups(self) -> int: ...
    def entry(self, i: int, j: int) -> float: ...
    def quadratic(self, columns: list[int], coefficients: list[float]) -> float: ...
    def folds(self, fold: list[int], folds: int) -> list[tuple[Moments, Moments]]: ...
    def group_entries(self, i: int, j: int) -> list[float]: ...
    def solve(self, keep: list[int], constant: int | None) -> dict[str, Any]: ...
    def scaled(self, factors: list[float]) -> Moments: ...
    def scores(self, keep: list[int], high: list[float], low: list[float]) -> Scores: ...
    def to_bytes(self) -> bytes: ...
    @staticmethod
    def from_bytes(bytes: bytes) -> Moments: ...

@final
class Scores:
    def __new__(
        cls,
        columns: list[tuple[str, Any, int]],
        rows: int,
        coefficients: list[float],
        *,
        weights: pl.Series | None,
        groups: pl.Series,
        run: dict[str, Any],
    ) -> Scores: ...
    @staticmethod
    def from_columns(columns: list[list[float]]) -> Scores: ...
    def __len__(self) -> int: ...
    def variance(
        self,
        stages: list[tuple[list[int], list[float]]],
        lonely: str,
        *,
        threads: int | None = None,
    ) -> list[float] | tuple[int, int]: ...

def robust_meat(
    columns: list[tuple[str, Any, int]],
    rows: int,
    coefficients: list[float],
    *,
    weights: pl.Series | None,
    run: dict[str, Any],
) -> list[float]: ...
def sandwich_variance(bread: list[float], meat: list[float], width: int) -> list[float]: ...
def student_p(t: list[float], df: float) -> list[float]: ...
def student_limit(chance: float, df: float) -> float: ...
def bootstrap(
    moments: Moments,
    scores: Scores,
    fit: tuple[list[int], list[float], list[float]],
    *,
    strata: list[int],
    fraction: list[float],
    replicates: int,
    seed: int,
    threads: int | None,
) -> tuple[list[float], list[list[float] | None]]: ...
def jackknife(
    moments: Moments,
    scores: Scores,
    fit: tuple[list[int], list[float], list[float]],
    *,
    strata: list[int],
    fraction: list[float],
    threads: int | None,
) -> tuple[list[float], list[list[float] | None]]: ...
def cross_validate(
    moments: Moments,
    scores: Scores,
    fit: tuple[list[int], list[float], list[float]],
    fold: list[int],
    folds: int,
) -> list[tuple[float, float | None]]: ...

@final
class PersonIndex:
    def __new__(
        cls,
        series: list[pl.Series | pl.DataFrame],
        ids: pl.Series,
        rows: int,
        about: str,
        *,
        threads: int | None = None,
        control: Control | None = None,
        timeout: float | None = None,
    ) -> PersonIndex: ...
    @staticmethod
    def open(path: str, verify: bool) -> PersonIndex: ...
    def save(self, path: str) -> None: ...
    @property
    def about(self) -> str: ...
    @property
    def blocks(self) -> list[tuple[int, int, int, int, int]]: ...
    def __len__(self) -> int: ...
    def add(self, series: list[pl.Series | pl.DataFrame], ids: pl.Series, rows: int) -> None: ...
    def remove(self, ids: pl.Series, rows: int) -> int: ...
    def search_one(
        self, values: list[object], count: int, least: float
    ) -> list[tuple[int | str, float, bytes]]: ...
    def search(
        self,
        series: list[pl.Series | pl.DataFrame],
        rows: int,
        count: int,
        least: float,
        *,
        threads: int | None = None,
        control: Control | None = None,
        timeout: float | None = None,
    ) -> ArrowStream: ...

@final
class RuleRun:
    @property
    def units(self) -> list[int]: ...
    @property
    def dropped(self) -> tuple[int, int, int]: ...
    @property
    def largest(self) -> list[int]: ...
    def count(
        self,
        *,
        alone: bool,
        control: Control | None = None,
        timeout: float | None = None,
        tick: Callable[[int], object] | None = None,
    ) -> int: ...
    def patterns(
        self,
        *,
        share: float,
        seed: int,
        control: Control | None = None,
        timeout: float | None = None,
    ) -> ArrowStream: ...
    def sample(
        self,
        *,
        share: float,
        seed: int,
        control: Control | None = None,
        timeout: float | None = None,
    ) -> ArrowStream: ...
    def score(
        self,
        start: int,
        stop: int,
        weights: str,
        *,
        control: Control | None = None,
        timeout: float | None = None,
        tick: Callable[[int], object] | None = None,
    ) -> ArrowStream: ...

_How = tuple[int | None, Control, float | None, Callable[[int], object] | None]
_Cut = tuple[float, str]

@final
class ScenarioCoder:
    def __new__(
        cls,
        columns: list[str],
        strata: bytes | None,
        questions: list[tuple[int, int | None, int, bool, bytes]],
        slots: int,
        groupings: int,
        weighted: bool,
    ) -> ScenarioCoder: ...
    def push(
        self,
        series: list[pl.Series | pl.DataFrame],
        rows: int,
        groups: list[pl.Series],
        weights: pl.Series | None,
        *,
        how: _How,
    ) -> tuple[int, int] | None: ...
    def finish(self) -> tuple[ScenarioCodes, list[list[list[float] | None]]]: ...

@final
class ScenarioCodes:
    @property
    def rows(self) -> int: ...
    @property
    def nbytes(self) -> int: ...
    def score(
        self,
        program: bytes,
        points: list[tuple[list[float], list[int]]],
        *,
        how: _How,
        isa: str | None = None,
    ) -> ScenarioScores: ...

@final
class ScenarioCurve:
    def __len__(self) -> int: ...
    def nulls(self) -> list[float]: ...
    def coverage(self, at: _Cut) -> tuple[list[float], list[float]]: ...
    def cutoff_of(self, quota: float, low_is_poor: bool, ties_in: bool) -> _Cut | None: ...
    def parts(self, parts: int, low_is_poor: bool) -> list[_Cut]: ...

@final
class ScenarioScores:
    @property
    def is_exact(self) -> bool: ...
    @property
    def nbytes(self) -> int: ...
    def change(
        self,
        program: bytes,
        points: list[tuple[list[float], list[int]]],
        *,
        how: _How,
        isa: str | None = None,
    ) -> ScenarioScores: ...
    def scores(self, *, how: _How) -> ArrowStream: ...
    def tally(
        self,
        after: ScenarioScores,
        cutoffs: tuple[_Cut, _Cut],
        groupings: list[tuple[int, int]],
        tenths: list[_Cut],
        *,
        how: _How,
    ) -> list[tuple[list[int], list[float]]]: ...
    def movers(
        self, after: ScenarioScores, cutoffs: tuple[_Cut, _Cut], *, how: _How
    ) -> ArrowStream: ...
    def distribution(self, by: int | None, groups: int, *, how: _How) -> ScenarioCurve: ...

@final
class Scorer:
    def __new__(cls, program: bytes) -> Scorer: ...
    @property
    def columns(self) -> list[str]: ...
    @property
    def terms(self) -> list[str]: ...
    def score(
        self,
        series: list[pl.Series | pl.DataFrame],
        rows: int,
        *,
        score: str,
        status: str,
        threads: int | None = None,
        isa: str | None = None,
        control: Control | None = None,
        timeout: float | None = None,
        tick: Callable[[int], object] | None = None,
    ) -> ArrowStream: ...
    def explain(self, series: list[pl.Series | pl.DataFrame], rows: int) -> ArrowStream: ...
    def score_one(self, answers: Mapping[str, Any]) -> tuple[float | None, str]: ...
    def explain_one(
        self, answers: Mapping[str, Any]
    ) -> list[tuple[str, str | None, float | None]]: ...

def assign_pairs(
    left: pl.Series,
    right: pl.Series,
    weight: pl.Series,
    rows: int,
    *,
    lefts: int,
    rights: int,
    threshold: float,
    control: Control | None = None,
    timeout: float | None = None,
    tick: Callable[[int], object] | None = None,
) -> ArrowStream: ...
def calibrate(
    spec: str,
    rows: int,
    *,
    weights: pl.Series,
    variables: list[tuple[pl.Series | pl.DataFrame, list[str] | list[int]]],
    values: list[pl.Series],
    variance: pl.Series | None = None,
    clusters: pl.Series | None = None,
    groups: pl.Series | None = None,
    threads: int | None = None,
    control: Control | None = None,
    timeout: float | None = None,
    tick: Callable[[int], object] | None = None,
) -> tuple[ArrowStream | None, str]: ...
def cluster_pairs(
    left: pl.Series,
    right: pl.Series,
    weight: pl.Series,
    rows: int,
    *,
    records: int,
    threshold: float,
    method: str,
    missing: float,
    constraints: list[tuple[str, pl.Series]],
    control: Control | None = None,
    timeout: float | None = None,
    tick: Callable[[int], object] | None = None,
) -> tuple[ArrowStream, list[int], list[tuple[int, int]]]: ...
def cnic_categories() -> list[tuple[str, list[str]]]: ...
def cnic_key(bytes: bytes) -> str | None: ...
def debug_build() -> bool: ...
def evaluate(
    operation: str, spec: str, series: list[pl.Series | pl.DataFrame], rows: int
) -> ArrowStream: ...
def evaluate_one(operation: str, spec: str, values: list[object]) -> Any: ...
def isa_names() -> list[str]: ...
def learn_matches(spec: str) -> tuple[list[list[float]], float, float, int, float]: ...
def name_categories() -> list[tuple[str, list[str]]]: ...
def provoke_panic(cells: int, secret: str) -> None: ...
def rank_ids(
    ids: pl.Series, rows: int, *, control: Control | None = None, timeout: float | None = None
) -> tuple[ArrowStream, ArrowStream]: ...
def concentration_curve(
    ranks: pl.Series, amounts: pl.Series, weights: pl.Series, rows: int, points: int
) -> tuple[float | None, list[float]]: ...
def rank_correlation(a: pl.Series, b: pl.Series, weights: pl.Series, rows: int) -> float | None: ...
def targeting_bootstrap(
    scores: pl.Series,
    weights: pl.Series | None,
    units: pl.Series,
    groups: pl.Series,
    rows: int,
    *,
    strata: list[int],
    group_count: int,
    line: pl.Series,
    rate: float | None,
    target: pl.Series | None,
    at_line: pl.Series | None,
    replicates: int,
    seed: int,
    threads: int | None = None,
    control: Control | None = None,
    timeout: float | None = None,
    tick: Callable[[int], object] | None = None,
) -> ArrowStream: ...
def targeting_curve(
    scores: pl.Series,
    weights: pl.Series | None,
    poor: pl.Series | None,
    rows: int,
    *,
    threads: int | None = None,
    control: Control | None = None,
    timeout: float | None = None,
    tick: Callable[[int], object] | None = None,
) -> tuple[ArrowStream, float | None]: ...

_Columns = list[tuple[str, Any]]

def glm_fit(
    columns: _Columns,
    target: Any,
    weights: Any,
    rows: int,
    *,
    link: str,
    rounds: int,
    intercept: bool,
    run: dict[str, Any],
) -> dict[str, Any]: ...
def glm_factors(
    columns: _Columns,
    target: Any,
    weights: Any,
    rows: int,
    coefficients: list[float],
    *,
    link: str,
    intercept: bool,
    run: dict[str, Any],
) -> ArrowStream: ...
def group_scores(
    columns: _Columns,
    factors: Any,
    groups: Any,
    rows: int,
    *,
    count: int,
    intercept: bool,
    run: dict[str, Any],
) -> Scores: ...
def weighted_gram(
    columns: _Columns, weights: Any, rows: int, *, intercept: bool, run: dict[str, Any]
) -> list[float]: ...
def inverse(lower: list[float], width: int) -> list[float]: ...
def quantile_fit(
    columns: _Columns,
    target: Any,
    weights: Any,
    rows: int,
    *,
    tau: float,
    near: list[float] | None,
    intercept: bool,
    run: dict[str, Any],
) -> tuple[dict[str, Any], ArrowStream | None]: ...
def quantile_refits(
    columns: _Columns,
    target: Any,
    weights: Any,
    groups: Any,
    rows: int,
    *,
    tau: float,
    near: list[float],
    strata: list[int],
    fraction: list[float],
    units: int,
    replicates: int,
    seed: int,
    intercept: bool,
    run: dict[str, Any],
) -> tuple[list[float], list[list[float] | None]]: ...
def penalised_path(
    gram: list[float],
    cross: list[float],
    square: float,
    sums: list[float],
    sum: float,
    weight: float,
    *,
    alpha: float,
    factors: list[float],
    standardise: bool,
    lambdas: list[float] | None,
    count: int,
    ratio: float,
) -> list[tuple[float, float, list[float], float, int | None]] | None: ...
def choose_terms(
    products: list[float],
    width: int,
    *,
    rows: float,
    weight: float,
    terms: list[list[int]],
    forced: list[int],
    criterion: str,
    direction: str,
    limits: tuple[float, float],
) -> dict[str, Any]: ...
