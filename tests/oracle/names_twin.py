"""Slow, obvious twin of folding: what section 7 of the field guide says, rule by rule."""

from __future__ import annotations

import re
import unicodedata

LETTERS = {
    **dict.fromkeys("أإٱآٲٳٵ", "ا"),
    **dict.fromkeys("ؤٶٷۄۅۆۇۈۉۊۋ", "و"),
    **dict.fromkeys("ئؠيىٸۍێېۑےۓؽؾؿ", "ی"),
    **dict.fromkeys("كڪػؼ", "ک"),
    **dict.fromkeys("ةۃۀۂهەھۿ", "ہ"),
    **dict.fromkeys("ںڻڼ", "ن"),
    **dict.fromkeys("ګڳ", "گ"),
    **dict.fromkeys("ټٽ", "ٹ"),
    **dict.fromkeys("ډڊڏ", "ڈ"),
    **dict.fromkeys("ړڙ", "ڑ"),
    "ٻ": "ب",
    "ښ": "ش",
    "ۮ": "د",
    "ۯ": "ر",
    **dict.fromkeys("ءٴـ\u06e5\u06e6\u061c", ""),
    **{chr(0x660 + d): str(d) for d in range(10)},
    **{chr(0x6F0 + d): str(d) for d in range(10)},
}
LATIN = {"ß": "ss", "æ": "ae", "œ": "oe", "ø": "o", "ð": "d", "đ": "d", "þ": "th", "ł": "l"}
LATIN |= {"ħ": "h", "ı": "i", "ŋ": "n"}
SILENT = re.compile(
    "[\u00ad\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufeff"  # joiners, directions
    "\u02b9-\u02df\u2018-\u201b\u2032'`]"  # apostrophes, hamza and ain of romanisations
)
ALONE = re.compile("[\u00b4\ufc5e-\ufc63\ufe70-\ufe7f]")  # unfold to a space and a mark
ENCLOSED = re.compile("[\U0001f150-\U0001f169\U0001f170-\U0001f189]")  # letters to Unicode
BLESSING = re.compile("[\ufdfa\ufdfb]")
RELATION = re.compile(r"(?:(?<=^)|(?<=[ \x00]))(s|d|w|wd|c|f|m|h)[/\\]o(?![^\W_]|[^\x00-\x7f])")


def fold(text: str) -> str:
    """Return the match form of a name."""
    text = BLESSING.sub(" ", ALONE.sub("", text))
    text = SILENT.sub("", unicodedata.normalize("NFKD", SILENT.sub("", text)))
    out = []
    for char in text:
        small = char.lower()
        if char in LETTERS:
            out.append(LETTERS[char])
        elif small in LATIN:
            out.append(LATIN[small])
        elif unicodedata.category(char).startswith("M"):
            continue
        elif char.isalnum() or ENCLOSED.match(char):
            out.append(small)
        else:
            out.append({"@": " @ ", "/": "/", "\\": "/"}.get(char, " "))
    folded = RELATION.sub(r"\1_o ", re.sub(" +", " ", "".join(out)))
    return " ".join(folded.replace("/", " ").replace("_", "/").split())
