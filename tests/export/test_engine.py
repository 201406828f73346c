"""TensorRT's real builder, on the CPU: it takes the files in every precision, and computes in what they say."""

import networks
import onnx
import pytest

from calibration.collect import collect_ranges
from calibration.quantise import quantisable_layers, quantise
from edge.errors import MarEdgeError
from edge.layout import load_layout
from edge.model_file import ModelMetadata
from export.half import to_half
from export.onnx_file import write_model

pytest.importorskip("tensorrt_rtx", reason="TensorRT for RTX has no wheel for this machine")

from export.engine import compile_engine, targets


def products(model):
    return [node for node in model.graph.node if node.op_type in {"Conv", "MatMul"}]


def types(engine, model):
    """What the products of each kind of layer compute in."""
    found = {}
    for node in products(model):
        layer = node.name.split("/")[0].split(".blocks.0.")[-1]
        found.setdefault(layer, set()).update(engine.product_types(node.name))
    return found


@pytest.fixture(scope="module", params=["ma52_model", "imigue_model"])
def full(request):
    exported = request.getfixturevalue(request.param)
    return exported, onnx.load(exported.path)


def int8(exported, model):
    skeleton, index_t = networks.windows(2, exported.layout.num_joints)
    inputs = quantisable_layers(model)
    histograms = collect_ranges(model, inputs.values(), [{"skeleton": skeleton, "index_t": index_t}])
    limits = {layer: histograms[tensor].limit("minmax") for layer, tensor in inputs.items()}
    return to_half(quantise(model, limits, store_int8=True))


@pytest.mark.parametrize(("precision", "target"), [("fp32", "sm86"), ("fp16", "sm89"), ("int8", "sm86")])
def test_it_compiles_and_computes_in_what_the_file_says(full, tmp_path, precision, target):
    exported, model = full
    if precision != "fp32":
        model = to_half(model) if precision == "fp16" else int8(exported, model)
    path = tmp_path / "model.onnx"
    onnx.save(model, str(path))
    told = []
    engine = compile_engine(path, target, [1, 4, 8], lambda what, done, total: told.append((what, done, total)))
    assert len(engine.plan) > 1000
    assert engine.weights_bytes > 0
    assert told
    found = types(engine, model)
    if precision == "fp32":
        assert set().union(*found.values()) == {"Float"}
        return
    for layer, kinds in found.items():
        if ".stem." in layer or ".down_samplers." in layer:
            assert kinds == {"Float"}, layer
        elif precision == "int8" and any(name.endswith(layer) for name in quantisable_layers(full[1])):
            assert kinds == {"Int8"}, layer
        elif layer == "mix.gate_out":  # three channels: the builder may make it part of a pointwise kernel
            assert kinds <= {"Half"}
        else:
            assert kinds == {"Half"}, layer


@pytest.mark.slow
def test_a_pair_of_streams(tmp_path):
    layout = load_layout("ma52")
    pair = [("joint", networks.golden(networks.MA52)), ("bone", networks.golden(networks.MA52, 1000))]
    metadata = ModelMetadata(
        name="x", layout="ma52", streams=("joint", "bone"), encoding="motion", labels=networks.LABELS
    )
    write_model(tmp_path / "full.onnx", pair, layout, metadata)
    half = to_half(onnx.load(tmp_path / "full.onnx"))
    onnx.save(half, str(tmp_path / "half.onnx"))
    assert compile_engine(tmp_path / "full.onnx", "sm89", [1, 8]).weights_bytes > 0
    found = types(compile_engine(tmp_path / "half.onnx", "sm86", [1, 8]), half)
    assert found["mlp.fc1"] == {"Half"}  # of both streams


def test_a_node_that_it_does_not_know_is_named(full, tmp_path):
    _, model = full
    unknown = onnx.ModelProto.FromString(model.SerializeToString())
    node = next(n for n in unknown.graph.node if n.name.endswith("mlp.fc1/MatMul"))
    node.op_type = "NoSuchThing"
    path = tmp_path / "unknown.onnx"
    onnx.save(unknown, str(path))
    with pytest.raises(MarEdgeError, match=r"mlp\.fc1/MatMul' \(NoSuchThing\)"):
        compile_engine(path, "sm86", [1])


def test_targets(tmp_path):
    assert {"sm86", "sm89"} <= set(targets())
    with pytest.raises(MarEdgeError, match="no target 'sm90'; this TensorRT compiles for"):
        compile_engine(tmp_path / "x.onnx", "sm90", [1])


def test_what_is_no_model(tmp_path):
    path = tmp_path / "text.onnx"
    path.write_text("hello")
    with pytest.raises(MarEdgeError, match="TensorRT cannot take"):
        compile_engine(path, "sm86", [1])
