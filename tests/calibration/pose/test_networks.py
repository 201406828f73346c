"""The holistic stage's networks in fewer bits: graphs, errors, and the choice of layers, on crops of the demo."""

import numpy as np
import onnx
import pytest

from mar_edge.calibration.pose import narrow
from mar_edge.calibration.pose.crops import _Kept
from mar_edge.calibration.pose.graph import prepared
from mar_edge.calibration.pose.keypoints import Keypoints, error_px, input_batches, predict
from mar_edge.calibration.pose.narrow import Aim, narrowed
from mar_edge.calibration.quantize import quantizable_layers
from mar_edge.edge.pose.holistic.networks import network_path
from mar_edge.edge.pose.holistic.regions import Region, cut
from mar_edge.edge.runtime.onnxruntime import OnnxRuntime
from mar_edge.export.half import to_half, with_rounding
from mar_edge.streaming.capture.demo import DemoVideo


def silent(what, done, total):
    pass


@pytest.fixture(scope="module")
def portrait():
    return DemoVideo().frame_at(0.0)


def crops_of(portrait, size, count=16):
    """Return different crops around the face, in which all networks find something."""
    random = np.random.default_rng(1)
    return [cut(portrait, Region(265 + x, 250 + y, 420 + s, 0.0), size) for x, y, s in random.normal(0, 15, (count, 3))]


@pytest.mark.parametrize(("name", "size"), [("hand_recrop", 256), ("face_landmark", 192), ("pose_detection", 224)])
def test_prepared_networks_compute_the_same_as_the_files(portrait, tmp_path, name, size):
    path = tmp_path / "prepared.onnx"
    onnx.save(prepared(name), path)
    (batch,) = input_batches(name, crops_of(portrait, size, 2))
    with OnnxRuntime(network_path(name), 1) as packaged, OnnxRuntime(path, 1) as again:
        expected, found = packaged.infer(batch), again.infer(batch)
    for output, values in expected.items():
        np.testing.assert_allclose(found[output], values, rtol=1e-5, atol=1e-4)


def test_all_but_the_last_products_and_the_scaling_compute_in_fp16():
    half = to_half(prepared("pose_landmark"))
    inferred = onnx.shape_inference.infer_shapes(half, strict_mode=True)
    types = {value.name: value.type.tensor_type.elem_type for value in (*inferred.graph.value_info, *half.graph.output)}
    products = [node for node in half.graph.node if node.op_type == "Conv"]
    full = [node for node in products if types[node.output[0]] == onnx.TensorProto.FLOAT]
    assert len(products) == 82
    assert len(full) == len(half.graph.output)  # one for each output
    assert {value.type.tensor_type.elem_type for value in (*half.graph.input, *half.graph.output)} == {1}


def test_rounding_moves_keypoints_a_little(portrait):
    crops = crops_of(portrait, 192)
    full = prepared("face_landmark")
    exact, coarse = (predict("face_landmark", model, crops, 1) for model in (full, with_rounding(to_half(full))))
    assert (exact.scores > 0.5).all()
    assert 0.001 < error_px(exact, coarse, 192) < 0.2


def found_at(*places, scores=None):
    points = np.array(places, np.float32)[:, None].repeat(3, axis=1)
    return Keypoints(points, np.array(scores or [1.0] * len(places), np.float32))


def test_the_error_is_the_mean_distance_where_both_have_keypoints():
    assert error_px(found_at((0, 0), (10, 10)), found_at((3, 4), (10, 10)), 100) == pytest.approx(2.5)


def test_a_crop_that_only_one_has_keypoints_for_counts_with_its_size():
    reference, lost = found_at((0, 0), (0, 0), scores=[0.9, 0.9]), found_at((0, 0), (0, 0), scores=[0.9, 0.1])
    assert error_px(reference, lost, 100) == pytest.approx(50)
    assert error_px(lost, reference, 100) == pytest.approx(50)
    assert error_px(found_at((0, 0), (0, 0), scores=[0.9, 0.45]), reference, 100) == 0  # near the threshold
    nan = found_at((0, 0), (np.nan, 0))
    assert error_px(found_at((0, 0), (0, 0)), nan, 100) == pytest.approx(50)


def test_crops_are_kept_evenly_over_all_frames():
    kept = _Kept(most=8)
    for number in range(100):
        kept.add([np.full((1, 1, 3), number, np.uint8)])
    numbers = [int(crop[0, 0, 0]) for crop in kept.crops]
    assert 4 <= len(numbers) <= 8
    assert numbers[0] == 0
    assert len(set(np.diff(numbers))) == 1
    assert numbers[-1] >= 80


def test_int8_layers_are_as_many_as_stay_within_half_the_limit(portrait, monkeypatch):
    monkeypatch.setattr(narrow, "_COSTS_ON", 1)
    crops = crops_of(portrait, 256)
    loose, strict = (narrowed("hand_recrop", crops, Aim("int8", "minmax", px, 1), silent) for px in (50.0, 0.5))
    assert (loose.int8, loose.layers) == (len(quantizable_layers(prepared("hand_recrop"))),) * 2
    assert 0 < strict.int8 < loose.int8
    assert strict.error_px < 1.0
    assert strict.error_px < loose.error_px
    pairs = [node for node in strict.model.graph.node if node.op_type == "QuantizeLinear"]
    assert len(pairs) == strict.int8


def test_a_network_with_too_few_crops_stays_as_it_is(portrait):
    kept = narrowed("hand_recrop", crops_of(portrait, 256, 10), Aim("int8", "minmax", 0.5, 1), silent)
    assert (kept.error_px, kept.crops, kept.size) == (None, 4, 1.0)
    assert kept.model == onnx.load(network_path("hand_recrop"))
