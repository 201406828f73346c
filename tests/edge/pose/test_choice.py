"""Which pose stage options ask for: families by name, files, and what does not go together."""

import pose_networks as networks
import pytest

from mar_edge.edge.errors import MarEdgeError
from mar_edge.edge.layout import load_layout
from mar_edge.edge.pose.choice import PoseConfig, pose_stage


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    return networks.seeing_files(tmp_path_factory.mktemp("pose"))


def test_options_that_do_not_go_together(files):
    pose, detector = map(str, files)
    for options, message in (
        (PoseConfig(detector=detector), "--pose holistic has its own detector"),
        (PoseConfig(people=0), "--people must be at least 1"),
        (PoseConfig(pose, detector=f"rtmdet:{detector}", smooth="as-mediapipe"), "goes with --pose holistic"),
        (PoseConfig(pose, detector=detector), "which kind of detector is detector.onnx"),
        (PoseConfig(pose, detector=f"rtmdet:{detector}", focus="0,0,3"), "focus is"),
        (PoseConfig(pose, detector=f"rtmdet:{detector}", people=0), "--people must be at least 1"),
        (PoseConfig("rtmw-xxl"), "no pose model 'rtmw-xxl'"),
        (PoseConfig("nowhere.onnx"), "no pose model at nowhere.onnx"),
        (PoseConfig(pose, detector="nowhere.onnx"), "no detector model at nowhere.onnx"),
        (PoseConfig(pose, detector="rtmw-m"), "no detector 'rtmw-m'"),
    ):
        with pytest.raises(MarEdgeError, match=message):
            pose_stage(options)


def test_the_detectors_kind_is_in_its_name(files, tmp_path):
    pose, detector = files
    named = tmp_path / "my_rtmdet_tiny.onnx"
    named.write_bytes(detector.read_bytes())
    with pose_stage(PoseConfig(str(pose), detector=str(named)))(load_layout("ma52")) as opened:
        assert opened.name.startswith("pose.onnx after my_rtmdet_tiny.onnx on ")


def test_a_pose_model_that_cannot_fill_the_layout(files):
    pose, detector = files
    with pytest.raises(MarEdgeError, match="26 keypoints cannot fill the layout imigue: it has no right_thumb_tip"):
        pose_stage(PoseConfig(str(pose), detector=f"rtmdet:{detector}"))(load_layout("imigue"))


def test_a_rtmw_file_scores_ten(files, tmp_path):
    _, detector = files
    rtmw = networks.seeing_simcc(tmp_path / "RTMW.onnx")
    options = PoseConfig(str(rtmw), detector=f"rtmdet:{detector}")
    with pose_stage(options)(load_layout("ma52")) as opened:
        assert opened._network._full_score == 10.0
