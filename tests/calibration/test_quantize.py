"""INT8 in the chosen layers only, close to FP32, with a pair for each layer."""

import networks
import numpy as np
import onnx
import onnxruntime as ort
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from onnx import TensorProto, numpy_helper

from mar_edge.calibration.collect import collect_ranges
from mar_edge.calibration.quantize import quantizable_layers, quantize, quantize_weight
from mar_edge.export.half import to_half


def batches(count=4):
    skeleton, index_t = networks.windows(count, 44)
    return [{"skeleton": skeleton[i : i + 2], "index_t": index_t[i : i + 2]} for i in range(0, count, 2)]


def logits(model):
    session = ort.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    return np.concatenate([session.run(["logits"], batch)[0] for batch in batches()])


@pytest.fixture(scope="module")
def full(ma52_model):
    return onnx.load(ma52_model.path)


@pytest.fixture(scope="module")
def limits(full):
    inputs = quantizable_layers(full)
    histograms = collect_ranges(full, inputs.values(), batches())
    return {layer: histograms[tensor].limit("minmax") for layer, tensor in inputs.items()}


def test_the_layers_that_tolerate_int8(full):
    kinds = {name.split(".blocks.0.")[1] for name in quantizable_layers(full)}
    modulations = {f"mix.{part}_modulation.{half}" for part in ("temporal", "skeletal") for half in ("gamma", "beta")}
    assert kinds == {"mix.map_su", "mlp.fc1", "mlp.fc2", *modulations}
    assert len(quantizable_layers(full)) == 4 * len(kinds)


def test_ranges_are_those_of_the_layers_inputs(full, limits):
    inputs = quantizable_layers(full)
    name = next(iter(inputs))
    watched = onnx.ModelProto.FromString(full.SerializeToString())
    watched.graph.output.append(onnx.helper.make_empty_tensor_value_info(inputs[name]))
    session = ort.InferenceSession(watched.SerializeToString(), providers=["CPUExecutionProvider"])
    largest = max(np.abs(session.run([inputs[name]], batch)[0]).max() for batch in batches())
    assert limits[name] == pytest.approx(largest, rel=1e-5)


def test_each_layer_has_its_own_pair_and_none_after_it(full, limits):
    model = quantize(full, limits)
    made_by = {name: node for node in model.graph.node for name in node.output}
    readers = [node for node in model.graph.node if node.op_type == "QuantizeLinear"]
    assert len(readers) == len(limits)
    for quantizer in readers:
        (decoder,) = [n for n in model.graph.node if quantizer.output[0] in n.input]
        assert decoder.op_type == "DequantizeLinear"
        (product,) = [n for n in model.graph.node if decoder.output[0] in n.input]
        assert product.op_type in {"MatMul", "Conv"}
        assert made_by[product.input[1]].op_type == "DequantizeLinear"


def test_close_to_fp32_and_valid_with_fp16(full, limits):
    exact = logits(full)
    model = to_half(quantize(full, limits, store_int8=True))
    onnx.checker.check_model(model, full_check=True)
    spread = np.abs(exact - exact.mean(axis=0)).max()
    assert 0 < np.abs(logits(model) - exact).max() < 0.15 * spread
    assert model.ByteSize() < to_half(full).ByteSize()


def test_down_samplers_and_the_stem_keep_their_weights(full, limits):
    model = quantize(full, limits, store_int8=True)
    for node in model.graph.node:
        if ".down_samplers." in node.name or ".stem." in node.name or node.name.endswith("head/Gemm"):
            assert "DequantizeLinear" not in node.op_type
    floats = {t.name for t in model.graph.initializer if t.data_type == TensorProto.FLOAT}
    assert any("down_samplers.0.conv.weight" in name for name in floats)


def test_without_chosen_layers_nothing_changes(full):
    np.testing.assert_array_equal(logits(quantize(full, {})), logits(full))


@settings(deadline=None)
@given(st.integers(0, 2**31), st.sampled_from([0, 1]), st.floats(1e-4, 1e3))
def test_a_weight_is_off_by_at_most_half_a_step_of_its_channel(seed, axis, size):
    weight = np.random.default_rng(seed).normal(0, size, (5, 7)).astype(np.float32)
    codes, scale = quantize_weight(weight, axis)
    wide = np.expand_dims(scale, 1 - axis)
    # Half a step, and the rounding of the scale to FP16.
    assert (np.abs(codes * wide - weight) <= 0.5 * wide + 127 * wide * 2**-11 + 1e-9).all()
    assert codes.min() >= -127
    assert (scale.astype(np.float16) == scale).all()


def test_a_channel_of_zeros_has_a_scale():
    codes, scale = quantize_weight(np.zeros((3, 2), np.float32), 0)
    assert (codes == 0).all()
    assert (scale > 0).all()


def test_errors_of_the_data_are_passed_on(full):
    def broken():
        yield batches()[0]
        raise RuntimeError("the disk is gone")

    with pytest.raises(RuntimeError, match="the disk is gone"):
        collect_ranges(full, quantizable_layers(full).values(), broken())


def test_weights_without_readers_are_left_out(full, limits):
    model = quantize(full, limits, store_int8=True)
    read = {name for node in model.graph.node for name in node.input}
    assert {tensor.name for tensor in model.graph.initializer} <= read
    assert any(
        numpy_helper.to_array(t).dtype == np.int8 and t.name.endswith("weight_codes") for t in model.graph.initializer
    )
