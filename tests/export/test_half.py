"""FP16 where the nodes are marked for it; ONNX Runtime runs the file, close to FP32."""

import networks
import numpy as np
import onnx
import onnxruntime as ort
import pytest
from onnx import TensorProto, numpy_helper

from mar_edge.edge.errors import MarEdgeError
from mar_edge.export.half import half_regions, to_half, with_rounding
from mar_edge.export.regions import marks_of


@pytest.fixture(scope="module")
def full(ma52_model):
    return onnx.load(ma52_model.path)


@pytest.fixture(scope="module")
def half(full):
    return to_half(full)


def logits(model, count=3):
    skeleton, index_t = networks.windows(count, 44)
    session = ort.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    return session.run(["logits"], {"skeleton": skeleton, "index_t": index_t})[0]


def types(model):
    inferred = onnx.shape_inference.infer_shapes(model, strict_mode=True)
    known = {value.name: value.type.tensor_type.elem_type for value in inferred.graph.value_info}
    return known | {tensor.name: tensor.data_type for tensor in model.graph.initializer}


def test_every_node_is_named_after_its_part_of_the_network(full):
    for node in full.graph.node:
        assert "/" in node.name
        inside = node.name.split("/")[0]
        assert inside.startswith("streams.joint") or node.op_type in {"Unsqueeze", "ReduceMean", "Softmax"}
    assert len({node.name for node in full.graph.node}) == len(full.graph.node)


def test_the_branches_the_mlps_and_the_fusion_tolerate_fp16(full):
    blocks = [f"streams.joint.scales.{i}.blocks.0.{part}" for i in range(4) for part in ("mix", "mlp")]
    assert half_regions(full) == [*blocks, "streams.joint.fusion"]
    unmarked = {node.op_type for node in full.graph.node if marks_of(node).half is None}
    assert {"LayerNormalization", "Softmax", "Sin", "Log", "Sqrt", "Reciprocal"} <= unmarked
    marked = {node.op_type for node in full.graph.node if marks_of(node).half is not None}
    assert not marked & {"LayerNormalization", "Sub", "Sqrt", "Reciprocal", "Log", "Sin", "ReduceMean"}
    kept = [node.name for node in full.graph.node if node.op_type == "Conv" and marks_of(node).half is None]
    assert all(".stem." in name or ".down_samplers." in name for name in kept)


def test_exactly_the_products_of_marked_regions_are_fp16(full, half):
    known = types(half)
    regions = {node.name: marks_of(node).half for node in full.graph.node}
    for node in half.graph.node:
        if node.op_type in {"MatMul", "Conv"}:
            expected = TensorProto.FLOAT16 if regions[node.name] else TensorProto.FLOAT
            assert known[node.output[0]] == expected, node.name


def test_contract_and_closeness(full, half):
    onnx.checker.check_model(half, full_check=True)
    for values in (half.graph.input, half.graph.output):
        assert all(value.type.tensor_type.elem_type == TensorProto.FLOAT for value in values)
    exact, near = logits(full), logits(half)
    spread = np.abs(exact - exact.mean(axis=0)).max()
    assert 0 < np.abs(near - exact).max() < 0.02 * spread


def test_casts_only_at_the_borders_of_regions(half):
    made_by = {name: node for node in half.graph.node for name in node.output}
    for node in half.graph.node:
        if node.op_type == "Cast" and node.input[0] in made_by:
            assert made_by[node.input[0]].op_type != "Cast"


def test_a_region_can_stay_fp32(full):
    kept = to_half(full, half_regions(full))
    assert not [node for node in kept.graph.node if types(kept).get(node.output[0]) == TensorProto.FLOAT16]
    # Only the larger weights are rounded.
    assert np.abs(logits(kept) - logits(full)).max() < np.abs(logits(to_half(full)) - logits(full)).max()


def test_the_file_has_no_path_of_the_exporting_machine(ma52_model):
    content = ma52_model.path.read_bytes()
    assert b".py" not in content
    assert b"stack_trace" not in content


def test_a_weight_that_fp16_cannot_hold_is_named(full):
    large = onnx.ModelProto.FromString(full.SerializeToString())
    tensor = next(t for t in large.graph.initializer if t.name.endswith("mlp.fc1.bias"))
    tensor.CopyFrom(numpy_helper.from_array(np.full(tensor.dims, 1e6, np.float32), tensor.name))
    with pytest.raises(MarEdgeError, match=r"mlp\.fc1\.bias' holds values that FP16 cannot"):
        to_half(large)


def test_results_are_rounded_where_a_cpu_would_not(full, half):
    rounding = with_rounding(half)
    tensors = types(rounding)
    casts = [node for node in rounding.graph.node if node.op_type == "Cast"]
    halves = [node for node in half.graph.node if types(half).get(node.output[0]) == TensorProto.FLOAT16]
    rounded = {node.input[0] for node in casts if tensors[node.output[0]] == TensorProto.FLOAT16}
    assert rounded == {f"{node.output[0]}:exact" for node in halves}
    for node in rounding.graph.node:
        if node.op_type in {"MatMul", "Conv"}:
            assert {tensors[name] for name in node.input} == {TensorProto.FLOAT}
    exact, lenient, strict = (logits(model) for model in (full, half, with_rounding(half)))
    assert np.abs(strict - lenient).max() > 0
    assert np.abs(strict - exact).max() < 0.1
    # A model without FP16 computes what it did.
    np.testing.assert_array_equal(logits(with_rounding(full)), exact)
