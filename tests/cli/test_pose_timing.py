"""``bench --pose``: the report is checked, not the speed."""

import json

import cv2
import numpy as np
import pose_networks as networks
import pytest

from mar_edge.cli.bench_pose import bench_pose
from mar_edge.cli.pose_timing import Crowd, side_by_side, time_crowds
from mar_edge.edge.errors import MarEdgeError
from mar_edge.edge.layout import load_layout
from mar_edge.edge.pose.choice import PoseConfig
from mar_edge.edge.pose.holistic.stage import STAGES as HOLISTIC_STAGES
from mar_edge.edge.pose.topdown import DETECT_EVERY, STAGES
from mar_edge.edge.runtime.onnxruntime import OnnxRuntime
from mar_edge.streaming.capture.demo import DemoVideo


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    folder = tmp_path_factory.mktemp("pose")
    detector = networks.seeing_detector(folder / "rtmdet.onnx", list(networks.CLOTHES[:2]))
    return networks.random_simcc(folder / "pose.onnx", 26), detector


@pytest.fixture(scope="module")
def picture():
    return np.random.default_rng(0).integers(0, 255, (360, 640, 3), np.uint8)


@pytest.mark.parametrize("people", [1, 3, 12])
def test_people_are_in_the_picture_and_do_not_overlap(people):
    boxes = side_by_side(people, 640, 360)
    assert boxes.shape == (people, 4)
    assert (boxes >= 0).all()
    assert (boxes <= (640, 360, 640, 360)).all()
    assert (np.diff(boxes[:, 0]) >= 640 / 12 - 0.01).all()
    assert (boxes[:-1, 2] <= boxes[1:, 0] + 0.01).all()


def test_every_stage_is_timed_for_each_number_of_people(files, picture, monkeypatch):
    with OnnxRuntime(files[0], threads=1) as pose, OnnxRuntime(files[1], threads=1) as detector:
        crowds = [
            Crowd(pose, detector, family="rtmdet", detector_size=None, layout=load_layout("ma52"), people=people)
            for people in (1, 3)
        ]
        asked = {"pose": [], "detector": []}
        for name, runtime in (("pose", pose), ("detector", detector)):
            infer = runtime.infer

            def spied(inputs, name=name, infer=infer):
                asked[name].append(len(next(iter(inputs.values()))))
                return infer(inputs)

            monkeypatch.setattr(runtime, "infer", spied)
        told = []
        rows = time_crowds(crowds, picture, 2, lambda what, done, total: told.append((done, total)))
        monkeypatch.undo()
        seen = [len(crowd._stage.estimate(picture, 1.0)) for crowd in crowds]
    assert seen == [1, 3]  # so tracking and mapping had all of them
    assert asked["pose"] == [1, 3, 1, 1, 1] * 5  # everybody together, and three one by one; three rounds warm up
    assert asked["detector"] == [1] * 10
    assert told[-1] == (5, 5)
    assert [row.people for row in rows] == [1, 3]
    assert (rows[0].one_by_one_ms is None, rows[1].one_by_one_ms is None) == (True, False)
    for row, crowd in zip(rows, crowds, strict=True):
        assert tuple(row.stages_ms) == STAGES
        last = crowd.stages_s[3:]
        of_each = [s["crop"] + s["network"] + s["decode"] + s["track"] + s["map"] for s in last]
        of_all = [part + (s["resize"] + s["detect"]) / DETECT_EVERY for part, s in zip(of_each, last, strict=True)]
        assert row.frame_ms == pytest.approx(np.median(of_all) * 1e3)
        assert row.frame_ms <= row.frame_p95_ms


def test_bench_times_a_pose_stage(cli, files, picture, tmp_path):
    cv2.imwrite(str(tmp_path / "frame.png"), picture)
    out = tmp_path / "pose.json"
    done = cli(
        "bench", "--pose", files[0], "--detector", files[1], "--people", "2,1", "--rounds", 1, "--threads", 1,
        "--image", tmp_path / "frame.png", "--json", out,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    report = json.loads(out.read_text())
    assert (report["pose"], report["picture"]) == ("pose.onnx after rtmdet.onnx", [640, 360])
    assert [row["people"] for row in report["rows"]] == [1, 2]
    heads = done.stdout.splitlines()[2].split()
    assert heads[2:-4] == list(STAGES)
    first = done.stdout.splitlines()[3].split()
    assert float(first[heads.index("network") - len(heads)]) == pytest.approx(
        report["rows"][0]["stages_ms"]["network"], abs=0.01
    )


def test_models_and_a_pose_stage_are_not_timed_at_once(user_error, files):
    assert "not both at once" in user_error("bench", files[0], "--pose", files[0])


def test_a_file_that_is_not_a_picture_is_refused(files, tmp_path):
    def bench(options, image=None, runtimes=("auto",)):
        bench_pose(options, runtimes, [1], image, 1, 1, None)

    broken = tmp_path / "frame.png"
    broken.write_bytes(b"no picture")
    with pytest.raises(MarEdgeError, match="not a picture that OpenCV can read"):
        bench(PoseConfig(str(files[0]), str(files[1])), broken)


def test_the_holistic_stage_for_one_and_two_people(tmp_path):
    out = tmp_path / "pose.json"
    bench_pose(PoseConfig(), ["onnxruntime"], [1, 2], None, 3, 1, out)
    report = json.loads(out.read_text())
    assert (report["pose"], report["picture"]) == ("holistic", [512, 600])
    assert [row["people"] for row in report["rows"]] == [1, 2]
    for row in report["rows"]:
        assert tuple(row["stages_ms"]) == HOLISTIC_STAGES
        assert row["stages_ms"]["body"] > 0
        assert row["runtime"].startswith("holistic on onnxruntime ")


def test_people_that_the_holistic_stage_misses_are_not_timed(tmp_path, capsys):
    picture, out = tmp_path / "nobody.png", tmp_path / "pose.json"
    cv2.imwrite(str(picture), np.zeros((60, 50, 3), np.uint8))
    with pytest.raises(MarEdgeError, match="does not find 1 people in this picture"):
        bench_pose(PoseConfig(), ["onnxruntime"], [1], picture, 1, 1, None)
    cv2.imwrite(str(picture), cv2.resize(DemoVideo().frame_at(0.0), (64, 75), interpolation=cv2.INTER_AREA))
    bench_pose(PoseConfig(), ["onnxruntime"], [1, 6], picture, 1, 1, out)  # six are too small to search in parts
    assert [row["people"] for row in json.loads(out.read_text())["rows"]] == [1]
    assert "not timed: the stage does not find 6 people" in capsys.readouterr().err
