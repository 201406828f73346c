"""The choice of TensorRT, and our calls against the signatures of every version (``tests/data/tensorrt``)."""

import subprocess
import sys
from pathlib import Path

import pytest

from mar_edge.edge.errors import MarEdgeError, MissingExtra
from mar_edge.edge.runtime.tensorrt import bindings
from mar_edge.edge.runtime.tensorrt.bindings import use_tensorrt

ROOM = Path("mar_edge/edge/runtime/tensorrt")
OURS = ["mar_edge/edge/errors.py", "mar_edge/edge/progress.py", str(ROOM / "device" / "base.py")]
WRONG = """
from mar_edge.edge.runtime.tensorrt.bindings import trt

def wrong(runtime: trt.Runtime, context: trt.IExecutionContext) -> None:
    context.execute_async_v3("stream")
    context.execute_async_v4(0)
    print(trt.DataType.FLOUT)
"""


@pytest.fixture(scope="module")
def cache(tmp_path_factory):
    return tmp_path_factory.mktemp("mypy")


@pytest.mark.parametrize("version", ["10.3", "10.16", "11.4", "rtx"])
def test_our_calls_fit_the_signatures(data, cache, tmp_path, version):
    (tmp_path / "wrong.py").write_text(WRONG)
    command = [sys.executable, "-m", "mypy", "--strict", "--follow-imports=skip", "--no-warn-unused-ignores"]
    # Only these calls are checked here; mypy's own run checks the rest.
    command += ["--disable-error-code=no-any-return", "--allow-subclassing-any", "--allow-any-generics"]
    command += ["--allow-untyped-decorators", "--config-file=", f"--cache-dir={cache}", "--no-error-summary"]
    root = data.parents[1]
    environment = {"MYPYPATH": str(data / "tensorrt" / version), "PATH": "/usr/bin:/bin"}
    files = [*OURS, *map(str, sorted((root / ROOM).glob("*.py"))), str(tmp_path / "wrong.py")]
    done = subprocess.run(
        [*command, *files], capture_output=True, text=True, cwd=root, env=environment, check=False, timeout=200
    )
    errors = [line for line in done.stdout.splitlines() if ": error: " in line]
    # The deliberate errors are found, so the signatures were read, and there are no others.
    assert [line for line in errors if "wrong.py" not in line] == [], done.stdout + done.stderr
    assert len(errors) == 3, done.stdout + done.stderr


def test_a_missing_package_is_an_error_with_the_command(monkeypatch):
    monkeypatch.setattr(bindings, "find_spec", lambda name: None)
    monkeypatch.setattr(bindings._chosen, "flavor", None)
    with pytest.raises(MissingExtra, match=r"tensorrt is not installed; .*pip install 'mar-edge\[tensorrt\]'"):
        use_tensorrt()
    with pytest.raises(MissingExtra, match=r"pip install 'mar-edge\[tensorrt-rtx\]'"):
        use_tensorrt("tensorrt_rtx")


def test_bindings_without_their_libraries_are_an_error_of_one_line(monkeypatch):
    def load(name):
        raise ImportError("libnvinfer.so.10: cannot open shared object file: No such file or directory")

    monkeypatch.setattr(bindings, "find_spec", lambda name: name)
    monkeypatch.setattr(bindings._chosen, "flavor", None)
    monkeypatch.setattr(bindings.importlib, "import_module", load)
    with pytest.raises(MarEdgeError, match=r"^TensorRT is installed but cannot be loaded: libnvinfer\.so\.10"):
        use_tensorrt()


def test_a_process_uses_only_one_of_the_two(monkeypatch):
    monkeypatch.setattr(bindings, "find_spec", lambda name: name)
    monkeypatch.setattr(bindings._chosen, "flavor", "tensorrt")
    with pytest.raises(MarEdgeError, match="already uses TensorRT; use TensorRT for RTX in another process"):
        use_tensorrt("tensorrt_rtx")


def test_members_that_only_rtx_has():
    rtx = pytest.importorskip("tensorrt_rtx", reason="TensorRT for RTX has no wheel for this machine")
    assert {"SM86", "SM89"} <= set(rtx.ComputeCapability.__members__)
    assert hasattr(rtx.BuilderFlag, "REQUIRE_USER_ALLOCATION")
    assert hasattr(rtx.DynamicShapesKernelSpecializationStrategy, "EAGER")
    config = rtx.IRuntimeConfig
    assert hasattr(config, "dynamic_shapes_kernel_specialization_strategy")
    assert hasattr(config, "set_execution_context_allocation_strategy")
    assert hasattr(rtx.ICudaEngine, "create_runtime_config")
