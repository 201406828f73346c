"""docs/architecture.md is true: its files exist, and the loop that it points to fits on one screen."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from test_imports import ROOMS

ROOT = Path(__file__).parent.parent
TEXT = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
PATHS = sorted(set(re.findall(rf"`((?:{'|'.join(ROOMS)}|tests|benchmarks)/[\w./-]*)`", TEXT)))


def test_every_file_that_it_names_exists() -> None:
    assert len(PATHS) > 50
    assert [path for path in PATHS if not (ROOT / path).exists()] == []


@pytest.mark.parametrize("room", ROOMS)
def test_it_names_every_room(room: str) -> None:
    assert f"`{room}" in TEXT


def test_the_loop_fits_on_one_screen_and_shows_the_stages_in_order() -> None:
    loop = (ROOT / "streaming" / "stream.py").read_text(encoding="utf-8")
    assert len(loop.splitlines()) <= 120
    take = loop[loop.index("def _take") :]
    stages = ["skeletons", "windows", "probabilities", "events", "_send"]
    places = [re.search(rf"\b{stage}\b", take) for stage in stages]
    assert all(places)
    assert places == sorted(places, key=lambda found: found.start() if found else 0)
    assert " -> ".join(stages[:-1]) in TEXT
