"""Fixtures of all tests. Tensors here are tiny: one thread each is fastest, and exact."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from networks import Exported

os.environ.setdefault("OMP_NUM_THREADS", "1")  # before anything imports torch; subprocesses inherit it

SHARED = Path(os.environ.get("MAR_EDGE_SHARED", Path(__file__).parents[2] / "shared"))


@pytest.fixture(scope="session")
def data() -> Path:
    """Return the folder of small files of measured numbers (tests/data/README.md)."""
    return Path(__file__).parent / "data"


@pytest.fixture(scope="session")
def shared() -> Callable[[str], Path]:
    """Return a function that gives the path of a file in the folder next to the project; skip if it is missing."""

    def path(name: str) -> Path:
        if not (SHARED / name).exists():
            pytest.skip(f"missing: {SHARED / name}; MAR_EDGE_SHARED names the folder")
        return SHARED / name

    return path


Cli = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture(scope="session")
def cli() -> Cli:
    """Return a function that runs ``mar-edge`` with its arguments, in a new process."""

    def run(*arguments: object, python: tuple[str, ...] = ()) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, *python, "-m", "mar_edge", *map(str, arguments)]
        return subprocess.run(
            command, capture_output=True, text=True, timeout=200, check=False, stdin=subprocess.DEVNULL
        )

    return run


@pytest.fixture(scope="session")
def ma52_model(tmp_path_factory: pytest.TempPathFactory, cli: Cli) -> Exported:
    """Return a joint network of our own kind, motion encoding, 44 joints, written by ``mar-edge export``."""
    import networks

    from mar_edge.edge.layout import load_layout
    from mar_edge.edge.network.checkpoint import save_checkpoint

    folder = tmp_path_factory.mktemp("ma52")
    network = networks.golden(networks.MA52)
    source = folder / "joint.pt"
    save_checkpoint(source, network, networks.info("joint"))
    model = folder / "new" / "model.onnx"
    done = cli("export", source, "--out", model)
    assert (done.returncode, done.stderr) == (0, ""), done.stderr
    return networks.Exported(model, (source,), (("joint", network),), load_layout("ma52"), done.stdout)


@pytest.fixture(scope="session")
def imigue_model(tmp_path_factory: pytest.TempPathFactory) -> Exported:
    """Return a bone network of the authors' kind: raw encoding, 22 joints, a flat state_dict."""
    import networks

    from mar_edge.edge.layout import load_layout
    from mar_edge.export.command import export_model

    folder = tmp_path_factory.mktemp("imigue")
    network = networks.golden(networks.IMIGUE)
    source = networks.save_state_dict(folder / "weights.pt", network, "module.")
    model = folder / "model.onnx"
    export_model(source, None, layout_name="imigue", stream="bone", out=model)
    return networks.Exported(model, (source,), (("bone", network),), load_layout("imigue"))
