"""Checks of this machine for ``doctor``: each looks at one thing and says what it found and how to fix it.

Prints, installs and changes nothing. Opens no camera unless asked. A check catches only the errors that it expects.
"""

from __future__ import annotations

import base64
import importlib
import importlib.metadata
import os
import platform
import re
import socket
import sys
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Literal

import mar_edge
from mar_edge.edge.errors import MarEdgeError
from mar_edge.edge.files.digest import sha256_of
from mar_edge.edge.runtime.cores import usable_cores

Status = Literal["ok", "warn", "fail"]

DEFAULT_PORT = 5557
_OLDEST_PYTHON = (3, 10)
_TIGHT_MEMORY_GB = 1.5
_OPENCV_WHEELS = (
    "opencv-python",
    "opencv-contrib-python",
    "opencv-python-headless",
    "opencv-contrib-python-headless",
)


@dataclass(frozen=True)
class Check:
    """One finding. ``hint`` says how to fix it; it is empty where nothing is wrong."""

    name: str
    status: Status
    detail: str
    hint: str = ""


def run_checks(
    probe_cameras: bool = False, read_model: Callable[[], str] | None = None, port: int = DEFAULT_PORT
) -> list[Check]:
    """Run all checks, in the order in which problems are best fixed.

    Args:
        probe_cameras: also open each camera for a frame; its light turns on.
        read_model: reads the default model and describes it in a line; raises MarEdgeError if it cannot.
        port: where ``serve`` would publish, on the loopback address.
    """
    checks = [check_python(), check_package(), check_machine(), check_pyav(), check_opencv(), check_opencv_wheels()]
    checks += [check_pose_models(), check_runtime(), *check_tensorrt(), *check_tensorrt_rtx_plugin()]
    if read_model is not None:
        checks.append(check_model(read_model))
    checks += check_cameras(probe=probe_cameras)
    checks += [check_zeromq(), check_port(port), *check_lsl()]
    return checks


def check_python() -> Check:
    """Check the version of Python."""
    found = f"Python {platform.python_version()}, mar-edge {mar_edge.__version__}"
    if sys.version_info < _OLDEST_PYTHON:
        return Check("python", "fail", found, "mar-edge needs Python 3.10 or newer")
    return Check("python", "ok", found)


def check_package(recorded: Iterable[importlib.metadata.PackagePath] | None = None) -> Check:
    """Compare the installed files, models included, with the hashes that pip recorded."""
    if recorded is None:
        try:
            recorded = importlib.metadata.files("mar-edge") or ()
        except importlib.metadata.PackageNotFoundError:
            recorded = ()
    ours = [
        (file, file.hash.value)
        for file in recorded
        if _is_ours(file) and file.hash is not None and file.hash.mode == "sha256"
    ]
    if not ours:
        return Check("package", "ok", "runs from a folder of sources; there are no hashes to compare with")
    changed = [str(file) for file, stated in ours if _sha256_as_recorded(Path(str(file.locate()))) != stated]
    if changed:
        more = f" and {len(changed) - 3} more" if len(changed) > 3 else ""
        found = f"{len(changed)} of {len(ours)} files are not as installed: {', '.join(changed[:3])}{more}"
        return Check("package", "fail", found, "pip install --force-reinstall --no-deps mar-edge, from where it came")
    return Check("package", "ok", f"{len(ours)} files, each with the SHA-256 it was installed with")


def check_machine() -> Check:
    """Check the cores that this process may use, and the memory."""
    cores = usable_cores()
    detail = f"{platform.system()} {platform.machine()}, {cores} CPU core{'s' if cores > 1 else ''}"
    memory_gb = _memory_gb()
    if memory_gb is not None:
        detail += f", {memory_gb:.1f} GB memory"
        if memory_gb < _TIGHT_MEMORY_GB:
            return Check("machine", "warn", detail, "pose and network together take about 0.6 GB; close other programs")
    if cores == 1:
        return Check(
            "machine", "warn", detail, "one core does not keep up with 30 frames per second; frames are dropped"
        )
    return Check("machine", "ok", detail)


def check_pyav() -> Check:
    """Check PyAV, which reads video files and network streams with the FFmpeg of its wheel."""
    try:
        av = importlib.import_module("av")
    except ImportError as error:
        return Check("pyav", "fail", f"cannot be loaded: {error}", "pip install --force-reinstall av")
    major, minor, _ = av.library_versions["libavformat"]
    return Check(
        "pyav", "ok", f"{av.__version__}, libavformat {major}.{minor}: video files, rtsp:// and http:// sources"
    )


def check_opencv() -> Check:
    """Check OpenCV, and which camera backends it was built with."""
    try:
        cv2 = importlib.import_module("cv2")
    except ImportError as error:
        return Check(
            "opencv",
            "fail",
            f"cannot be loaded: {error}",
            "pip install opencv-python; where libGL is missing: apt-get install libgl1",
        )
    wanted = {"GStreamer": "GStreamer"}
    if platform.system() == "Linux":
        wanted["V4L2"] = "v4l/v4l2"
    build = _built_with(cv2.getBuildInformation())
    has = {name: build.get(key, False) for name, key in wanted.items()}
    detail = f"{cv2.__version__}, " + ", ".join(f"{name} {'yes' if there else 'no'}" for name, there in has.items())
    if not has.get("V4L2", True):
        return Check("opencv", "warn", detail, "without V4L2 no USB cameras: pip install opencv-python")
    if not has["GStreamer"]:
        return Check(
            "opencv",
            "ok",
            detail,
            "csi:// cameras and GStreamer pipelines need an OpenCV built with it, such as JetPack's: use a virtual "
            "environment with --system-site-packages, without opencv-python in it",
        )
    return Check("opencv", "ok", detail)


def check_opencv_wheels() -> Check:
    """Check that the OpenCV wheels have one version: they share a folder, so two versions would mix."""
    wheels = {name: version for name in _OPENCV_WHEELS if (version := _version_of(name)) is not None}
    detail = ", ".join(f"{name} {version}" for name, version in wheels.items()) or "none (the system's OpenCV)"
    if len(set(wheels.values())) > 1:
        version = min(wheels.values(), key=_as_numbers)
        together = " ".join(f"{name}=={version}" for name in wheels)
        return Check("opencv wheels", "warn", f"{detail}: of different versions", f"pip install {together}")
    return Check("opencv wheels", "ok", detail)


def check_pose_models() -> Check:
    """List the known pose models that are downloaded with their detectors; their files are not opened."""
    ready = _ready_pose_models()
    if not ready:
        return Check("pose models", "ok", "none downloaded; --pose holistic, the default, comes with the package")
    return Check("pose models", "ok", f"{', '.join(ready)}: serve --pose {ready[0]}")


def check_runtime() -> Check:
    """Check ONNX Runtime, which runs the recognizer, and list its devices."""
    try:
        onnxruntime = importlib.import_module("onnxruntime")
    except ImportError as error:
        return Check("onnxruntime", "fail", f"cannot be loaded: {error}", "pip install onnxruntime")
    providers = ", ".join(name.removesuffix("ExecutionProvider") for name in onnxruntime.get_available_providers())
    takes = "CUDA where it can be started, else the CPU" if "CUDA" in providers else "the CPU"
    return Check("onnxruntime", "ok", f"{onnxruntime.__version__} with {providers}; serve uses {takes}")


def check_tensorrt() -> list[Check]:
    """Check TensorRT, if it is installed, and its GPU."""
    from mar_edge.edge.runtime.tensorrt.bindings import installed_flavors, use_tensorrt
    from mar_edge.edge.runtime.tensorrt.targets import this_gpu

    if not installed_flavors():
        return []
    try:
        title = use_tensorrt().title
    except MarEdgeError as error:
        return [Check("tensorrt", "warn", str(error), "serve runs without it; or fix it as the message says")]
    try:
        return [Check("tensorrt", "ok", f"{title}, on {this_gpu().name}")]
    except MarEdgeError as error:
        return [Check("tensorrt", "ok", f"{title}, to build engines with; none runs here: {error}")]


def check_tensorrt_rtx_plugin() -> list[Check]:
    """Check ONNX Runtime's plugin of TensorRT for RTX, if it is installed, and its GPUs."""
    from mar_edge.edge.runtime.providers.tensorrt_rtx import PACKAGE, rtx_plugin

    if find_spec(PACKAGE) is None:
        return []
    name, hint = "tensorrt-rtx plugin", "only --runtime onnxruntime-tensorrt-rtx needs it"
    try:
        plugin, gpus = rtx_plugin()
    except MarEdgeError as error:
        return [Check(name, "warn", str(error), hint)]
    found = f"{plugin.__version__}, {len(gpus)} GPU{'' if len(gpus) == 1 else 's'} that it takes"
    return [Check(name, "ok" if gpus else "warn", found, "" if gpus else hint)]


def check_model(read_model: Callable[[], str]) -> Check:
    """Check the default model with ``read_model``."""
    try:
        return Check("model", "ok", read_model())
    except MarEdgeError as error:
        return Check("model", "fail", str(error), "name another with --model, or reinstall mar-edge")


def check_cameras(probe: bool = False, devices: Iterable[Path] | None = None) -> list[Check]:
    """Check the video devices. Only on Linux are they files; elsewhere they must be opened to be found."""
    if devices is None:
        if platform.system() != "Linux":
            return [_probed("camera 0", 0)] if probe else []
        devices = sorted(Path("/dev").glob("video*"), key=lambda path: (len(path.name), path.name))
    checks = []
    for device in devices:
        if not os.access(device, os.R_OK | os.W_OK):
            hint = "sudo usermod -aG video $USER, then log in again; in a container: --device and --group-add video"
            checks.append(Check(f"camera {device}", "warn", "no permission to read it", hint))
        elif probe:
            checks.append(_probed(f"camera {device}", str(device)))
        else:
            checks.append(Check(f"camera {device}", "ok", "readable (not opened)"))
    if not checks:
        hint = "plug one in, or try: mar-edge serve --camera demo:"
        return [Check("cameras", "warn", "no /dev/video* on this machine", hint)]
    return checks


def check_zeromq() -> Check:
    """Check ZeroMQ, and its encryption."""
    try:
        zmq = importlib.import_module("zmq")
    except ImportError as error:
        return Check("zeromq", "fail", f"cannot be loaded: {error}", "pip install pyzmq")
    detail = f"libzmq {zmq.zmq_version()}, pyzmq {zmq.__version__}"
    if not zmq.has("curve"):
        hint = "pip install --only-binary :all: pyzmq; until then publish on the loopback address only"
        return Check("zeromq", "warn", f"{detail}, built without CURVE: no encryption", hint)
    return Check("zeromq", "ok", f"{detail}, with CURVE")


def check_port(port: int) -> Check:
    """Check that the default endpoint is free."""
    endpoint = f"tcp://127.0.0.1:{port}"
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        if platform.system() != "Windows":  # where this option would let two programs share the port
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError as error:
            hint = "another mar-edge may be serving: stop it, or choose another endpoint with --bind"
            return Check("port", "warn", f"{endpoint} cannot be bound: {error.strerror}", hint)
    return Check("port", "ok", f"{endpoint} is free")


def check_lsl() -> list[Check]:
    """Check LSL, if it is installed: whether a sample goes from an outlet to an inlet of this machine."""
    from mar_edge.streaming.lsl.library import describe_lsl

    if find_spec("pylsl") is None:
        return []
    try:
        return [Check("lsl", "ok", describe_lsl())]
    except MarEdgeError as error:
        return [Check("lsl", "warn", str(error), "only serve --lsl and --lsl-markers need it")]


def _built_with(build_information: str) -> dict[str, bool]:
    """Return which parts of OpenCV's build report say YES, by the name before the colon."""
    lines = re.findall(r"^\s*([\w/]+):\s+(YES|NO)\b", build_information, re.MULTILINE)
    return {name: answer == "YES" for name, answer in lines}


def _ready_pose_models() -> list[str]:
    """Return the names of the known pose models that are in the cache together with their detectors."""
    from mar_edge.edge.zoo.catalog import known_model, known_models
    from mar_edge.edge.zoo.fetch import cached

    return [
        model.name
        for model in known_models().values()
        if model.kind == "pose" and cached(model) and cached(known_model(model.detector))
    ]


def _probed(name: str, source: str | int) -> Check:
    cv2 = importlib.import_module("cv2")
    capture = cv2.VideoCapture(source)
    try:
        seen, image = capture.read() if capture.isOpened() else (False, None)
    finally:
        capture.release()
    if not seen or image is None:
        return Check(
            name, "warn", "opened, but gives no picture", "another program may use it, or no camera is attached"
        )
    H, W, _ = image.shape
    return Check(name, "ok", f"gives {W}x{H} pictures")


def _is_ours(file: importlib.metadata.PackagePath) -> bool:
    """Return whether a file belongs to the package, unlike scripts and the records of pip."""
    return len(file.parts) > 1 and file.parts[0] != ".." and not file.parts[0].endswith(".dist-info")


def _sha256_as_recorded(path: Path) -> str:
    """Return the SHA-256 as RECORD of a wheel writes it; an empty text if the file cannot be read."""
    try:
        digest = bytes.fromhex(sha256_of(path))
    except OSError:
        return ""
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()


def _version_of(distribution: str) -> str | None:
    try:
        return importlib.metadata.version(distribution)
    except importlib.metadata.PackageNotFoundError:
        return None


def _as_numbers(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in re.findall(r"\d+", version))


def _memory_gb() -> float | None:
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 1e9
    except (AttributeError, ValueError, OSError):  # Windows has no sysconf, others may lack the names
        return None
