import cv2
import numpy as np
import pose_networks as networks
import pytest
from golden_frames import golden_frames

from mar_edge.edge.errors import MarEdgeError
from mar_edge.edge.pose.detection import PersonDetector
from mar_edge.edge.runtime.onnxruntime import OnnxRuntime

PICTURE = np.full((480, 640, 3), networks.BACKGROUND, np.uint8)  # halved by a detector of 320 px
BOXES = np.array([[10, 20, 60, 120], [100, 30, 160, 200], [102, 32, 158, 198], [0, 0, 20, 20]], np.float32)
SCORES = np.array([0.9, 0.8, 0.95, 0.1], np.float32)


def detector(tmp_path, family="rtmdet", size=320, **outputs):
    path = networks.constant_detector(tmp_path / "detector.onnx", {n: a[None] for n, a in outputs.items()}, size)
    return PersonDetector(OnnxRuntime(path, threads=1), family)


def test_nms_in_the_graph(tmp_path):
    labels = np.array([0, 0, 5, 0])  # the third is a boat
    with detector(tmp_path, dets=np.column_stack([BOXES, SCORES]), labels=labels) as opened:
        found = opened.detect(PICTURE)
    np.testing.assert_allclose(found.boxes, BOXES[:2] * 2)
    np.testing.assert_allclose(found.scores, SCORES[:2])


def test_boxes_without_nms(tmp_path):
    scores = np.column_stack([SCORES, np.ones(4, np.float32)])  # the second class is another one
    with detector(tmp_path, boxes=BOXES, scores=scores) as opened:
        found = opened.detect(PICTURE)
    np.testing.assert_allclose(found.boxes, BOXES[[2, 0]] * 2)  # best first; of two that overlap the better one
    np.testing.assert_allclose(found.scores, [0.95, 0.9])


@pytest.mark.parametrize("classes", [1, 80])
def test_yolox_as_its_authors_export_it(tmp_path, classes):
    with detector(tmp_path, "yolox", 416, output=networks.yolox_rows(BOXES, SCORES, 416, classes)) as opened:
        found = opened.detect(np.full((416, 416, 3), 128, np.uint8))
    np.testing.assert_allclose(found.boxes, BOXES[[2, 0]], atol=1e-3)


@pytest.mark.parametrize(
    ("family", "outputs"),
    [
        ("rtmdet", {"dets": np.array([[1, 2, 3, np.nan, 0.9]], np.float32), "labels": np.array([0])}),
        ("rtmdet", {"dets": np.array([[1, 2, 3, 4, np.nan]], np.float32), "labels": np.array([0])}),
        ("rtmdet", {"boxes": BOXES, "scores": np.full((4, 1), np.nan, np.float32)}),
        ("yolox", {"output": np.full((2100, 85), 200.0, np.float32)}),  # e^200 cells wide
    ],
)
def test_nan_is_an_error_and_not_an_empty_result(tmp_path, family, outputs):
    with detector(tmp_path, family, 320, **outputs) as opened, pytest.raises(MarEdgeError, match="NaN or infinite"):
        opened.detect(PICTURE)


@pytest.mark.parametrize(
    ("family", "outputs", "message"),
    [
        ("rtmdet", {"masks": np.zeros((3, 4), np.float32)}, r"This model's are \{'masks': \(1, 3, 4\)\}"),
        ("yolox", {"output": np.zeros((99, 85), np.float32)}, "2100 cells, this model gives 99"),
    ],
)
def test_other_outputs_are_refused_with_their_shapes(tmp_path, family, outputs, message):
    with detector(tmp_path, family, **outputs) as opened, pytest.raises(MarEdgeError, match=message):
        opened.detect(PICTURE)


def test_an_empty_picture_is_no_error(tmp_path):
    with detector(tmp_path, dets=np.zeros((0, 5), np.float32), labels=np.zeros(0, np.int64)) as opened:
        assert opened.detect(PICTURE).boxes.shape == (0, 4)


@pytest.mark.parametrize("shape", [(480, 640), (640, 480), (300, 300)])
def test_boxes_are_mapped_back_from_the_letterbox(tmp_path, shape):
    picture = np.full((*shape, 3), networks.BACKGROUND, np.uint8)
    for (x0, y0, x1, y1), color in zip(BOXES[:2].astype(int).tolist(), networks.CLOTHES, strict=False):
        cv2.rectangle(picture, (x0, y0), (x1, y1), color, 5)
    path = networks.seeing_detector(tmp_path / "seeing.onnx", list(networks.CLOTHES[:2]))
    with PersonDetector(OnnxRuntime(path, threads=1), "rtmdet") as opened:
        for image in (picture, picture):
            np.testing.assert_allclose(opened.detect(image).boxes, BOXES[:2], atol=5)


def test_the_published_detector_finds_the_person(shared):
    frame = next(golden_frames(shared("clips/nodding.mp4")))
    with PersonDetector(OnnxRuntime(shared("models/rtmdet_nano.onnx"), threads=1), "rtmdet") as opened:
        found = opened.detect(frame)
        assert len(opened.detect(np.full_like(frame, 114)).boxes) == 0
    np.testing.assert_allclose(found.boxes, [[366, 276, 693, 1198]], atol=1.5)
    assert found.scores[0] == pytest.approx(0.857, abs=0.01)
