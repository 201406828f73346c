"""TensorRT's real builder, on the CPU: it takes files in every precision, and computes in their types."""

import os
import re
from types import SimpleNamespace

import networks
import numpy as np
import onnx
import pytest
from gpu_fakes import small_model

from mar_edge.calibration.collect import collect_ranges
from mar_edge.calibration.pose.graph import prepared
from mar_edge.calibration.quantize import quantizable_layers, quantize
from mar_edge.edge.errors import MarEdgeError
from mar_edge.edge.labels import default_labels
from mar_edge.edge.layout import load_layout
from mar_edge.edge.model_file import ModelMetadata
from mar_edge.edge.pose.holistic.networks import NETWORKS, network_path
from mar_edge.edge.runtime.tensorrt import build
from mar_edge.edge.runtime.tensorrt.bindings import Bindings, use_tensorrt
from mar_edge.edge.runtime.tensorrt.build import Batches, BuildOptions, compile_engine
from mar_edge.edge.runtime.tensorrt.layers import product_types
from mar_edge.edge.runtime.tensorrt.targets import Place
from mar_edge.export.half import to_half
from mar_edge.export.mmn import deployed_mmn
from mar_edge.export.onnx_file import write_model

pytest.importorskip("tensorrt_rtx", reason="TensorRT for RTX has no wheel for this machine")

EVERY_KIND = "MAR_EDGE_EVERY_ENGINE"


def compiled(path, target, **options):
    return compile_engine(path, use_tensorrt("tensorrt_rtx"), Place(target, None), BuildOptions(**options))


def products(model):
    return [node for node in model.graph.node if node.op_type in {"Conv", "MatMul"}]


def types(engine, model):
    """Return the types in which the products of each kind of layer compute."""
    found = {}
    for node in products(model):
        layer = re.split(r"\.blocks\.\d\.", node.name.split("/")[0])[-1]
        found.setdefault(layer, set()).update(product_types(engine.kernels, node.name))
    return found


def skeletons(joints):
    skeleton, index_t = networks.windows(2, joints)
    return {"skeleton": skeleton, "index_t": index_t}


def narrowed(full, precision, batch):
    """Return an FP32 model in that precision; INT8 with the ranges of a batch."""
    if precision == "fp32":
        return full
    return to_half(full) if precision == "fp16" else int8(full, batch)


def int8(model, batch):
    inputs = quantizable_layers(model)
    histograms = collect_ranges(model, inputs.values(), [batch])
    limits = {layer: histograms[tensor].limit("minmax") for layer, tensor in inputs.items()}
    return to_half(quantize(model, limits, store_int8=True))


def check(full, joints, precision, target, tmp_path):
    """Build it for one to eight windows, and check the type in which each product computes."""
    model = narrowed(full, precision, skeletons(joints))
    path = tmp_path / "model.onnx"
    onnx.save(model, str(path))
    engine = compiled(path, target)
    assert len(engine.plan) > 1000
    assert engine.weights_bytes > 0
    assert not engine.fallbacks
    found = types(engine, model)
    if precision == "fp32":
        assert set().union(*found.values()) == {"Float"}
        return
    for layer, kinds in found.items():
        # In the stream itself: the features, as means over the regions of the body.
        if ".stem." in layer or ".down_samplers." in layer or layer in {"streams.joint", "streams.bone"}:
            assert kinds == {"Float"}, layer
        elif precision == "int8" and any(name.endswith(layer) for name in quantizable_layers(full)):
            assert kinds == {"Int8"}, layer
        elif layer == "mix.gate_out":  # three channels: the builder may make it part of a pointwise kernel
            assert kinds <= {"Half"}
        else:
            assert kinds == {"Half"}, layer


@pytest.mark.parametrize("kind", ["ma52_model", "imigue_model"])  # of joints, of bones
@pytest.mark.parametrize(("precision", "target"), [("fp32", "sm86"), ("fp16", "sm89"), ("int8", "sm86")])
def test_it_compiles_and_computes_in_the_files_types(request, kind, tmp_path, precision, target):
    exported = request.getfixturevalue(kind)
    check(onnx.load(exported.path), exported.layout.num_joints, precision, target, tmp_path)


@pytest.mark.parametrize(("precision", "target"), [("fp32", "sm89"), ("fp16", "sm86"), ("int8", "sm89")])
def test_pictures_compile_and_compute_in_the_files_types(manet_model, tmp_path, precision, target):
    full = onnx.load(manet_model.path)
    frames = np.random.default_rng(0).integers(0, 256, (1, 8, 224, 224, 3), dtype=np.uint8)
    model = narrowed(full, precision, {"frames": frames})
    onnx.save(model, str(tmp_path / "model.onnx"))
    engine = compiled(tmp_path / "model.onnx", target, batches=Batches(1, 1, 2))
    assert not engine.fallbacks
    expected = {"fp32": "Float", "fp16": "Half", "int8": "Int8"}[precision]
    found = {node.name: product_types(engine.kernels, node.name) for node in model.graph.node if node.op_type == "Conv"}
    stem = found.pop("stem.conv/Conv")
    assert stem == {"Half" if precision == "int8" else expected}
    assert set(map(frozenset, found.values())) == {frozenset({expected})}
    assert product_types(engine.kernels, "classifier/Gemm") == {"Float"}


def written(folder, layout, streams):
    config = networks.MA52 if layout.name == "ma52" else networks.IMIGUE
    labels = networks.LABELS if layout.name == "ma52" else default_labels(layout.name, config.num_classes)
    metadata = ModelMetadata(name="x", layout=layout.name, streams=streams, encoding=config.encoding, labels=labels)
    parts = [(stream, networks.golden(config, 1000 * i)) for i, stream in enumerate(streams)]
    path = folder / "full.onnx"
    write_model(path, deployed_mmn(parts, layout, metadata), metadata)
    return onnx.load(path)


@pytest.mark.slow
@pytest.mark.parametrize(("precision", "target"), [("fp32", "sm89"), ("fp16", "sm86"), ("int8", "sm89")])
def test_a_pair_of_streams(pair_model, tmp_path, precision, target):
    check(onnx.load(pair_model.path), 44, precision, target, tmp_path)


@pytest.mark.slow
@pytest.mark.skipif(EVERY_KIND not in os.environ, reason=f"half an hour of building: {EVERY_KIND}=1 asks for it")
@pytest.mark.parametrize("name", ["ma52", "imigue"])
@pytest.mark.parametrize("streams", [("joint",), ("bone",), ("joint", "bone")])
@pytest.mark.usefixtures("kept_conversions")
def test_every_kind(tmp_path, name, streams):
    layout = load_layout(name)
    full = written(tmp_path, layout, streams)
    for precision in ("fp32", "fp16", "int8"):
        for target in ("sm86", "sm89"):
            check(full, layout.num_joints, precision, target, tmp_path)


@pytest.mark.parametrize("name", NETWORKS if EVERY_KIND in os.environ else ["pose_landmark", "hand_landmark_lite"])
def test_the_networks_of_the_pose_stage_compile(name):
    """Compile weights that are stored in FP16 with a Cast; they compute in FP32, as on the other runtimes."""
    engine = compiled(network_path(name), "sm86")
    assert not engine.fallbacks
    assert {kernel.computes_in for kernel in engine.kernels if kernel.is_product} == {"Float"}
    assert engine.weights_bytes > 1.9 * network_path(name).stat().st_size  # widened once, when built


@pytest.mark.parametrize("precision", ["fp16", "int8"])
@pytest.mark.parametrize("name", NETWORKS if EVERY_KIND in os.environ else ["hand_recrop"])
def test_the_networks_of_the_pose_stage_compute_in_fewer_bits(name, precision, tmp_path):
    full = prepared(name)
    layers = list(quantizable_layers(full))
    model = to_half(full if precision == "fp16" else quantize(full, dict.fromkeys(layers, 6.0)))
    path = tmp_path / f"{name}.onnx"
    onnx.save(model, str(path))
    engine = compiled(path, "sm89")
    assert not engine.fallbacks
    kinds = {layer: set(product_types(engine.kernels, layer)) for layer in layers}
    assert set().union(*kinds.values()) == ({"Half"} if precision == "fp16" else {"Int8"})


def test_an_unknown_node_is_named(tmp_path):
    model = onnx.load(small_model(tmp_path / "small.onnx"))
    node = next(node for node in model.graph.node if node.op_type == "Add")
    node.name, node.op_type = "scales.0/Odd", "NoSuchThing"
    onnx.save(model, str(tmp_path / "unknown.onnx"))
    with pytest.raises(MarEdgeError, match=r"cannot take .*: node 'scales\.0/Odd' \(NoSuchThing\)"):
        compiled(tmp_path / "unknown.onnx", "sm86")


def test_a_node_without_a_name_is_named_by_its_number_and_operator(shared):
    with pytest.raises(MarEdgeError, match=r"node number 0, .* \(Unique\): it cannot compile this operator"):
        compiled(shared("cases/unsupported_unique.onnx"), "sm86")


def test_a_file_that_is_no_model_is_refused(tmp_path):
    path = tmp_path / "text.onnx"
    path.write_text("hello")
    with pytest.raises(MarEdgeError, match=r"TensorRT for RTX .* cannot take"):
        compiled(path, "sm86")


def test_a_dynamic_dimension_other_than_the_batch_is_refused(tmp_path):
    model = onnx.load(small_model(tmp_path / "small.onnx"))
    model.graph.input[0].type.tensor_type.shape.dim[1].dim_param = "T"
    onnx.save(model, str(tmp_path / "free.onnx"))
    with pytest.raises(MarEdgeError, match=r"input 'skeleton' has the shape .*; only the batch may be dynamic"):
        compiled(tmp_path / "free.onnx", "sm86")


def test_progress_is_reported_and_two_builds_are_the_same(tmp_path):
    path = small_model(tmp_path / "small.onnx")
    reported = []
    engine = compile_engine(
        path,
        use_tensorrt("tensorrt_rtx"),
        Place("sm86", None),
        progress=lambda what, done, total: reported.append((what, done, total)),
    )
    assert reported
    assert all(0 <= done <= total for _, done, total in reported)
    assert compiled(path, "sm86").plan == engine.plan
    assert compiled(path, "sm86", batches=Batches(1, 2, 3)).plan != engine.plan


def test_modes_that_tensorrt_for_rtx_lacks_are_refused(tmp_path, monkeypatch):
    path = small_model(tmp_path / "small.onnx")
    for options in ({"version_compatible": True}, {"hardware": "ampere-plus"}):
        with pytest.raises(MarEdgeError, match="has no --version-compatible and no --hardware"):
            compiled(path, "sm86", **options)


@pytest.mark.filterwarnings("ignore:Use Deprecated in TensorRT-RTX")  # for RTX it does nothing
def test_the_builder_gets_its_measurements_again(tmp_path, monkeypatch):
    """Take the path of full TensorRT, with the bindings of TensorRT for RTX."""
    path, rtx = small_model(tmp_path / "small.onnx"), use_tensorrt("tensorrt_rtx")
    full = Bindings("tensorrt", rtx.version, rtx.log)
    set_modes = build._set_modes
    monkeypatch.setattr(build, "_set_modes", lambda config, _, *rest: set_modes(config, rtx, *rest))
    first = compile_engine(path, full, Place("sm86", None))
    assert first.timing
    again = compile_engine(path, full, Place("sm86", None), timing=first.timing)
    assert again.plan == first.plan
    assert compile_engine(path, full, Place("sm86", None), timing=b"not one").timing
    assert not compile_engine(path, rtx, Place("sm86", None)).timing


class Config:
    """The part of full TensorRT's configuration that ``_set_modes`` sets."""

    hardware_compatibility_level = None

    def __init__(self):
        self.flags = []

    def set_flag(self, flag):
        self.flags.append(flag)


def test_modes_of_full_tensorrt(monkeypatch):
    levels = SimpleNamespace(__members__={"NONE": 0, "AMPERE_PLUS": 1})  # of 10.3
    flags = SimpleNamespace(VERSION_COMPATIBLE="compatible")
    full = Bindings("tensorrt", "10.3.0", None)
    monkeypatch.setattr(build, "trt", SimpleNamespace(HardwareCompatibilityLevel=levels, BuilderFlag=flags))
    config = Config()
    build._set_modes(config, full, BuildOptions(), Place("sm87", None))
    assert (config.flags, config.hardware_compatibility_level) == ([], None)
    options = BuildOptions(version_compatible=True, hardware="ampere-plus")
    build._set_modes(config, full, options, Place("sm87", None))
    assert (config.flags, config.hardware_compatibility_level) == (["compatible"], 1)
    with pytest.raises(MarEdgeError, match=r"has no --hardware same-capability; it has same, ampere-plus"):
        build._set_modes(config, full, BuildOptions(hardware="same-capability"), Place("sm87", None))
