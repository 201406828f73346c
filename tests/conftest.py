"""What all tests share. Tensors here are tiny: one thread each is fastest, on a loaded machine by far, and exact."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest

os.environ.setdefault("OMP_NUM_THREADS", "1")  # before anything imports torch; subprocesses inherit it

SHARED = Path(os.environ.get("MAR_EDGE_SHARED", Path(__file__).parents[2] / "shared"))


@pytest.fixture(scope="session")
def data() -> Path:
    """Small files of measured numbers (tests/data/README.md)."""
    return Path(__file__).parent / "data"


@pytest.fixture(scope="session")
def shared() -> Callable[[str], Path]:
    """The path of a file that stands beside the project, never in it; skips the test where it is not at hand."""

    def path(name: str) -> Path:
        if not (SHARED / name).exists():
            pytest.skip(f"not at hand: {SHARED / name}; MAR_EDGE_SHARED says where it is")
        return SHARED / name

    return path
