"""``doctor``: each check on this machine, and with something missing."""

import base64
import hashlib
import importlib.metadata
import os
import re
import socket
import sys
from types import SimpleNamespace

import msgspec
import numpy as np
import pytest
import zmq

from mar_edge.cli import checks
from mar_edge.edge.errors import MarEdgeError
from mar_edge.edge.files.cache import cache_folder
from mar_edge.edge.runtime.tensorrt import bindings, targets
from mar_edge.edge.zoo.fetch import Record


def pretend_installed(monkeypatch, versions):
    def version(name):
        if name in versions:
            return versions[name]
        raise importlib.metadata.PackageNotFoundError(name)

    monkeypatch.setattr(importlib.metadata, "version", version)


def test_every_check_has_a_name_and_a_detail():
    found = checks.run_checks(read_model=lambda: "a model")
    names = [check.name for check in found]
    assert len(set(names)) == len(names)
    expected = {"python", "package", "machine", "pyav", "opencv", "opencv wheels", "pose models", "zeromq"}
    assert expected | {"onnxruntime", "model", "port"} <= set(names)
    for check in found:
        assert check.status in ("ok", "warn", "fail")
        assert check.detail
        assert check.status == "ok" or check.hint, check


def test_doctor_prints_every_check(cli):
    done = cli("doctor")
    assert (done.returncode, done.stderr) == (0, "")
    for name in ("python", "machine", "opencv", "onnxruntime", "model", "port"):
        assert re.search(rf"^(ok|warn) +{name} ", done.stdout, re.MULTILINE), done.stdout


def test_without_a_reader_there_is_no_model_check():
    assert "model" not in [check.name for check in checks.run_checks()]


def recorded(path, name="edge/models/m.onnx", mode="sha256"):
    """Return a file as RECORD of a wheel lists it: hash and place."""
    digest = base64.urlsafe_b64encode(hashlib.sha256(path.read_bytes()).digest()).rstrip(b"=").decode()
    file = importlib.metadata.PackagePath(name)
    file.hash = importlib.metadata.FileHash(f"{mode}={digest}")
    file.dist = SimpleNamespace(locate_file=lambda _: path)
    return file


def test_a_changed_file_fails(tmp_path):
    whole, damaged, gone = (tmp_path / name for name in "abc")
    for path in (whole, damaged, gone):
        path.write_bytes(b"weights" * 1000)
    files = [recorded(whole), recorded(damaged, "edge/models/m.pt"), recorded(gone, "streaming/wire/publisher.py")]
    assert checks.check_package(files).detail == "3 files, each with the SHA-256 it was installed with"
    damaged.write_bytes(b"weights" * 999 + b"Weights")
    gone.unlink()
    check = checks.check_package(files)
    assert check.status == "fail"
    assert "2 of 3 files are not as installed: edge/models/m.pt, streaming/wire/publisher.py" in check.detail


def test_without_hashes_nothing_is_compared(tmp_path):
    (tmp_path / "a").touch()
    beside = ("mar_edge.pth", "../../../bin/mar-edge", "mar_edge-0.1.0.dist-info/METADATA")
    elsewhere = [recorded(tmp_path / "a", mode="md5"), *(recorded(tmp_path / "a", name) for name in beside)]
    for files in ([], elsewhere):
        assert "folder of sources" in checks.check_package(files).detail


def test_an_old_python_fails(monkeypatch):
    monkeypatch.setattr(sys, "version_info", (3, 9, 18))
    check = checks.check_python()
    assert check.status == "fail"
    assert "3.10" in check.hint


@pytest.mark.parametrize(("gigabytes", "status"), [(0.9, "warn"), (None, "ok"), (8.0, "ok")])
def test_little_memory_is_a_warning(monkeypatch, gigabytes, status):
    monkeypatch.setattr(checks, "_memory_gb", lambda: gigabytes)
    monkeypatch.setattr(os, "sched_getaffinity", lambda pid: {0, 1}, raising=False)
    assert checks.check_machine().status == status


def test_tensorrt_is_listed_where_it_is_installed(monkeypatch):
    def refuse(*_):
        raise MarEdgeError("no GPU that CUDA can use")

    monkeypatch.setattr(bindings, "installed_flavors", list)
    assert checks.check_tensorrt() == []
    monkeypatch.setattr(bindings, "installed_flavors", lambda: ["tensorrt"])
    monkeypatch.setattr(bindings, "use_tensorrt", lambda: bindings.Bindings("tensorrt", "10.3.0", None))
    monkeypatch.setattr(targets, "this_gpu", lambda: targets.Gpu("Orin", (8, 7)))
    assert checks.check_tensorrt() == [checks.Check("tensorrt", "ok", "TensorRT 10.3.0, on Orin")]
    monkeypatch.setattr(targets, "this_gpu", refuse)
    (check,) = checks.check_tensorrt()
    assert (check.status, check.detail.endswith("none runs here: no GPU that CUDA can use")) == ("ok", True)
    monkeypatch.setattr(bindings, "use_tensorrt", refuse)
    (check,) = checks.check_tensorrt()
    assert check.status == "warn"


BUILD = """
  Video I/O:
    FFMPEG:                      YES
      avcodec:                   YES (59.37.100)
    GStreamer:                   {gstreamer}
    v4l/v4l2:                    {v4l2}
"""


def pretend_opencv(monkeypatch, **built):
    answers = {"gstreamer": "NO", "v4l2": "YES (linux/videodev2.h)"} | built
    fake = SimpleNamespace(__version__="4.11.0", getBuildInformation=lambda: BUILD.format(**answers))
    monkeypatch.setitem(sys.modules, "cv2", fake)
    monkeypatch.setattr("platform.system", lambda: "Linux")


def test_opencv_from_a_wheel_is_ok_with_a_hint_about_gstreamer(monkeypatch):
    pretend_opencv(monkeypatch)
    check = checks.check_opencv()
    assert check.status == "ok"
    assert check.detail == "4.11.0, GStreamer no, V4L2 yes"
    assert "csi://" in check.hint


def test_opencv_with_gstreamer_has_no_hint(monkeypatch):
    pretend_opencv(monkeypatch, gstreamer="YES (1.20.3)")
    assert checks.check_opencv() == checks.Check("opencv", "ok", "4.11.0, GStreamer yes, V4L2 yes")


def test_opencv_without_v4l2_is_a_warning_that_names_the_consequence(monkeypatch):
    pretend_opencv(monkeypatch, v4l2="NO")
    check = checks.check_opencv()
    assert check.status == "warn"
    assert "USB" in check.hint


def test_the_installed_opencv_is_read_correctly():
    cv2 = pytest.importorskip("cv2")
    registered = [cv2.videoio_registry.getBackendName(b) for b in cv2.videoio_registry.getBackends()]
    assert ("V4L2 yes" in checks.check_opencv().detail) == ("V4L2" in registered)


@pytest.mark.parametrize("module", ["av", "cv2", "zmq", "onnxruntime"])
def test_a_package_that_does_not_load_fails_with_a_hint(monkeypatch, module):
    monkeypatch.setitem(sys.modules, module, None)
    check = {
        "av": checks.check_pyav,
        "cv2": checks.check_opencv,
        "zmq": checks.check_zeromq,
        "onnxruntime": checks.check_runtime,
    }[module]()
    assert check.status == "fail"
    assert "pip install" in check.hint


def test_two_opencv_wheels_of_different_versions_are_a_warning(monkeypatch):
    pretend_installed(monkeypatch, {"opencv-python": "4.11.0.86", "opencv-contrib-python": "4.9.0.80"})
    check = checks.check_opencv_wheels()
    assert check.status == "warn"
    assert check.hint == "pip install opencv-python==4.9.0.80 opencv-contrib-python==4.9.0.80"


@pytest.mark.parametrize(
    "versions", [{}, {"opencv-python": "4.11.0.86"}, dict.fromkeys(("opencv-python", "opencv-contrib-python"), "4.11")]
)
def test_one_version_of_opencv_is_ok(monkeypatch, versions):
    pretend_installed(monkeypatch, versions)
    assert checks.check_opencv_wheels().status == "ok"


def test_downloaded_pose_models_with_detectors_are_listed(monkeypatch, tmp_path):
    monkeypatch.setenv("MAR_EDGE_CACHE", str(tmp_path))
    assert "comes with the package" in checks.check_pose_models().detail
    cache_folder("models").mkdir(parents=True)
    for name in ("dwpose-s", "rtmdet-nano"):
        (cache_folder("models") / f"{name}.onnx").touch()
        record = Record(name, "here", "", "", "today")
        (cache_folder("models") / f"{name}.json").write_bytes(msgspec.json.encode(record))
    assert checks.check_pose_models().detail == "dwpose-s: serve --pose dwpose-s"


def test_an_unreadable_model_fails_with_the_message_of_the_reader():
    def broken():
        raise MarEdgeError("x.onnx: no metadata")

    check = checks.check_model(broken)
    assert (check.status, check.detail) == ("fail", "x.onnx: no metadata")
    assert checks.check_model(lambda: "52 labels").detail == "52 labels"


def test_a_bug_in_the_reader_is_not_hidden():
    def bug():
        raise KeyError("layout")

    with pytest.raises(KeyError):
        checks.check_model(bug)


def test_no_camera_is_a_warning():
    (check,) = checks.check_cameras(devices=[])
    assert check.status == "warn"
    assert "demo:" in check.hint


def test_a_camera_without_permission_names_the_group(monkeypatch, tmp_path):
    device = tmp_path / "video0"
    device.touch()
    monkeypatch.setattr(os, "access", lambda path, mode: False)
    (check,) = checks.check_cameras(devices=[device])
    assert check.status == "warn"
    assert "video" in check.hint


def test_cameras_are_opened_only_when_asked(monkeypatch, tmp_path):
    device = tmp_path / "video0"
    device.touch()
    opened = []

    class Capture:
        def __init__(self, source):
            opened.append(source)

        def isOpened(self):  # noqa: N802  # OpenCV's name
            return True

        def read(self):
            return True, np.zeros((480, 640, 3), np.uint8)

        def release(self):
            opened.append("released")

    monkeypatch.setitem(sys.modules, "cv2", SimpleNamespace(VideoCapture=Capture))
    (check,) = checks.check_cameras(devices=[device])
    assert opened == []
    assert check.status == "ok"
    (check,) = checks.check_cameras(probe=True, devices=[device])
    assert opened == [str(device), "released"]
    assert "640x480" in check.detail


def test_zeromq_without_curve_is_a_warning(monkeypatch):
    assert checks.check_zeromq().status == ("ok" if zmq.has("curve") else "warn")
    monkeypatch.setattr(zmq, "has", lambda feature: False)
    check = checks.check_zeromq()
    assert check.status == "warn"
    assert "CURVE" in check.detail


def test_a_port_in_use_is_a_warning_and_a_free_one_is_left_free():
    with socket.socket() as holder:
        holder.bind(("127.0.0.1", 0))
        holder.listen()
        port = holder.getsockname()[1]
        assert checks.check_port(port).status == "warn"
    assert checks.check_port(port).status == "ok"
    assert checks.check_port(port).status == "ok"
