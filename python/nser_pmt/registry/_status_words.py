"""What a status is called in a message of one line, in English and Urdu."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from nser_pmt.registry.status import ProgrammeStatus, Status

__all__ = ["message"]

# Numbers and dates within Urdu stand between left-to-right marks: a bidirectional display would
# turn their parts around, and show *-*******-35202.
_MARK = {"en": "", "ur": "\u200e"}
_CARD = {"en": "CNIC {0}", "ur": "شناختی کارڈ {0}"}
_ANSWERS = {
    "en": {
        "found": "registered",
        "shared": "registered in {households} households; please visit the office with the card",
        "expired": "the card expired on {expires}; please renew it",
        "unknown": "not in the registry",
        "malformed": "This is not a CNIC number. Please send the 13 digits on the card",
    },
    "ur": {
        "found": "رجسٹرڈ ہے",
        "shared": "{households} گھرانوں میں درج ہے؛ براہ کرم کارڈ کے ساتھ دفتر آئیں",
        "expired": "کارڈ کی میعاد {expires} کو ختم ہو گئی؛ براہ کرم تجدید کرائیں",
        "unknown": "رجسٹری میں موجود نہیں",
        "malformed": "یہ شناختی کارڈ نمبر نہیں۔ براہ کرم کارڈ کے 13 ہندسے بھیجیں",
    },
}
_DECISIONS: Mapping[str, Mapping[str | None, str]] = {
    "en": {
        "eligible": "eligible",
        "not_eligible": "not eligible",
        "needs_data": "more information is needed",
        "over_quota": "eligible, but the quota is full",
        None: "no decision",
    },
    "ur": {
        "eligible": "اہل",
        "not_eligible": "اہل نہیں",
        "needs_data": "مزید معلومات درکار ہیں",
        "over_quota": "اہل، مگر کوٹہ مکمل ہے",
        None: "فیصلہ نہیں ہوا",
    },
}
_AMOUNT = {"en": "Rs {0:,.0f} a quarter", "ur": "{0:,.0f} روپے فی سہ ماہی"}
_AS_OF = {"en": "As of {0}", "ur": "بتاریخ {0}"}
_STOP = {"en": ". ", "ur": "۔ "}
_COMMA = {"en": ", ", "ur": "، "}


def message(status: Status, language: str, titles: Mapping[str, Mapping[str, str]]) -> str:
    """Return the message of a status. `titles` names programmes by id and language."""
    answer = _ANSWERS[language][status.answer].format(
        households=status.households, expires=_in_order(status.expires, language)
    )
    stop = _STOP[language]
    if status.cnic is None:
        return answer + stop.strip()
    parts = [f"{_CARD[language].format(_in_order(status.cnic, language))}: {answer}"]
    if status.answer == "found":
        for name, found in status.programmes.items():
            title = titles.get(name, {}).get(language, name)
            parts.append(f"{title}: {_decision(found, language)}")
    parts.append(_AS_OF[language].format(_in_order(status.as_of, language)))
    return stop.join(parts) + stop.strip()


def _in_order(value: object, language: str) -> str:
    mark = _MARK[language]
    return f"{mark}{value}{mark}"


def _decision(found: ProgrammeStatus, language: str) -> str:
    words = _DECISIONS[language]
    said = words.get(found.decision, found.decision or words[None])
    if found.decision != "eligible" or not found.amount:
        return said
    return said + _COMMA[language] + _AMOUNT[language].format(found.amount)
