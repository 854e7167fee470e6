"""Variants of spelling by rules of their own.

Nothing here is learned from, or read from, the tables of ``nser_pmt.names``: a linker must be
tested on variants that it does not know. A rule is a pattern, what it becomes, and a weight
(assumption); the variants of a token are the results of one rule, sometimes two, at a place drawn
at random.
"""

from __future__ import annotations

import re
from functools import cache, lru_cache
from itertools import compress
from random import Random

_Rules = tuple[tuple[str, str, int], ...]

VARIANTS = 32  # of a token: 0 is the token itself, 1 its initial, then the variants

_C = "[b-df-hj-np-tvwxz]"  # consonants: y is as often a vowel

_ROMAN_RULES = (
    # long and short vowels
    ("ee", "i", 10),
    (rf"(?<={_C})i(?={_C})", "ee", 8),
    ("oo", "u", 8),
    (rf"(?<={_C})u(?={_C})", "oo", 1),
    (rf"(?<={_C})u(?={_C})", "o", 5),
    (rf"(?<={_C})a(?=h{_C})", "e", 8),
    (rf"(?<=[aeiou]{_C})a(?={_C}\b)", "e", 4),
    (rf"(?<=[aeiou]{_C}{_C})a(?={_C}\b)", "e", 5),
    (rf"(?<=[aeiou]{_C}{_C}{_C})a(?={_C}\b)", "e", 5),
    (rf"(?<={_C})a(?={_C}[aeiou]|{_C}$)", "aa", 1),
    (rf"(?<={_C})e(?={_C})", "a", 5),
    (rf"(?<={_C})e(?={_C})", "i", 1),
    (rf"(?<={_C})i(?={_C})", "e", 3),
    (rf"(?<={_C})o(?={_C})", "u", 3),
    ("^u", "o", 3),
    ("^o", "u", 3),
    ("aa", "a", 4),
    ("ai", "ay", 4),
    ("ai", "e", 2),
    ("ay(?![aeiou])", "ai", 4),
    ("au", "o", 4),
    ("ou", "u", 5),
    ("ei", "i", 2),
    # glides and endings
    ("ia", "iya", 4),
    ("iya", "ia", 4),
    ("ya$", "yya", 1),
    ("a$", "ah", 6),
    ("ah$", "a", 8),
    ("i$", "y", 4),
    ("i$", "ee", 3),
    ("y$", "i", 4),
    ("q$", "que", 4),
    ("que$", "q", 6),
    # consonants
    ("q", "k", 5),
    ("c(?=[aou])", "k", 3),
    (r"k(?=[aou])(?<!h)", "q", 1),
    ("z", "j", 2),
    ("j", "z", 1),
    ("kh", "k", 2),
    ("gh", "g", 3),
    ("ph", "f", 3),
    ("f", "ph", 1),
    ("w", "v", 3),
    ("v", "w", 4),
    ("th", "t", 2),
    ("dh", "d", 2),
    ("sh", "s", 1),
    (r"(?<=[aeiou])([bdfklmnprstz])(?=[aeiou])", r"\1\1", 2),
    (r"([bdfgjklmnprstz])\1", r"\1", 8),
    # h that is hardly heard; vowels between consonants that are hardly heard
    (r"(?<=[aeiou])h(?=[a-z])", "", 3),
    (r"(?<=[aeiou])h$", "", 3),
    (rf"(?<=[a-z]{_C})[ae](?=[lrmnz][aeiou])", "", 2),
)
_ROMAN_JOINS = (
    (r"^abdul (?=[rszntd])", ("abdur ", "abd ur ", "abdul", "abdur")),
    (r"^abdul (?=[^rszntd])", ("abdul", "abd ul ", "abdul-", "abd-ul-")),
    (" ud din$", ("uddin", "-ud-din", " uddin", " ud deen", "uddeen", " din")),
    (" u[lr] ", ("ul ", "-ul-", " ul-", "-ur-", " ur ", "ur ")),
    (" ullah$", ("ullah", "-ullah", "ulla", " ulah")),
    (r"(?<=[a-z]) (?=muhammad$|bakhsh$|nawaz$|khan$|ditta$|zada$|bibi$|yar$)", ("",)),
    ("bakhsh", ("bux", "baksh", "bakhash", "bukhsh")),
    ("^ghulam ", ("gulam ", "ghulam", "gh ", "ghullam ")),
    ("^allah ", ("alla ", "allah", "ala ")),
)
_MUHAMMAD = (
    ("mohammad", 30),
    ("m", 18),
    ("mohd", 10),
    ("muhammed", 8),
    ("mohammed", 6),
    ("muhamad", 6),
    ("md", 5),
    ("muhd", 3),
    ("mohamad", 3),
    ("muhmmad", 2),
    ("m.", 9),
)
_URDU_RULES = (
    ("ی", "ي", 6),  # the Arabic keyboard's letters
    ("ک", "ك", 5),
    ("ہ", "ه", 5),
    ("ہ", "ھ", 4),
    ("آ", "ا", 5),
    ("ئ", "ی", 4),
    ("ؤ", "و", 3),
    ("ٰ", "", 6),
    ("یٰ", "ا", 3),
    ("حمن", "حمان", 5),
    ("حمان", "حمن", 5),
    ("ء", "", 4),
    ("ں", "ن", 4),
    ("ہ$", "ا", 3),
    ("ا$", "ہ", 2),
    ("ے", "ی", 3),
    ("ط", "ت", 1),
    ("ص", "س", 1),
    ("ذ", "ز", 2),
    ("ض", "ز", 1),
    ("ظ", "ز", 1),
    ("ث", "س", 1),
    ("ح(?!مد)", "ہ", 1),
    ("ق", "ک", 1),
    ("^عبدال", "عبد ال", 10),
    (" ", "", 6),
    (" ", "\u200c", 2),
)


def _weighted(random: Random, weights: list[int]) -> int:
    left = random.random() * sum(weights)
    for i, weight in enumerate(weights):
        left -= weight
        if left < 0:
            return i
    return len(weights) - 1


@lru_cache(maxsize=4096)
def _usable(token: str, rules: _Rules) -> tuple[list[tuple[str, list[re.Match[str]]]], list[int]]:
    """Rules that apply to a token, as what each puts and where, and their weights."""
    found = [
        (becomes, places, weight)
        for old, becomes, weight in rules
        if (places := [*re.finditer(old, token)])
    ]
    return [(becomes, places) for becomes, places, _ in found], [weight for *_, weight in found]


def _by_rule(token: str, rules: _Rules, random: Random) -> str:
    """One rule at one place; the token itself when no rule applies."""
    usable, weights = _usable(token, rules)
    if not usable:
        return token
    becomes, places = usable[_weighted(random, weights)]
    place = places[int(random.random() * len(places))]
    if "\\" in becomes:
        becomes = place.expand(becomes)
    return token[: place.start()] + becomes + token[place.end() :]


def _roman(token: str, random: Random) -> str:
    """Spell a token another way; lower case in and out."""
    if token == "muhammad":
        return _MUHAMMAD[_weighted(random, [weight for _, weight in _MUHAMMAD])][0]
    joins = [(found, new) for old, new in _ROMAN_JOINS if (found := re.search(old, token))]
    if joins and random.random() < 0.6:
        place, new = joins[int(random.random() * len(joins))]
        token = token[: place.start()] + new[int(random.random() * len(new))] + token[place.end() :]
        if random.random() < 0.7:
            return token
    token = _by_rule(token, _ROMAN_RULES, random)
    return _by_rule(token, _ROMAN_RULES, random) if random.random() < 0.15 else token


def _title(text: str) -> str:
    """Capital letters at the starts of words, but of the particles between them."""
    return re.sub(r"(?<![a-z])(?!(?:ud|ul|ur|e)\b)[a-z]", lambda m: m[0].upper(), text)


def _doubled(token: str, random: Random) -> str:
    """Write one letter twice, or a full stop: for the few tokens that no rule changes."""
    if not set(token) & set("aeiou"):
        return token + "."
    at = int(random.random() * len(token))
    return token[: at + 1] + token[at:]


@cache
def roman_variants(token: str) -> tuple[str, ...]:
    """Forms 0 to ``VARIANTS`` - 1 of a Roman token."""
    random, plain = Random(f"roman {token}"), token.lower()
    out = [token, token[:1]]
    while len(out) < VARIANTS:
        for _ in range(8):
            new = _roman(plain, random)
            if new != plain:
                break
        else:
            new = _doubled(plain, random)
        out.append(_title(new))
    return tuple(out)


@cache
def urdu_variants(token: str) -> tuple[str, ...]:
    """Forms 0 to ``VARIANTS`` - 1 of an Urdu token. Urdu has no initials: 1 is the token.

    A token that no rule changes has no other form: Urdu is spelled with less freedom.
    """
    random, out = Random(f"urdu {token}"), [token, token]
    while len(out) < VARIANTS:
        out.append(_by_rule(token, _URDU_RULES, random))
    return tuple(out)


_KEYS = {  # the letter beside each on a keyboard
    a: b
    for row in ("qwertyuiop", "asdfghjkl", "zxcvbnm")
    for a, b in zip(row, row[1:] + row[-2], strict=True)
}
# the digits beside 0, 1, ... 9 on a telephone
_KEYPAD = ("89", "24", "135", "26", "157", "2468", "359", "48", "0579", "068")


def slip(text: str, word: int) -> str:
    """Make one slip of typing, drawn by a random word: a letter wrong, lost, doubled, swapped."""
    kind, word = word % 8, word >> 3
    letters = [*compress(range(1, len(text)), map(str.isalpha, text[1:]))]
    if not letters:
        return text + text[-1:]
    at = letters[word % len(letters)]
    wrong = _KEYS.get(text[at].lower())
    if kind < 4 and wrong:
        return text[:at] + wrong + text[at + 1 :]
    if kind == 5 and at + 1 in letters and text[at] != text[at + 1]:
        return text[:at] + text[at + 1] + text[at] + text[at + 2 :]
    if kind == 6:
        return text[: at + 1] + text[at:]
    return text[:at] + text[at + 1 :]


def number_slip(digits: str, kind: str, keypad: bool, word: int) -> str:
    """Make one slip of entry of a kind of ``[entry]`` in a number, drawn by a random word.

    Where a number has no place for the kind (no twin digits), one digit is wrong instead.
    """
    word, at = divmod(word, len(digits))
    before, one, after = digits[:at], digits[at], digits[at + 1 :]
    other = str((int(one) + 1 + word % 9) % 10)
    if kind == "omission":
        return before + after
    if kind == "insertion":  # a key held down, or another beside it
        return before + one + (one if word % 2 else str(word // 2 % 10)) + after
    if kind == "several":
        word, steps = divmod(word, 1000)
        for step in range(2 + steps % 2):
            place = (at + step * (1 + steps % 4)) % len(digits)
            digits = number_slip(digits, "substitution", keypad, place + len(digits) * word)
        return digits
    if kind != "substitution":
        gap = 1 if kind in ("transposition", "twin") else 2
        twins = kind in ("twin", "jump_twin")
        ends = range(gap, len(digits))
        places = [i - gap for i in ends if (digits[i - gap] == digits[i]) == twins]
        if places:
            at = places[word % len(places)]
            first, last = digits[at], digits[at + gap]
            if twins:
                first = last = str((int(first) + 1 + word // 16 % 9) % 10)
            else:
                first, last = last, first
            return digits[:at] + first + digits[at + 1 : at + gap] + last + digits[at + gap + 1 :]
    near = _KEYPAD[int(one)]
    return before + (near[word % len(near)] if keypad else other) + after
