"""What tests share."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

REPO = Path(__file__).resolve().parents[1]

for _name, _examples in {"fast": 25, "ci": 100, "deep": 1000}.items():
    settings.register_profile(
        _name,
        max_examples=_examples,
        deadline=None,
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
        print_blob=True,
    )
settings.load_profile(os.environ.get("NSER_PMT_HYPOTHESIS", "fast"))


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """Folder of the shared data: NSER_PMT_DATA, or ../shared/data; skips when it is absent."""
    folder = Path(os.environ.get("NSER_PMT_DATA", REPO.parent / "shared" / "data"))
    if not folder.is_dir():
        pytest.skip(f"no shared data at {folder} (set NSER_PMT_DATA)")
    return folder
