import numpy as np
import onnx
import pose_networks as networks
import pytest

from mar_edge.edge.errors import MarEdgeError
from mar_edge.edge.pose.crops import regions, to_picture
from mar_edge.edge.pose.simcc import SimccNetwork, decode
from mar_edge.edge.runtime.onnxruntime import OnnxRuntime

SIZE = (192, 256)


def bells(places, bins, spread=5.0):
    """Return the output of an ideal network: a Gaussian at each position (P, K), in bins."""
    return np.exp(-((np.arange(bins) - places[..., None]) ** 2) / (2 * spread**2)).astype(np.float32)


def test_a_peak_between_bins_is_found():
    rng = np.random.default_rng(0)
    truth = rng.uniform(10, 180, (3, 133, 2)).astype(np.float32)
    vectors = bells(truth[..., 0] * 2, 384), bells(truth[..., 1] * 2, 512)
    refined, scores = decode(*vectors, SIZE)
    whole, _ = decode(*vectors, SIZE, refine=False)
    assert np.abs(refined - truth).max() < 0.01
    assert 0.2 < np.abs(whole - truth).max() <= 0.2501  # half a bin, of which there are two a pixel
    assert ((scores > 0.99) & (scores <= 1)).all()
    as_rtmw = decode(*(10 * vector for vector in vectors), SIZE, full_score=10.0)
    np.testing.assert_allclose(as_rtmw[0], refined, atol=1e-3)
    np.testing.assert_allclose(as_rtmw[1], scores, atol=1e-6)


def test_refining_never_leaves_the_bin():
    rng = np.random.default_rng(1)
    noise = rng.normal(size=(4, 17, 384)).astype(np.float32), rng.normal(size=(4, 17, 512)).astype(np.float32)
    refined, _ = decode(*noise, SIZE)
    whole, _ = decode(*noise, SIZE, refine=False)
    assert np.abs(refined - whole).max() <= 0.25


def test_peaks_at_the_ends_stay_there():
    x, y = np.zeros((1, 2, 384), np.float32), np.zeros((1, 2, 512), np.float32)
    x[0, 0, 0] = x[0, 1, -1] = y[0, 0, -1] = y[0, 1, 0] = 1
    points, _ = decode(x, y, SIZE)
    np.testing.assert_allclose(points[0], [[0, 255.5], [191.5, 0]])


def test_the_score_is_the_lower_of_the_two_axes():
    x, y = np.full((1, 1, 384), 0.2, np.float32), np.full((1, 1, 512), 7.0, np.float32)
    assert decode(x, y, SIZE)[1] == np.float32(0.2)
    assert decode(-x, y, SIZE)[1] == 0


def test_nan_is_an_error():
    x, y = np.zeros((2, 3, 384), np.float32), np.zeros((2, 3, 512), np.float32)
    y[1, 2, 7] = np.nan
    with pytest.raises(MarEdgeError, match="NaN or infinite"):
        decode(x, y, SIZE)


def test_regions_contain_the_box_with_a_margin_and_map_back():
    boxes = np.array([[100, 50, 300, 150], [0, 0, 30, 400]], np.float32)
    places = regions(boxes, SIZE)
    np.testing.assert_allclose(places[0], [200, 100, 250, 250 * 256 / 192])
    np.testing.assert_allclose(places[1], [15, 200, 500 * 192 / 256, 500])
    corners = np.array([[[0, 0], [192, 256]]], np.float32)
    np.testing.assert_allclose(to_picture(corners, places[1:], SIZE)[0], [[15 - 187.5, -50], [15 + 187.5, 450]])


def answers(path, count):
    network = SimccNetwork(OnnxRuntime(path, threads=1))
    batch = np.random.default_rng(2).normal(size=(count, 3, 256, 192)).astype(np.float32)
    with network.runtime:
        return network, network.infer(batch)


def test_a_graph_of_a_fixed_batch_takes_any_number_of_people(tmp_path):
    opened, (x, y) = answers(networks.random_simcc(tmp_path / "open.onnx"), 5)
    _, (fixed_x, fixed_y) = answers(networks.random_simcc(tmp_path / "fixed.onnx", batch=2), 5)
    assert (opened.points, opened.size, x.shape, y.shape) == (133, SIZE, (5, 133, 384), (5, 133, 512))
    np.testing.assert_allclose(fixed_x, x, atol=1e-5)
    np.testing.assert_allclose(fixed_y, y, atol=1e-5)


def test_a_half_precision_graph_gives_nearly_the_same(tmp_path):
    _, (x, y) = answers(networks.random_simcc(tmp_path / "full.onnx", 26), 2)
    _, (half_x, half_y) = answers(networks.random_simcc(tmp_path / "half.onnx", 26, half=True), 2)
    assert half_x.dtype == half_y.dtype == np.float32
    assert 0 < np.abs(half_x - x).max() < 0.05
    assert np.abs(half_y - y).max() < 0.05


def test_outputs_are_distinguished_by_their_sizes(tmp_path):
    path = networks.random_simcc(tmp_path / "m.onnx", 26, names=("612", "611"))
    _, (x, y) = answers(path, 1)
    assert (x.shape, y.shape) == ((1, 26, 384), (1, 26, 512))


def test_outputs_of_a_square_crop_are_distinguished_by_name(tmp_path):
    path = networks.random_simcc(tmp_path / "m.onnx", 26, (256, 256), names=("simcc_x", "simcc_y"))
    model = onnx.load(path)
    outputs = list(model.graph.output)
    del model.graph.output[:]
    model.graph.output.extend(reversed(outputs))
    onnx.save(model, path)
    network = SimccNetwork(OnnxRuntime(path, threads=1))
    assert (network._x, network._y) == ("simcc_x", "simcc_y")


def test_a_graph_that_is_no_simcc_network_is_refused(tmp_path, shared):
    boxes = networks.constant_detector(tmp_path / "d.onnx", {"dets": np.zeros((1, 2, 5), np.float32)})
    with pytest.raises(MarEdgeError, match=r"SimCC vectors \(B, K, 640\)"):
        SimccNetwork(OnnxRuntime(boxes, threads=1))
    with pytest.raises(MarEdgeError, match="fixed height and width"):
        SimccNetwork(OnnxRuntime(shared("models/rtmdet_nano.onnx"), threads=1))
