"""The same files and pictures through rtmlib, the reference for running these models without their framework.

There are three intended differences. rtmlib does not convert colors, and these networks were trained on RGB: it gets
RGB here, ours BGR. Its positions are whole bins, ours are refined by default. Its scores are not limited to 1.
"""

import cv2
import numpy as np
import pose_networks as networks
import pytest

from mar_edge.edge.pose.crops import cut, regions, to_picture
from mar_edge.edge.pose.detection import PersonDetector
from mar_edge.edge.pose.simcc import SimccNetwork, decode
from mar_edge.edge.runtime.onnxruntime import OnnxRuntime

rtmlib = pytest.importorskip("rtmlib")

BOXES = np.array([[366, 276, 693, 1198], [100.3, 50.7, 400.2, 300.9], [-50, 600, 300, 1400], [5, 5, 9, 8]], np.float32)


@pytest.fixture(scope="module")
def picture():
    rng = np.random.default_rng(3)
    coarse = rng.integers(0, 255, (60, 50, 3), np.uint8)
    return np.asarray(cv2.resize(coarse, (1080, 1296), interpolation=cv2.INTER_CUBIC), np.uint8)


@pytest.mark.parametrize(("points", "size"), [(133, (192, 256)), (26, (192, 256)), (133, (288, 384))])
def test_keypoints_are_the_same(tmp_path, picture, points, size):
    path = networks.random_simcc(tmp_path / "m.onnx", points, size)
    peer = rtmlib.RTMPose(str(path), model_input_size=size)
    theirs, their_scores = peer(np.ascontiguousarray(picture[..., ::-1]), bboxes=[list(box) for box in BOXES])
    with OnnxRuntime(path, threads=1) as runtime:
        network = SimccNetwork(runtime)
        places = regions(BOXES, network.size)
        vectors = network.infer(network.batch(cut(picture, places, network.size)))
    for refine, pixels_of_the_crop in ((False, 0.001), (True, 0.2501)):
        found, scores = decode(*vectors, network.size, refine=refine)
        ours = to_picture(found, places, network.size)
        off = np.abs(ours - theirs) / (places[:, None, 2:] / size)
        assert off.max() <= pixels_of_the_crop
    assert ((scores > 0.9) == (their_scores > 0.9)).mean() > 0.9


def test_boxes_of_the_published_detector_are_the_same(shared):
    path = shared("models/rtmdet_nano.onnx")
    peer = rtmlib.RTMDet(str(path), model_input_size=(320, 320))
    video = cv2.VideoCapture(str(shared("clips/turning_around.mp4")))
    with PersonDetector(OnnxRuntime(path, threads=1), "rtmdet", min_score=0.3) as detector:
        for _ in range(4):
            frame = video.read()[1]
            theirs = np.asarray(peer(frame))
            assert len(theirs)
            np.testing.assert_allclose(detector.detect(frame).boxes, theirs, atol=0.5)


DETS = np.array([[40, 50, 90, 300, 0.9], [200, 10, 250, 100, 0.75], [0, 0, 9, 9, 0.1]], np.float32)


@pytest.mark.parametrize(
    "outputs",
    [
        {"dets": DETS, "labels": np.zeros(3, np.int64)},
        {"output": networks.yolox_rows(DETS[:, :4], DETS[:, 4], 416)},
    ],
    ids=["NMS in the graph", "as exported by its authors"],
)
def test_boxes_of_yolox_are_the_same(tmp_path, picture, outputs):
    path = networks.constant_detector(tmp_path / "yolox.onnx", {n: array[None] for n, array in outputs.items()}, 416)
    theirs = np.asarray(rtmlib.YOLOX(str(path), model_input_size=(416, 416))(picture))
    assert len(theirs) == 2
    with PersonDetector(OnnxRuntime(path, threads=1), "yolox") as detector:
        np.testing.assert_allclose(detector.detect(picture).boxes, theirs, atol=0.5)
