"""The bundled models hold what their sources say: every number here is a published fact."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import polars as pl
import pytest

import nser_pmt as nser

BUNDLED = ["bisp-psc-2009", "hiics-2016-research", "schreiner-pk-2009"]


@pytest.fixture(scope="module")
def schreiner() -> nser.Model:
    return nser.load_model("schreiner-pk-2009")


@pytest.fixture(scope="module")
def hiics() -> nser.Model:
    return nser.load_model("hiics-2016-research")


@pytest.fixture(scope="module")
def bisp() -> nser.Model:
    return nser.load_model("bisp-psc-2009")


def _classes(term: Any) -> tuple[Any, ...]:
    """Levels or bins of a term."""
    classes: tuple[Any, ...] = term.levels if term.kind == "levels" else term.bins
    return classes


def _invalid(term: Any) -> Any:
    return term.unknown if term.kind == "levels" else term.out_of_range


def _holds(edges: Any, x: float) -> bool:
    return (
        (edges.ge is None or x >= edges.ge)
        and (edges.gt is None or x > edges.gt)
        and (edges.le is None or x <= edges.le)
        and (edges.lt is None or x < edges.lt)
    )


def _class_of(term: Any, answer: Any) -> Any:
    """Return the only class of a term that holds an answer."""
    if term.kind == "levels":
        found = [
            c for c in term.levels if any(type(v) is type(answer) and v == answer for v in c.values)
        ]
    else:
        found = [c for c in term.bins if _holds(c, answer)]
    assert len(found) == 1, (term.id, answer)
    return found[0]


def _probability(model: nser.Model, line: str, score: float) -> float:
    found = [b.probability for b in model.likelihood(line).bands if _holds(b, score)]
    assert len(found) == 1, (line, score)
    return found[0]


# ---------------------------------------------------------------- all


@pytest.mark.parametrize("name", BUNDLED)
def test_loads(name: str) -> None:
    model = nser.load_model(name)
    assert model.id == name
    assert model.country == "PK"
    assert model.unit == "household"
    assert model.direction == "lower_is_poorer"
    assert model.steps == ()


@pytest.mark.parametrize(
    ("name", "status", "codes"),
    [
        ("bisp-psc-2009", "template", {"cutoff-side-unknown"}),
        ("hiics-2016-research", "research", set()),
        ("schreiner-pk-2009", "published", {"non-monotone-likelihood"}),
    ],
)
def test_status_and_findings(name: str, status: str, codes: set[str]) -> None:
    model = nser.load_model(name)
    assert model.status == status
    assert {finding.code for finding in model.lint()} == codes
    assert {finding.level for finding in model.lint()} <= {"warning"}


@pytest.mark.parametrize("name", BUNDLED)
def test_reads_the_synthetic_households(name: str) -> None:
    """Every category of a synthetic column has a class; only the template's land is not there."""
    model = nser.load_model(name)
    schema = nser.synth.households(1).schema
    assert set(model.columns) - set(schema) == (
        {"land_owned"} if name == "bisp-psc-2009" else set()
    )
    for term in model.terms:
        dtype = schema.get(term.id)
        if isinstance(dtype, pl.Enum):
            for category in dtype.categories:
                _class_of(term, category)
        elif dtype == pl.Boolean:
            assert _class_of(term, False) is not _class_of(term, True)
        elif dtype is not None:
            assert dtype.is_integer()
            for n in range(60):
                _class_of(term, n)


# ---------------------------------------------------------------- Schreiner 2009

# National line, per cent: likelihood (Fig. 6), TP, FN, FP, TN, total accuracy, BPAC (Fig. 15)
NL100 = {
    (0, 4): (95.4, 0.1, 19.5, 0.0, 80.3, 80.5, -98.6),
    (5, 9): (95.1, 0.4, 19.3, 0.0, 80.3, 80.7, -95.8),
    (10, 14): (84.1, 1.4, 18.3, 0.2, 80.1, 81.5, -84.4),
    (15, 19): (68.0, 3.0, 16.7, 1.1, 79.3, 82.3, -64.2),
    (20, 24): (57.6, 5.5, 14.2, 2.9, 77.4, 82.9, -29.3),
    (25, 29): (47.1, 8.7, 11.0, 7.0, 73.3, 82.0, 23.9),
    (30, 34): (39.5, 12.2, 7.5, 11.2, 69.1, 81.3, 43.0),
    (35, 39): (29.8, 14.6, 5.1, 18.8, 61.6, 76.2, 4.7),
    (40, 44): (17.4, 16.7, 3.0, 26.8, 53.5, 70.2, -36.2),
    (45, 49): (16.9, 17.9, 1.7, 35.5, 44.8, 62.7, -80.6),
    (50, 54): (10.7, 18.6, 1.1, 42.3, 38.1, 56.6, -114.7),
    (55, 59): (7.4, 19.1, 0.5, 50.3, 30.0, 49.2, -155.6),
    (60, 64): (5.1, 19.5, 0.2, 58.0, 22.4, 41.9, -194.5),
    (65, 69): (0.7, 19.6, 0.1, 62.9, 17.4, 37.0, -219.8),
    (70, 74): (0.4, 19.6, 0.0, 67.4, 13.0, 32.6, -242.2),
    (75, 79): (1.1, 19.7, 0.0, 72.0, 8.4, 28.0, -265.7),
    (80, 84): (0.0, 19.7, 0.0, 76.3, 4.0, 23.7, -287.9),
    (85, 89): (0.0, 19.7, 0.0, 77.9, 2.5, 22.1, -295.6),
    (90, 94): (0.0, 19.7, 0.0, 79.6, 0.7, 20.4, -304.5),
    (95, 100): (0.0, 19.7, 0.0, 80.3, 0.0, 19.7, -308.1),
}
RISES = {
    "nl100": 1,
    "nl50": 4,
    "nl75": 2,
    "nl125": 3,
    "nl200": 1,
    "extreme": 1,
    "ppp125": 1,
    "ppp250": 3,
    "ppp375": 4,
}
CARD = {
    "province": [0, 9, 11, 12],
    "n_le13": [0, 6, 11, 15, 22, 31],
    "school_5_13": [0, 5],
    "n_elementary_workers": [0, 5, 12],
    "female_head_spouse_educ": [0, 4, 6],
    "water": [0, 3],
    "toilet": [0, 2, 4],
    "fridge_freezer": [0, 12],
    "tv": [0, 3],
    "motor_vehicle": [0, 12],
}


def test_card(schreiner: nser.Model) -> None:
    assert {t.id: [c.points for c in _classes(t)] for t in schreiner.terms} == CARD
    assert [t.id for t in schreiner.terms] == list(CARD) == list(schreiner.columns)
    assert schreiner.intercept == 0


def test_card_reaches_from_0_to_100(schreiner: nser.Model) -> None:
    points = [[c.points for c in _classes(t)] for t in schreiner.terms]
    assert (sum(map(min, points)), sum(map(max, points))) == (0, 100) == schreiner.range


def test_card_classes(schreiner: nser.Model) -> None:
    terms: dict[str, Any] = {t.id: t for t in schreiner.terms}
    answers: dict[str, dict[Any, float]] = {
        "province": {
            "Balochistan": 0,
            "Khyber Pakhtunkhwa": 9,
            "KP": 9,
            "KPK": 9,
            "NWFP": 9,
            "Sindh": 11,
            "Punjab": 12,
            "Islamabad": 12,
            "ICT": 12,
        },
        "n_le13": {0: 31, 1: 22, 2: 15, 3: 11, 4: 6, 5: 0, 6: 0, 20: 0},
        "n_elementary_workers": {0: 12, 1: 5, 2: 0, 3: 0},
        "school_5_13": {"none_in_range": 5, "all": 5, "not_all": 0},
        "female_head_spouse_educ": {"none_present": 4, "class_1_or_higher": 6, "below_class_1": 0},
        "water": {"other": 0, "piped": 3, "hand_pump": 3, "motor_pump": 3, "covered_well": 3},
        "toilet": {
            "none": 0,
            "dry_pit_latrine": 0,
            "flush_pit": 2,
            "flush_septic": 2,
            "flush_drain": 2,
            "flush_sewer": 4,
        },
    }
    for column, expected in answers.items():
        assert {a: _class_of(terms[column], a).points for a in expected} == expected
    for column in ("fridge_freezer", "tv", "motor_vehicle"):
        assert _class_of(terms[column], "yes") is _class_of(terms[column], True)
        assert _class_of(terms[column], "no") is _class_of(terms[column], False)


def test_provinces_the_survey_omits_are_out_of_domain(schreiner: nser.Model) -> None:
    province: Any = schreiner.terms[0]
    listed = {value for level in province.levels for value in level.values}
    omitted = {"AJK", "Azad Jammu and Kashmir", "FATA", "GB", "Gilgit-Baltistan", "Northern Areas"}
    assert not listed & omitted
    assert province.unknown == "null"


def test_only_no_data_on_female_education_is_zero(schreiner: nser.Model) -> None:
    missing = {t.id: t.missing for t in schreiner.terms}
    assert missing.pop("female_head_spouse_educ") == 0.0
    assert set(missing.values()) == {"null"}
    assert {_invalid(t) for t in schreiner.terms} == {"null"}


def test_counts_are_persons_from_0(schreiner: nser.Model) -> None:
    inputs = {i.name: i for i in schreiner.inputs}
    for name in ("n_le13", "n_elementary_workers"):
        item = inputs[name]
        assert (item.type, item.unit, item.min) == ("integer", "persons", 0)


def test_worked_score(schreiner: nser.Model) -> None:
    answers = {
        "province": "Punjab",
        "n_le13": 3,
        "school_5_13": "all",
        "n_elementary_workers": 1,
        "female_head_spouse_educ": "class_1_or_higher",
        "water": "hand_pump",
        "toilet": "flush_pit",
        "fridge_freezer": False,
        "tv": True,
        "motor_vehicle": False,
    }
    score = sum(_class_of(t, answers[t.id]).points for t in schreiner.terms)
    assert score == 47
    assert _probability(schreiner, "nl100", score) == 0.169


def test_likelihood_tables_have_20_bands_without_gaps(schreiner: nser.Model) -> None:
    assert [table.line for table in schreiner.likelihoods] == list(RISES)
    for table in schreiner.likelihoods:
        assert [band.ge for band in table.bands] == list(range(0, 100, 5)), table.line
        assert [band.lt for band in table.bands] == [*range(5, 100, 5), None]
        assert [band.le for band in table.bands] == [None] * 19 + [100]
        assert {band.gt for band in table.bands} == {None}
        for tenth in range(1001):
            _probability(schreiner, table.line, tenth / 10)


def test_national_line(schreiner: nser.Model) -> None:
    for (low, high), (percent, *_) in NL100.items():
        for score in (low, high):
            got = _probability(schreiner, "nl100", score)
            assert str(got) == str(round(percent / 100, 3)), score


def test_rises_of_the_likelihoods_are_kept(schreiner: nser.Model) -> None:
    rises = {
        table.line: sum(a.probability < b.probability for a, b in pairwise(table.bands))
        for table in schreiner.likelihoods
    }
    assert rises == RISES
    assert sum(rises.values()) == 20
    assert _probability(schreiner, "nl100", 74) < _probability(schreiner, "nl100", 75)


def test_group_rate_is_the_mean_likelihood(schreiner: nser.Model) -> None:
    """Schreiner fn 25: not the likelihood of the mean score."""
    rates = [_probability(schreiner, "nl100", score) for score in (20, 30, 40)]
    assert rates == [0.576, 0.395, 0.174]
    assert round(sum(rates) / 3, 3) == 0.382 != _probability(schreiner, "nl100", 30)


def test_cutoffs_are_where_the_printed_columns_peak(schreiner: nser.Model) -> None:
    peak_accuracy = max(NL100, key=lambda band: NL100[band][5])
    peak_bpac = max(NL100, key=lambda band: NL100[band][6])
    cutoffs = {c.id: (c.value, c.side) for c in schreiner.cutoffs}
    assert cutoffs == {
        "nl100-max-total-accuracy": (peak_accuracy[1], "inclusive"),
        "nl100-max-bpac": (peak_bpac[1], "inclusive"),
    }
    assert (peak_accuracy[1], peak_bpac[1]) == (24, 34)
    assert all(c.description.startswith("Not official") for c in schreiner.cutoffs)


def test_printed_cells_add_up() -> None:
    for _, tp, fn, fp, tn, accuracy, _ in NL100.values():
        assert tp + fn + fp + tn == pytest.approx(100, abs=0.11)
        assert tp + tn == pytest.approx(accuracy, abs=0.11)


def test_printed_defect_1_sign_of_bpac() -> None:
    """Footnote 34 prints TP + |FN - FP|; the table of the same paper has minus."""
    _, tp, fn, fp, *_, printed = NL100[35, 39]
    minus = 100 * (tp - abs(fn - fp)) / (tp + fn)
    plus = 100 * (tp + abs(fn - fp)) / (tp + fn)
    assert printed == 4.7
    assert minus == pytest.approx(4.57, abs=0.005)
    assert plus == pytest.approx(143.65, abs=0.005)
    worst = max(
        abs(100 * (tp - abs(fn - fp)) / (tp + fn) - printed)
        for _, tp, fn, fp, _, _, printed in NL100.values()
    )
    assert worst == pytest.approx(1.68, abs=0.005)  # cells have one decimal


def test_printed_defect_2_labels_of_ppitables(schreiner: nser.Model) -> None:
    """The manual of R's ppitables calls ppp125 "poorest half"; its numbers are $1.25 a day."""
    assert _probability(schreiner, "ppp125", 40) == 0.142
    assert _probability(schreiner, "extreme", 40) == 0.07
    assert "$1.25" in schreiner.likelihood("ppp125").title
    assert "$2.50" in schreiner.likelihood("ppp250").title
    assert "$3.75" in schreiner.likelihood("ppp375").title


def test_source_is_named_and_not_branded(schreiner: nser.Model) -> None:
    assert "Simple Poverty Scorecard" not in schreiner.title
    for words in ("transcribed", "copyrighted", "registered mark"):
        assert words in schreiner.licence


# ---------------------------------------------------------------- HIICS 2015-16

# Weighted least squares, statsmodels 0.15.0; base levels 0
COEFFICIENTS = {
    "dep_cat": {"0-2": 0, "3-4": -0.1580526304, "5-6": -0.2641249621, "7+": -0.3147127074},
    "headedu_cat": {
        "0-5": 0,
        "11+": 0.513982216,
        "6-10": 0.1239132336,
        "never": -0.0672246089,
        "other": 0.456310366,
    },
    "school_cat": {
        "all": 0,
        "nochild": -0.0046727139,
        "none": -0.1478159992,
        "some": -0.0985249451,
    },
    "rooms_cat": {
        "0.2-0.3": 0,
        "0.3-0.4": 0.1003678434,
        "<=0.2": -0.0795581035,
        ">0.4": 0.3162686604,
    },
    "toilet_cat": {"flush": 0, "latrine": -0.1910733384, "none": -0.2757658602},
    "livestock_cat": {
        "both": 0,
        "buffalo": 0.0076161659,
        "cow_goat_sheep": -0.0375520736,
        "none": 0.1710451175,
    },
    "land_cat": {"<=12.5ha": 0, ">12.5ha": 0.5301051802, "none": -0.026307878},
}


def test_research_coefficients(hiics: nser.Model) -> None:
    got = {
        term.id: {value: level.points for level in _classes(term) for value in level.values}
        for term in hiics.terms
    }
    assert got == COEFFICIENTS
    assert hiics.intercept == 8.1041264925
    assert list(got) == list(COEFFICIENTS) == list(hiics.columns)


def test_research_base_levels_are_first_in_the_alphabet(hiics: nser.Model) -> None:
    for term in hiics.terms:
        zero = [value for level in _classes(term) for value in level.values if level.points == 0]
        assert zero == [min(COEFFICIENTS[term.id])]


def test_research_model_says_so(hiics: nser.Model) -> None:
    assert hiics.range is None
    assert hiics.cutoffs == ()
    assert hiics.likelihoods == ()
    assert {p for t in hiics.terms for p in (t.missing, _invalid(t))} == {"null"}
    for text in (hiics.title, hiics.notes):
        for words in (
            "research model",
            "estimated for testing",
            "not a bisp formula",
            "ranking only",
        ):
            assert words in text.lower()


# ---------------------------------------------------------------- BISP 2009, structure only

INDICATORS = {
    "n_dep_lt18_gt65": ["0-2", "3-4", "5-6", "7+"],
    "head_education": ["never attended", "<class 1 to class 5", "class 6-10", "class 11+"],
    "school_5_16": ["none in age range", "all", "some", "none attending"],
    "rooms_per_person": ["(0,0.2]", "(0.2,0.3]", "(0.3,0.4]", ">0.4"],
    "toilet": ["flush (sewer/pit/open drain)", "dry raised or dry pit latrine", "none"],
    "fridge_freezer_washer": ["yes", "no"],
    "ac_cooler_geyser_heater": ["yes", "no"],
    "stove_range_microwave": ["yes", "no"],
    "vehicles": [
        "car/tractor and motorcycle",
        "car/tractor only",
        "motorcycle only",
        "neither",
    ],
    "tv": ["yes", "no"],
    "livestock": [
        "buffalo/bullock and cow/goat/sheep",
        "buffalo/bullock only",
        "cow/goat/sheep only",
        "neither",
    ],
    "land_owned": ["0", "(0,12.5]", ">12.5"],
}


def test_template_classes(bisp: nser.Model) -> None:
    assert {t.id: [c.label for c in _classes(t)] for t in bisp.terms} == INDICATORS
    assert [t.id for t in bisp.terms] == list(INDICATORS)


def test_template_counts(bisp: nser.Model) -> None:
    classes = [len(_classes(term)) for term in bisp.terms]
    assert len(classes) == 12
    assert sum(classes) == 38
    assert sum(classes) - len(classes) == 26  # dummies


def test_template_has_no_points(bisp: nser.Model) -> None:
    assert {c.points for t in bisp.terms for c in _classes(t)} == {None}
    assert {p for t in bisp.terms for p in (t.missing, _invalid(t))} <= {"null", "error"}
    assert bisp.intercept == 0
    assert bisp.likelihoods == ()


def test_template_cutoff(bisp: nser.Model) -> None:
    assert bisp.range == (0, 100)
    cutoff = bisp.cutoff("bisp-2010")
    assert (cutoff.value, cutoff.side) == (16.17, "unknown")
    assert len(bisp.cutoffs) == 1


def test_template_edges(bisp: nser.Model) -> None:
    """Edges belong where pmt.md section 2 puts them; a household without rooms has no class."""
    terms: dict[str, Any] = {t.id: t for t in bisp.terms}
    edges: dict[str, dict[Any, str]] = {
        "n_dep_lt18_gt65": {0: "0-2", 2: "0-2", 3: "3-4", 4: "3-4", 5: "5-6", 6: "5-6", 7: "7+"},
        "rooms_per_person": {
            1 / 99: "(0,0.2]",
            1 / 5: "(0,0.2]",
            3 / 10: "(0.2,0.3]",
            4 / 10: "(0.3,0.4]",
            5 / 12: ">0.4",
            4.0: ">0.4",
        },
        "land_owned": {0.0: "0", 0.01: "(0,12.5]", 12.5: "(0,12.5]", 12.51: ">12.5"},
    }
    for name, expected in edges.items():
        assert {x: _class_of(terms[name], x).label for x in expected} == expected
    assert not any(_holds(one, 0.0) for one in terms["rooms_per_person"].bins)


def test_template_classes_that_are_easy_to_mix_up(bisp: nser.Model) -> None:
    terms: dict[str, Any] = {t.id: t for t in bisp.terms}
    assert _class_of(terms["toilet"], "flush_drain") is _class_of(terms["toilet"], "flush_sewer")
    assert _class_of(terms["school_5_16"], "all").values == ("all",)
    assert _class_of(terms["head_education"], "class_0_5").values == ("class_0_5",)
    educations = [value for level in terms["head_education"].levels for value in level.values]
    assert "other" not in educations
    assert terms["head_education"].unknown == "null"


def test_template_units(bisp: nser.Model) -> None:
    inputs = {i.name: i for i in bisp.inputs}
    assert inputs["rooms_per_person"].ratio == ("rooms", "hhsize")
    assert (inputs["rooms"].type, inputs["rooms"].min) == ("integer", 0)
    assert (inputs["hhsize"].type, inputs["hhsize"].min) == ("integer", 1)
    rooms: Any = bisp.terms[3]
    assert (rooms.missing, rooms.out_of_range) == ("error", "error")
    assert inputs["land_owned"].unit == "hectares"
    assert "land_owned_acres" not in inputs
    assert "acres" in bisp.notes
