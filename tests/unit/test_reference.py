"""The reference of `make docs` names everything that is public, on a page by job."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import nser_pmt as nser

DOCS = Path(__file__).parents[2] / "docs"
PAGES = "\n".join(page.read_text(encoding="utf-8") for page in (DOCS / "reference").glob("*.md"))
NAMED = re.findall(r"^\.\. auto\w+:: nser_pmt\.(\w+)$", PAGES, re.MULTILINE)


def test_every_public_name_is_there_once() -> None:
    assert sorted(NAMED) == sorted([*nser.__all__, "plots", "errors"])


@pytest.mark.parametrize("page", sorted(DOCS.rglob("*.md")), ids=lambda page: page.stem)
def test_links_between_pages_lead_somewhere(page: Path) -> None:
    text = re.sub(r"```.*?```", "", page.read_text(encoding="utf-8"), flags=re.DOTALL)
    for target in re.findall(r"\]\(([^)#\s]+)[^)]*\)", text):
        if not target.startswith("http"):
            assert (page.parent / target).exists(), f"{page.name}: {target}"
