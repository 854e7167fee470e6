"""What a column of a registry is for, by its name in English or Roman Urdu."""

from __future__ import annotations

import re

__all__ = ["ROLES", "role_of"]

# The first that fits counts. A word stands for itself with anything around it at a word boundary.
_WORDS: tuple[tuple[str, str], ...] = (
    (
        "other",
        "entity truth label cluster source enumerator surveyor created updated modified visit "
        "visited timestamp interview entry issue expiry expired form remarks status "
        "marital relation head",
    ),
    ("mother", "mother walda walida maan"),
    (
        "father",
        "father husband walid shohar guardian fname father_name s_o d_o w_o spouse khawand parent",
    ),
    ("cnic", "cnic nic snic nicop shanakhti id_card idcard identity_card card_no"),
    ("number", "passport soc_sec ssn national_id social_security identity_number national_number"),
    ("birth_year", "birth_year yob year_of_birth"),
    ("birth", "dob birth_date birthdate date_of_birth birthday born paidaish birth"),
    ("phone", "phone mobile cell telephone contact msisdn"),
    ("sex", "sex gender jins"),
    ("surname", "surname last_name family_name caste zaat"),
    ("household", "household hh hhid hh_id household_id gharana family_id family"),
    ("given", "given first_name forename given_name"),
    ("address", "address pata street gali house mohalla house_no"),
    ("village", "village mauza gaon uc union_council ward locality"),
    ("tehsil", "tehsil taluka taluqa tehseel subdistrict"),
    ("district", "district zila zilla"),
    ("province", "province suba state"),
    ("postcode", "postcode postal zip pin_code"),
    ("name", "name naam full_name person_name"),
)

ROLES = tuple(role for role, _ in _WORDS)


def _pattern(words: str) -> re.Pattern[str]:
    return re.compile(r"(?:^|_)(?:" + "|".join(sorted(words.split())) + r")(?:_|\d*$)")


_PATTERNS = [(role, _pattern(words)) for role, words in _WORDS]
# Another person's number, name or date is none of this one's.
_RELATIVE = re.compile(
    r"(?:^|_)(?:head|father|mother|husband|wife|spouse|walid|walida|walda|shohar|guardian|son|child|"
    r"parent)(?:_|$)"
)
_PLACES = ("birth_place", "place_of_birth", "birth_district")


def role_of(column: str) -> str:
    """Return what a column holds, ``"other"`` if its name does not say.

    Examples
    --------
    >>> [role_of(c) for c in ("Naam", "walid_ka_naam", "CNIC No.", "head_cnic", "DoB", "x7")]
    ['name', 'father', 'cnic', 'other', 'birth', 'other']
    """
    split = re.sub(r"(?<=[a-z])(?=[A-Z][a-z])", "_", column)
    word = re.sub(r"[\W_]+", "_", split).strip("_").lower()
    if any(place in word for place in _PLACES):
        return "other"
    for role, pattern in _PATTERNS:
        if not pattern.search(word):
            continue
        plain = role in ("cnic", "number", "birth", "birth_year", "phone", "sex")
        of_other = _RELATIVE.search(word) and (
            plain or re.search(r"(?:^|_)(?:cnic|nic|dob|phone|mobile|sex|gender|birth)", word)
        )
        return "other" if of_other else role
    return "other"
