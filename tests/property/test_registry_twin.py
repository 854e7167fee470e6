"""Laws of the registry: any run of updates does what a plain dictionary does."""

from __future__ import annotations

import copy
import shutil
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import registries as small
from nser_pmt.registry.updates import Registry
from registries import no_waiting_for_the_disk  # noqa: F401

HOMES = 5
IDS = range(1, HOMES + 3)
HOUSEHOLD_COLUMNS = small.households(1).columns
PERSON_COLUMNS = small.people(1).columns
ANSWERS = small.households(12).rows(named=True)
PERSON = small.people(1).row(0, named=True)


@pytest.fixture(scope="module")
def stored(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    folder = tmp_path_factory.mktemp("twin") / "registry"
    small.registry(folder, HOMES, part_rows=2)
    yield folder


@dataclass
class Twin:
    """The registry as dictionaries, and what it knew before each change."""

    homes: dict[int, dict[str, Any]]
    persons: dict[tuple[int, int], dict[str, Any]]
    states: dict[date, tuple[Any, Any]] = field(default_factory=dict)

    def update(self, rows: list[dict[str, Any]], members: list[dict[str, Any]], on: date) -> None:
        """Apply the households all of whose rows can be applied."""
        good = set(IDS)
        while True:
            homes, persons = copy.deepcopy(self.homes), copy.deepcopy(self.persons)
            wrong = self._apply(rows, members, good, homes, persons)
            if not wrong:
                break
            good -= wrong
        self.homes, self.persons = homes, persons
        self.states[on] = copy.deepcopy((homes, persons))

    def _apply(
        self,
        rows: list[dict[str, Any]],
        members: list[dict[str, Any]],
        good: set[int],
        homes: dict[int, dict[str, Any]],
        persons: dict[tuple[int, int], dict[str, Any]],
    ) -> set[int]:
        wrong: set[int] = set()
        brought: list[tuple[int, int]] = []
        seen: set[Any] = set()
        gone: set[int] = set()
        for row in (r for r in rows if r["hh_id"] in good):
            home, change = row["hh_id"], row["change"]
            if home in seen or (change == "new") == (home in self.homes):
                wrong.add(home)
            seen.add(home)
            if change == "removed":
                homes.pop(home, None)
                gone.add(home)
                persons_of = [key for key in persons if key[0] == home]
                for key in persons_of:
                    del persons[key]
            else:
                homes[home] = {name: row[name] for name in HOUSEHOLD_COLUMNS}
        for row in (m for m in members if m["hh_id"] in good):
            home, key, change = row["hh_id"], (row["hh_id"], row["person_id"]), row["change"]
            known = key in self.persons
            if key in seen or (change == "joined") == known:
                wrong.add(home)
            if home not in homes and home not in gone:
                wrong.add(home)
            if home in gone and change != "left":
                wrong.add(home)
            seen.add(key)
            persons.pop(key, None)
            if change != "left":
                persons[key] = {name: row[name] for name in PERSON_COLUMNS}
                number = row["cnic"]
                if number is not None and (not known or self.persons[key]["cnic"] != number):
                    brought.append(key)
        if wrong:
            return wrong
        for key in brought:
            number = persons[key]["cnic"]
            if sum(p["cnic"] == number for p in persons.values()) > 1:
                wrong.add(key[0])
        return wrong


rows_of_households = st.lists(
    st.tuples(
        st.sampled_from(IDS),
        st.sampled_from(["changed", "changed", "new", "removed"]),
        st.integers(0, len(ANSWERS) - 1),
    ),
    max_size=4,
)
rows_of_people = st.lists(
    st.tuples(
        st.sampled_from(IDS),
        st.integers(0, 5),
        st.sampled_from(["changed", "changed", "joined", "left"]),
        st.sampled_from([None, *range(4, 4 * HOMES + 4, 3), 80]),
        st.booleans(),
    ),
    max_size=5,
)
batches = st.lists(
    st.tuples(rows_of_households, rows_of_people, st.sampled_from(["", "compact", "again"])),
    min_size=1,
    max_size=4,
)


def tables(homes: Any, persons: Any) -> tuple[list[Any], list[Any]]:
    return (
        [tuple(homes[k].values()) for k in sorted(homes)],
        [tuple(persons[k].values()) for k in sorted(persons)],
    )


@settings(max_examples=settings().max_examples // 3)
@given(batches=batches)
def test_updates_are_those_of_a_dictionary(stored: Path, batches: list[Any]) -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name) / "registry"
        shutil.copytree(stored, folder)
        registry = Registry.open(folder)
        homes = {r["hh_id"]: r for r in small.households(HOMES).rows(named=True)}
        persons = {(r["hh_id"], r["person_id"]): r for r in small.people(HOMES).rows(named=True)}
        twin = Twin(homes, persons)
        twin.states[small.START] = copy.deepcopy((homes, persons))
        on = small.START
        for changed_homes, changed_people, then in batches:
            on += timedelta(days=3)
            rows = [
                {**ANSWERS[answers], "hh_id": home, "change": change}
                for home, change, answers in changed_homes
            ]
            members = [
                {
                    **PERSON,
                    "hh_id": home,
                    "person_id": 4 * home + place,
                    "cnic": None if number is None else small.cnic_of(number),
                    "disabled": disabled,
                    "change": change,
                }
                for home, place, change, number, disabled in changed_people
            ]
            batch = {
                "households": pl.DataFrame(
                    rows, schema={**small.households(1).schema, "change": pl.String}
                ),
                "people": pl.DataFrame(
                    members, schema={**small.people(1).schema, "change": pl.String}
                ),
            }
            report = registry.update(**batch, on=on)
            twin.update(rows, members, on)
            touched = {r["hh_id"] for r in (*rows, *members)}
            refused = set(report.rejected["hh_id"])
            assert set(report.transitions["hh_id"]) == touched - refused
            if then == "compact":
                registry.compact()
            if then == "again":
                assert registry.update(**batch, on=on).already_applied
        # What is known now and was known on every date, also between the changes.
        for day in twin.states:
            for asked in (day, day + timedelta(days=2)):
                known = small.frames(registry, asked)
                expected = tables(*twin.states[day])
                assert (known[0].rows(), known[1].rows()) == expected
        # What is stored is what a computation of everything gives, each as of its own date.
        stored_now = small.frames(Registry.open(folder))[2]
        for day in stored_now["decided_on"].unique():
            anew = small.decided_anew(registry, day, at=on)
            mine = stored_now.filter(decided_on=day).select(anew.columns)
            assert mine.equals(anew.join(mine, on="hh_id", how="semi", maintain_order="left"))
        assert stored_now["hh_id"].to_list() == sorted(twin.homes)
