"""``calibrate --pose``: from a video to a folder that ``--pose`` takes, or to one line that says why not."""

import cv2
import numpy as np
import pytest

from mar_edge.calibration.pose import command
from mar_edge.calibration.pose.command import PoseGuard, write_stage
from mar_edge.calibration.pose.frames import files_in, shots
from mar_edge.edge.errors import MarEdgeError
from mar_edge.edge.layout import load_layout
from mar_edge.edge.pose.choice import PoseConfig, pose_stage
from mar_edge.edge.pose.holistic.networks import NETWORKS, Networks, network_path
from mar_edge.streaming.capture.demo import DemoVideo


def silent(what, done, total):
    pass


@pytest.fixture(scope="module")
def video(tmp_path_factory):
    path = tmp_path_factory.mktemp("frames") / "demo.avi"
    demo = DemoVideo()
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"MJPG"), 10.0, demo.size)
    for frame in range(44):
        writer.write(demo.frame_at(frame / 10))
    writer.release()
    return path


@pytest.fixture(scope="module")
def written(video, tmp_path_factory):
    """Return the stage in FP16. The demo shows no hands."""
    out = tmp_path_factory.mktemp("stage") / "half"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(command, "_CROPS", 16)
        patch.setattr(command, "_FRAMES_COMPARED", 6)
        return write_stage([video], out, "fp16", PoseGuard(threads=1), silent, frames=44)


def test_the_folder_has_all_networks_and_a_report(written):
    files = {path.name for path in written.folder.iterdir()}
    assert files == {"report.md", *(f"{name}.onnx" for name in NETWORKS)}
    assert written.passed
    errors = {one.name: one.error_px for one in written.networks}
    assert errors["hand_landmark_lite"] is None
    assert 0 < errors["pose_landmark"] < 0.5
    packaged = network_path("hand_landmark_lite").read_bytes()
    assert len((written.folder / "hand_landmark_lite.onnx").read_bytes()) == len(packaged)
    report = written.report.read_text()
    assert "stays in FP32: too few crops" in report
    assert "demo.avi" in report
    assert "| head |" in report


def test_the_pose_stage_runs_on_the_folder(written):
    portrait = DemoVideo().frame_at(0.0)
    layout = load_layout("ma52")
    found = []
    for pose in ("holistic", str(written.folder)):
        with pose_stage(PoseConfig(pose, runtime="onnxruntime", threads=1))(layout) as opened:
            found.append(opened.estimate(portrait, 0.0)[0].joints)
            name = opened.name
    assert name.startswith("holistic (half) on onnxruntime")
    apart = np.linalg.norm(found[0] - found[1], axis=1)
    assert 0 < np.nanmax(apart) < 5


def test_the_guard_refuses_and_names_the_networks(video, tmp_path, monkeypatch):
    portrait = cv2.resize(DemoVideo().frame_at(0.0), (256, 256))
    crops = {"pose_landmark": [np.roll(portrait, shift, axis=1) for shift in range(16)]}
    monkeypatch.setattr(command, "collect_crops", lambda *_: crops)
    monkeypatch.setattr(command, "NETWORKS", ("pose_landmark",))
    out = tmp_path / "half"
    with pytest.raises(
        MarEdgeError, match=r"half not written: .* --max-error 1e-06 px .* pose_landmark \(0\.\d\d px\)"
    ):
        write_stage([video], out, "fp16", PoseGuard(1e-6, threads=1), silent)
    assert not out.exists()


def test_frames_without_people_are_refused(tmp_path):
    cv2.imwrite(str(tmp_path / "blank.png"), np.zeros((60, 80, 3), np.uint8))
    with pytest.raises(MarEdgeError, match="0 pictures of a person are too few to calibrate on"):
        write_stage([tmp_path], tmp_path / "out", "int8", PoseGuard(threads=1), silent)


def test_frames_come_from_all_files_of_a_folder(video, tmp_path):
    (tmp_path / "notes.txt").write_text("no picture")
    with pytest.raises(MarEdgeError, match="has no video and no picture"):
        files_in([tmp_path])
    picture = DemoVideo().frame_at(0.0)
    cv2.imwrite(str(tmp_path / "a.png"), picture)
    (tmp_path / "b.AVI").write_bytes(video.read_bytes())
    files = files_in([tmp_path])
    assert [file.name for file in files] == ["a.png", "b.AVI"]
    taken = list(shots(files, 10))
    assert [shot.first for shot in taken] == [True, True, *[False] * 8]
    np.testing.assert_array_equal(taken[0].image, picture)
    assert np.diff([shot.t_s for shot in taken[1:]]) == pytest.approx(0.1)


def test_a_folder_that_is_no_stage_is_refused(tmp_path):
    with pytest.raises(MarEdgeError, match=r"has no pose_detection\.onnx; expected the 6 networks"):
        Networks("onnxruntime", folder=tmp_path)
    for name in NETWORKS:
        (tmp_path / f"{name}.onnx").write_bytes(network_path("hand_recrop").read_bytes())
    with pytest.raises(MarEdgeError, match=r"pose_detection\.onnx is not the holistic stage's pose_detection"):
        Networks("onnxruntime", folder=tmp_path)
