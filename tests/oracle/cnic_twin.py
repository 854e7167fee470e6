"""The slow, obvious twin of `nser_pmt.cnic.parse` for text without words.

Digits of any script, separators, decimals and scientific text; decimals by `fractions`, digits by
`unicodedata`. It shares the table of prefixes with the library and nothing else.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection
from fractions import Fraction
from itertools import pairwise

__all__ = ["Answer", "judge", "read"]

Answer = tuple[str, str, int | None]
"""Kind, issue, number."""

INVISIBLE = re.compile("[\u00ad\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff]")
DASH = re.compile("[\u2010-\u2015\u2212_]")


def read(text: str, prefixes: Collection[int], sex: str | None = None) -> Answer:
    """Parse text of digits, separators, at most one decimal point or one exponent."""
    text = DASH.sub("-", INVISIBLE.sub("", text))
    text = "".join(str(unicodedata.digit(c)) if c.isdigit() else c for c in text)
    text = re.sub(r"\s+", " ", text).strip(" -./,'\"")
    if not text:
        return ("missing", "none", None)
    scientific = re.fullmatch(r"(\d+)(?:\.(\d*))?[eE]([+-]?\d+)", text)
    if scientific:
        return _scientific(*scientific.groups(), prefixes, sex)
    decimal = re.fullmatch(r"(\d{6,})\.(0+)", text) or re.fullmatch(r"(\d+)\.(00?)", text)
    if decimal:
        return judge(decimal[1], prefixes, sex)
    if re.fullmatch(r"\d{13,}\.\d+", text):
        return ("malformed", "not_whole", None)
    groups = re.findall(r"\d+", text)
    old = [len(g) for g in groups] == [3, 2, 6] and len(re.findall(r"\D", text)) == 2
    return judge("".join(groups), prefixes, sex, old_layout=old)


def judge(
    digits: str, prefixes: Collection[int], sex: str | None = None, *, old_layout: bool = False
) -> Answer:
    """Say what a row of digits is."""
    length = len(digits)
    if length <= 4 and set(digits) == {"0"}:
        return ("missing", "none", None)
    if length >= 20:
        return ("multiple", "two_numbers", None)
    if length >= 5 and len(set(digits)) == 1:
        return ("dummy", "repeated_digits", None)
    phones = (r"3\d{9}", r"923\d{9}", r"00923\d{9}", r"0923\d{9}")
    if length != 13 and any(re.fullmatch(p, digits) for p in phones):
        return ("phone", "none", None)
    if length == 11:
        phone = digits.startswith("03") and not old_layout
        return ("phone" if phone else "old_nic", "none", None)
    if length != 13:
        issues = {12: "digit_missing", 14: "digit_extra"}
        return ("malformed", issues.get(length, "wrong_length"), None)
    if len(set(digits[:5])) == 1 or digits.endswith("00000000"):
        return ("dummy", "repeated_digits", None)
    steps = {(int(b) - int(a)) % 10 for a, b in pairwise(digits)}
    if steps in ({1}, {9}):
        return ("dummy", "sequence", None)
    if digits[0] == "0":
        phone = digits.startswith("0923")
        return ("phone", "none", None) if phone else ("malformed", "leading_zero", None)
    if digits.endswith("000000"):
        return ("truncated", "truncated_scientific", None)
    return ("cnic", _suspicion(digits, prefixes, sex), int(digits))


def _suspicion(digits: str, prefixes: Collection[int], sex: str | None) -> str:
    parity = "male" if int(digits[12]) % 2 else "female"
    for issue, found in (
        ("digit4_nonzero", digits[3] != "0"),
        ("unknown_prefix", int(digits[:5]) not in prefixes),
        ("repeated_serial", len(set(digits[5:12])) == 1),
        ("sex_mismatch", sex in ("male", "female") and sex != parity),
        ("special_prefix", digits[0] == "9"),
        ("last_digit_zero", digits[12] == "0"),
    ):
        if found:
            return issue
    return "none"


def _scientific(
    whole: str, decimals: str | None, exponent: str, prefixes: Collection[int], sex: str | None
) -> Answer:
    shown = whole + (decimals or "")
    shift = int(exponent) - len(decimals or "")
    if len(shown) > 19:
        return ("malformed", "wrong_length", None)
    value = int(shown) * Fraction(10) ** shift
    if value.denominator != 1:
        return ("malformed", "not_whole", None)
    if shift > 0 and value:
        small = shift <= 19 and value < 2**64
        return ("truncated", "truncated_scientific", None) if small else (
            "malformed", "wrong_length", None
        )  # fmt: skip
    return judge(str(value.numerator), prefixes, sex) if value else ("missing", "none", None)
