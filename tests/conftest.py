"""Fixtures of all tests. Tensors here are tiny: one thread each is fastest, and exact."""

from __future__ import annotations

import logging
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from kept import Kept

if TYPE_CHECKING:
    from networks import Exported, ExportedManet

os.environ.setdefault("OMP_NUM_THREADS", "1")  # before anything imports torch; subprocesses inherit it

# The Lab Streaming Layer of this process and those that it starts: on this machine, and in a session of their own.
LSL_CONFIG = f"""\
[lab]
KnownPeers = {{127.0.0.1}}
SessionID = tests{os.getpid()}
[multicast]
ResolveScope = machine
[log]
level = -2
"""

SHARED = Path(os.environ.get("MAR_EDGE_SHARED", Path(__file__).parents[2] / "shared"))


def pytest_configure(config: pytest.Config) -> None:
    # A shell makes a job in the background ignore Ctrl-C, and processes that tests start would inherit that.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    folder = tempfile.TemporaryDirectory()
    config.add_cleanup(folder.cleanup)
    path = Path(folder.name) / "lsl_api.cfg"
    path.write_text(LSL_CONFIG)
    os.environ["LSLAPICFG"] = str(path)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with the files that hold slow tests: no worker is left with one of them at the end."""
    slow = {item.path for item in items if item.get_closest_marker("slow")}
    items.sort(key=lambda item: item.path not in slow)


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


@pytest.fixture
def command_line(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str], tmp_path: Path
) -> Callable[[list[str]], str]:
    """Call ``mar-edge`` in this process, up to the point at which a command begins its work. Return its error."""
    import typer

    from mar_edge.cli.main import main

    shutil.copy(Path(__file__).parents[1] / "deploy" / "mar-edge.toml", tmp_path)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(typer.core.TyperCommand, "invoke", lambda *_: 0)

    def call(arguments: list[str]) -> str:
        monkeypatch.setattr(sys, "argv", ["mar-edge", *arguments])
        with pytest.raises(SystemExit) as ended:
            main()
        said = capfd.readouterr().err
        return "" if ended.value.code == 0 else said

    return call


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


@pytest.fixture
def here(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Iterator[Cli]:
    """Return a function that runs ``mar-edge`` in this process: a new one costs half a second or more."""
    from mar_edge.cli.main import main

    # It takes the process's own standard error.
    monkeypatch.setattr("mar_edge.streaming.operations.logs.set_up_logs", lambda: None)
    logger = logging.getLogger("mar_edge")
    before = logger.handlers[:], logger.level, logger.propagate

    def run(*arguments: object) -> subprocess.CompletedProcess[str]:
        capsys.readouterr()
        monkeypatch.setattr(sys, "argv", ["mar-edge", *map(str, arguments)])
        with pytest.raises(SystemExit) as exit:
            main()
        out, err = capsys.readouterr()
        return subprocess.CompletedProcess(sys.argv, exit.value.code, out, err)

    yield run
    logger.handlers[:], logger.level, logger.propagate = before


@pytest.fixture(scope="session")
def kept(request: pytest.FixtureRequest) -> Kept:
    """Keep results that take long to compute between runs."""
    return Kept(request.config.cache.mkdir("kept"))


@pytest.fixture(scope="session")
def kept_conversions(kept: Kept) -> Iterator[None]:
    """Convert a network to ONNX only if no run did before."""
    import conversions

    from mar_edge.export import onnx_file

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(onnx_file, "to_onnx", conversions.keep(onnx_file.to_onnx, kept))
        yield


@pytest.fixture(scope="session")
def ma52_model(tmp_path_factory: pytest.TempPathFactory, kept_conversions: None) -> Exported:
    """Return a joint network of our own kind, motion encoding, 44 joints."""
    import networks

    from mar_edge.edge.layout import load_layout
    from mar_edge.edge.network.checkpoint import save_checkpoint
    from mar_edge.export.command import export_model

    folder = tmp_path_factory.mktemp("ma52")
    network = networks.golden(networks.MA52)
    source = folder / "joint.pt"
    save_checkpoint(source, network, networks.info("joint"))
    model = folder / "new" / "model.onnx"
    export_model(source, None, layout_name="ma52", stream="joint", out=model)
    return networks.Exported(model, (source,), (("joint", network),), load_layout("ma52"))


@pytest.fixture(scope="session")
def imigue_model(tmp_path_factory: pytest.TempPathFactory, kept_conversions: None) -> Exported:
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


@pytest.fixture(scope="session")
def manet_model(tmp_path_factory: pytest.TempPathFactory, kept_conversions: None) -> ExportedManet:
    """Return a tiny network of pictures, of the full input size."""
    import networks

    from mar_edge.edge.network.checkpoint import save_checkpoint
    from mar_edge.export.command import export_model

    folder = tmp_path_factory.mktemp("manet")
    network = networks.golden_manet(networks.MANET)
    source = folder / "best.pt"
    save_checkpoint(source, network, networks.MANET_INFO)
    model = folder / "model.onnx"
    export_model(source, None, layout_name="ma52", stream="joint", out=model)
    return networks.ExportedManet(model, source, network)


@pytest.fixture(scope="session")
def pair_model(tmp_path_factory: pytest.TempPathFactory, kept_conversions: None) -> Exported:
    """Return a joint and a bone network of our own kind in one file."""
    import networks

    from mar_edge.edge.layout import load_layout
    from mar_edge.edge.network.checkpoint import save_checkpoint
    from mar_edge.export.command import export_model

    folder = tmp_path_factory.mktemp("pair")
    pair = (("joint", networks.golden(networks.MA52)), ("bone", networks.golden(networks.MA52, 1000)))
    sources = tuple(folder / f"{stream}.pt" for stream, _ in pair)
    for source, (stream, network) in zip(sources, pair, strict=True):
        save_checkpoint(source, network, networks.info(stream))
    model = folder / "model.onnx"
    export_model(*sources, layout_name="ma52", stream="both", out=model)
    return networks.Exported(model, sources, pair, load_layout("ma52"))


@pytest.fixture(scope="module")
def chromium() -> Iterator[Any]:
    """Start a headless Chromium."""
    from browser import CHROMIUM

    if CHROMIUM is None:
        pytest.skip("Chromium is not installed: apt-get install chromium")
    playwright = pytest.importorskip("playwright.sync_api")
    with playwright.sync_playwright() as started:
        # Root cannot use the sandbox.
        arguments = ["--no-sandbox"] if os.geteuid() == 0 else []
        try:
            browser = started.chromium.launch(executable_path=CHROMIUM, args=arguments)
        except playwright.Error as error:
            pytest.skip(f"{CHROMIUM} does not start: {error.message.splitlines()[0]}")
        yield browser
        browser.close()
