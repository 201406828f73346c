"""The whole pose stage on networks that find people drawn as dots, whose positions the test knows."""

import numpy as np
import pose_networks as networks
import pytest

from mar_edge.edge.errors import MarEdgeError
from mar_edge.edge.layout import load_layout
from mar_edge.edge.pose.focus import Focus
from mar_edge.edge.pose.mapping import mapping_to
from mar_edge.edge.pose.topdown import TopDownPose

MA52 = load_layout("ma52")
SIZE = (720, 640)  # width, height


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    folder = tmp_path_factory.mktemp("pose")
    detector = networks.seeing_detector(folder / "detector.onnx", list(networks.CLOTHES))
    return networks.seeing_simcc(folder / "pose.onnx"), detector


@pytest.fixture(scope="module")
def whole_body_files(files):
    return networks.seeing_simcc(files[0].with_name("whole_body.onnx"), 133), files[1]


@pytest.fixture
def opened(files):
    def open_pose(layout=MA52, files=files, **options):
        return TopDownPose.open(*files, "rtmdet", layout, threads=1, **options)

    return open_pose


def person(x, y, height=260.0, points=26):
    """Return (K, 2) keypoints near a grid, far enough apart that no dot hides another."""
    rng = np.random.default_rng(5)
    columns = 4 if points == 26 else 7
    rows = -(-points // columns)
    grid = np.stack(np.meshgrid(np.arange(columns), np.arange(rows)), axis=-1).reshape(-1, 2)[:points]
    places = rng.permutation(grid) * (height / 3 / (columns - 1), height / (rows - 1))
    return (places + rng.uniform(0, 2, (points, 2)) + (x, y)).astype(np.float32)


def picture(*people):
    image = np.full((SIZE[1], SIZE[0], 3), networks.BACKGROUND, np.uint8)
    for keypoints, clothes in zip(people, networks.CLOTHES, strict=False):
        if keypoints is not None:
            networks.draw(image, keypoints, clothes)
    return image


def joints_of(keypoints, layout=MA52):
    return mapping_to(layout, len(keypoints))(np.column_stack([keypoints, np.ones(len(keypoints), np.float32)]))[0]


def test_joints_are_where_they_were_drawn(opened):
    left, right = person(60, 100), person(400, 150, 300)
    with opened() as pose:
        for frame in range(3):
            found = pose.estimate(picture(left, right), frame / 30)
    assert [one.person for one in found] == [0, 1]
    for one, truth in zip(found, (right, left), strict=True):  # the larger first
        off = np.linalg.norm(one.joints - joints_of(truth), axis=1)
        assert np.isfinite(off).sum() == 32  # all but fingers and mouth
        assert np.nanmax(off) < 1.5  # half a pixel of a crop
        assert (one.scores[np.isfinite(off)] > 0.3).all()
        assert one.joints.dtype == one.scores.dtype == np.float32


@pytest.mark.parametrize("layout", ["ma52", "imigue"])
def test_a_whole_body_model_fills_either_layout(opened, whole_body_files, layout):
    truth = person(100, 40, 560, points=133)
    with opened(load_layout(layout), files=whole_body_files, min_score=0.02) as pose:
        for frame in range(3):
            (found, *others) = pose.estimate(picture(truth), frame / 30) or [None]
    assert not others
    off = np.linalg.norm(found.joints - joints_of(truth, load_layout(layout)), axis=1)
    assert off.max() < 5.0  # a pixel of a crop, whose person is 560 px tall
    assert np.median(off) < 2.0


def test_all_people_share_one_inference(opened, monkeypatch):
    people = person(20, 100), person(260, 150), person(500, 90)
    with opened() as pose:
        batches = []
        infer = pose._network.infer
        monkeypatch.setattr(pose._network, "infer", lambda batch: batches.append(len(batch)) or infer(batch))
        for frame in range(6):
            pose.estimate(picture(*people), frame / 30)
    assert batches == [3] * 6
    assert pose.detections == 2  # the first frame and the sixth


def test_people_keep_their_ids_when_one_leaves_and_comes_back(opened):
    with opened() as pose:
        seen = []
        for frame in range(40):
            left, right = person(60 + 2 * frame, 100), person(430 - frame, 150)
            there = frame < 12 or frame >= 30  # 0.6 s away
            seen.append([one.person for one in pose.estimate(picture(left, right if there else None), frame / 30)])
    assert all(sorted(ids) == [0, 1] for ids in seen[2:12])
    assert seen[13] in ([0], [1])
    assert seen[13:30] == [seen[13]] * 17
    assert all(sorted(ids) == [0, 1] for ids in seen[31:])


def test_an_empty_picture_gives_an_empty_list_and_is_searched_every_frame(opened):
    with opened() as pose:
        assert [pose.estimate(picture(), frame / 30) for frame in range(4)] == [[]] * 4
        assert pose.detections == 4


def test_joints_outside_the_picture_are_missing(opened):
    with opened() as pose:
        for frame in range(3):
            found = pose.estimate(picture(person(-25, 100)), frame / 30)
    truth = joints_of(person(-25, 100))
    outside = truth[:, 0] < -4
    assert outside.any()
    assert np.isnan(found[0].joints[outside]).all()
    assert np.isfinite(found[0].joints[truth[:, 0] > 4]).all()


@pytest.mark.parametrize(
    ("focus", "expected"),
    [
        (Focus(people=2), {0, 1}),
        (Focus(largest=True), {1}),
        (Focus(region=(0.5, 0.0, 1.0, 1.0)), {2}),
    ],
)
def test_the_focus_chooses_which_people_to_follow(opened, focus, expected):
    people = person(20, 100, 220), person(220, 100, 380), person(520, 100, 240)
    with opened(focus=focus) as pose:
        for frame in range(7):
            found = pose.estimate(picture(*people), frame / 30)
    middles = [np.nanmean(one.joints[:, 0]) for one in found]
    nearest = {int(np.argmin([abs(np.mean(p[:, 0]) - x) for p in people])) for x in middles}
    if focus.people == 2:
        assert len(nearest) == 2
        assert 1 in nearest  # the largest
    else:
        assert nearest == expected


@pytest.mark.parametrize("text", ["", "larges", "0,0,1", "0,0,2,1", "0.5,0,0.5,1"])
def test_a_wrong_focus_is_refused(text):
    with pytest.raises(MarEdgeError, match="focus is 'all', 'largest' or a region"):
        Focus.parse(text, 4)


def test_parsing_a_focus():
    assert Focus.parse("all", 2) == Focus(2)
    assert Focus.parse("largest", 2) == Focus(2, largest=True)
    assert Focus.parse("0,0,0.5,1", 2) == Focus(2, region=(0, 0, 0.5, 1))
    with pytest.raises(MarEdgeError, match="--people must be at least 1"):
        Focus.parse("all", 0)


def test_a_model_that_cannot_fill_the_layout_is_refused_with_the_reason(files, opened, tmp_path):
    body = networks.random_simcc(tmp_path / "body.onnx", 26)
    with pytest.raises(MarEdgeError, match=r"26 keypoints cannot fill the layout imigue: it has no right_thumb_tip"):
        opened(load_layout("imigue"), files=(body, files[1]))
    coco = networks.random_simcc(tmp_path / "coco.onnx", 17)
    with pytest.raises(MarEdgeError, match=r"17 keypoints; known are those of 133 .* lack feet, face or hands"):
        opened(files=(coco, files[1]))


def test_a_detector_that_fails_is_an_error_and_not_an_empty_list(files, opened, tmp_path):
    broken = networks.constant_detector(
        tmp_path / "broken.onnx", {"dets": np.full((1, 1, 5), np.nan, np.float32), "labels": np.zeros((1, 1), np.int64)}
    )
    with opened(files=(files[0], broken)) as pose, pytest.raises(MarEdgeError, match="NaN or infinite"):
        pose.estimate(picture(person(60, 100)), 0.0)


def test_a_pose_network_that_fails_is_an_error_and_not_an_empty_list(files, opened, tmp_path):
    overflowing = networks.seeing_simcc(tmp_path / "overflowing.onnx", gain=np.inf)
    with opened(files=(overflowing, files[1])) as pose, pytest.raises(MarEdgeError, match="NaN or infinite"):
        pose.estimate(picture(person(60, 100)), 0.0)


def test_an_array_that_is_no_picture_is_refused(opened):
    with opened() as pose, pytest.raises(MarEdgeError, match="takes BGR images"):
        pose.estimate(np.zeros((10, 10), np.uint8), 0.0)
    for options in ({"min_score": 30}, {"detect_every": 0}):
        with pytest.raises(MarEdgeError):
            TopDownPose(None, None, MA52, **options)


def test_other_runtimes_give_the_same(opened):
    pytest.importorskip("openvino")
    image = picture(person(60, 100), person(400, 150, 300))
    with opened() as first, opened(runtime="openvino") as other:
        assert "openvino" in other.name
        for frame in range(3):
            expected, found = first.estimate(image, frame / 30), other.estimate(image, frame / 30)
    assert len(expected) == len(found) == 2
    for one, same in zip(expected, found, strict=True):
        np.testing.assert_allclose(same.joints, one.joints, atol=0.01)


def test_a_missing_runtime_is_an_error(opened):
    with pytest.raises(MarEdgeError, match="has no CUDAExecutionProvider"):
        opened(runtime="onnxruntime-cuda")
