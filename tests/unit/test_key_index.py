"""The index of numbers against a dictionary, and what becomes of damaged files."""

from __future__ import annotations

import os
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nser_pmt.errors import ModelError, SchemaError
from nser_pmt.registry._key_index import KeyIndex

KEYS = st.one_of(st.none(), st.integers(0, 20), st.integers(0, 2**64 - 1))
VALUES = st.one_of(st.integers(0, 9), st.integers(0, 2**64 - 1))


@given(rows=st.lists(st.tuples(KEYS, VALUES), max_size=60), asked=st.lists(KEYS, max_size=20))
def test_a_key_has_what_a_dictionary_has(
    tmp_path_factory: pytest.TempPathFactory,
    rows: list[tuple[int | None, int]],
    asked: list[int | None],
) -> None:
    path = tmp_path_factory.mktemp("keys") / "index"
    keys = pl.Series([k for k, _ in rows], dtype=pl.UInt64)
    values = pl.Series([v for _, v in rows], dtype=pl.UInt64)
    index = KeyIndex.build(keys, values, path)
    naive: dict[int, list[int]] = {}
    for key, value in rows:
        if key is not None:
            naive.setdefault(key, []).append(value)
    wanted = [*asked, *(k for k, _ in rows)]
    found = [naive.get(k, []) if k is not None else [] for k in wanted]
    assert len(index) == sum(map(len, naive.values()))
    for k, expected in zip(wanted, found, strict=True):
        if k is not None:
            assert index.one(k) == expected
    series = pl.Series(wanted, dtype=pl.UInt64)
    first = index.first(series)
    assert first.schema == {"value": pl.UInt64, "count": pl.UInt32}
    assert first.rows() == [(v[0] if v else None, len(v)) for v in found]
    assert index.all(series).rows() == [(i, v) for i, many in enumerate(found) for v in many]
    assert KeyIndex.open(path, verify=True).first(series).equals(first)


def test_numbers_of_other_types_are_read(tmp_path: Path) -> None:
    keys = pl.Series([5, 3], dtype=pl.Int8).append(pl.Series([4], dtype=pl.Int8))
    index = KeyIndex.build(keys, pl.Series([7, 8, 9], dtype=pl.Int64), tmp_path / "index")
    assert index.first(pl.Series([3, 4, 5], dtype=pl.Int32))["value"].to_list() == [8, 9, 7]
    assert index.first(pl.Series([None]))["count"].to_list() == [0]
    assert index.first(pl.Series([], dtype=pl.Int64)).height == 0
    assert repr(index) == "KeyIndex of 3 rows"


@pytest.mark.parametrize(
    ("keys", "values"),
    [
        (pl.Series([-1]), pl.Series([1])),
        (pl.Series([1.5]), pl.Series([1])),
        (pl.Series(["3520212345671"]), pl.Series([1])),
        (pl.Series([1]), pl.Series([None], dtype=pl.Int64)),
        (pl.Series([1]), pl.Series([1, 2])),
    ],
)
def test_other_columns_are_refused_and_leave_no_file(
    tmp_path: Path, keys: pl.Series, values: pl.Series
) -> None:
    with pytest.raises(SchemaError) as caught:
        KeyIndex.build(keys, values, tmp_path / "index")
    assert "35202" not in str(caught.value)
    assert list(tmp_path.iterdir()) == []


def test_damaged_files_are_told(tmp_path: Path) -> None:
    path = tmp_path / "index"
    KeyIndex.build(pl.Series(range(1000)), pl.Series(range(1000)), path)
    whole = path.read_bytes()

    def code(data: bytes, *, verify: bool = False) -> str | None:
        path.write_bytes(data)
        try:
            KeyIndex.open(path, verify=verify)
        except ModelError as error:
            return error.code
        return None

    assert code(b"") == code(b"x" * 100) == "foreign_file"
    assert code(whole[:-1]) == code(whole[:60]) == "truncated_index"
    assert code(whole + b"\0") == "corrupt_index"
    assert code(whole[:8] + b"\x07" + whole[9:]) == "index_version"
    assert code(whole[:40] + b"~" + whole[41:]) == "corrupt_index"
    late = whole[:-5] + b"~" + whole[-4:]
    assert code(late) is None
    assert code(late, verify=True) == "corrupt_index"
    with pytest.raises(FileNotFoundError):
        KeyIndex.open(tmp_path / "nothing")


def test_a_failed_write_leaves_the_old_file(tmp_path: Path) -> None:
    path = tmp_path / "index"
    KeyIndex.build(pl.Series([1]), pl.Series([7]), path)
    with pytest.raises(SchemaError):
        KeyIndex.build(pl.Series([-1]), pl.Series([8]), path)
    assert [p.name for p in tmp_path.iterdir()] == ["index"]
    assert KeyIndex.open(path).one(1) == [7]


def test_the_file_may_be_replaced_while_it_is_mapped(tmp_path: Path) -> None:
    path = tmp_path / "index"
    old = KeyIndex.build(pl.Series([1, 2]), pl.Series([7, 8]), path)
    new = KeyIndex.build(pl.Series([1]), pl.Series([9]), path)
    assert (old.one(1), old.one(2), new.one(1), new.one(2)) == ([7], [8], [9], [])


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_a_forked_process_may_ask(tmp_path: Path) -> None:
    index = KeyIndex.build(pl.Series(range(100)), pl.Series(range(100)), tmp_path / "index")
    child = os.fork()
    if child == 0:
        os._exit(0 if index.one(42) == [42] else 1)
    assert os.waitpid(child, 0)[1] == 0


def test_a_disk_that_is_full_leaves_the_old_file(tmp_path: Path) -> None:
    resource = pytest.importorskip("resource")
    path = tmp_path / "index"
    KeyIndex.build(pl.Series([1]), pl.Series([7]), path)
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (4096, limits[1]))
    try:
        with pytest.raises(OSError):
            KeyIndex.build(pl.Series(range(5000)), pl.Series(range(5000)), path)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert [p.name for p in tmp_path.iterdir()] == ["index"]
    assert KeyIndex.open(path, verify=True).one(1) == [7]
