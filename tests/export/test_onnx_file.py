"""The model file: its contract, its equality with PyTorch, and the check that refuses any difference."""

import hashlib

import msgspec
import networks
import numpy as np
import onnx
import onnxruntime as ort
import pytest
import torch
from onnx import numpy_helper

from mar_edge.edge.errors import MarEdgeError
from mar_edge.edge.labels import default_labels
from mar_edge.edge.layout import load_layout
from mar_edge.edge.model_file import METADATA_KEY, ModelMetadata, parse_metadata
from mar_edge.edge.network.mmn import MMNConfig
from mar_edge.export import onnx_file
from mar_edge.export.mmn import deployed_mmn, reference_logits
from mar_edge.export.onnx_file import largest_difference, write_model

IMIGUE = load_layout("imigue")


@pytest.fixture(params=["ma52_model", "imigue_model"])
def exported(request):
    return request.getfixturevalue(request.param)


def metadata_of(path) -> ModelMetadata:
    props = {entry.key: entry.value for entry in onnx.load(path).metadata_props}
    return parse_metadata(props[METADATA_KEY], str(path))


def dims(value):
    return [d.dim_param or d.dim_value for d in value.type.tensor_type.shape.dim]


@pytest.mark.parametrize("batch", [1, 3])
def test_it_gives_the_networks_logits_and_probabilities(exported, batch):
    skeleton, index_t = networks.windows(batch, exported.layout.num_joints)
    session = ort.InferenceSession(str(exported.path), providers=["CPUExecutionProvider"])
    logits, probs = session.run(["logits", "probs"], {"skeleton": skeleton, "index_t": index_t})
    expected = reference_logits(
        exported.networks, exported.layout, torch.from_numpy(skeleton), torch.from_numpy(index_t)
    )
    np.testing.assert_allclose(logits, expected.numpy(), rtol=0, atol=1e-4)
    np.testing.assert_allclose(probs, expected.softmax(dim=-1).numpy(), rtol=0, atol=1e-5)


def test_its_features_are_what_the_classifier_sees_by_region(exported):
    skeleton, index_t = networks.windows(2, exported.layout.num_joints)
    session = ort.InferenceSession(str(exported.path), providers=["CPUExecutionProvider"])
    logits, features = session.run(["logits", "features"], {"skeleton": skeleton, "index_t": index_t})
    ((_, network),) = exported.networks
    by_region = features.reshape(2, network.config.width, -1)
    counts = (exported.layout.region_means > 0).sum(axis=0)
    seen = by_region @ (counts / counts.sum()).astype(np.float32)  # the mean over all joints
    weight, bias = (p.detach().numpy() for p in (network.head.weight, network.head.bias))
    np.testing.assert_allclose(seen @ weight.T + bias, logits, rtol=0, atol=1e-4)
    assert np.abs(np.diff(by_region, axis=2)).max() > 0.01


def test_joint_order_and_every_input_matter(exported):
    skeleton, index_t = networks.windows(1, exported.layout.num_joints)
    session = ort.InferenceSession(str(exported.path), providers=["CPUExecutionProvider"])

    def logits(skeleton, index_t):
        return session.run(["logits"], {"skeleton": skeleton, "index_t": index_t})[0]

    expected = logits(skeleton, index_t)
    shuffled = skeleton[:, :, list(exported.layout.network_order)]
    for other in (logits(shuffled, index_t), logits(skeleton[:, ::-1].copy(), index_t), logits(skeleton, index_t / 2)):
        assert np.abs(other - expected).max() > 1e-3


def test_inputs_and_outputs_are_the_contract(exported):
    model = onnx.load(exported.path)
    V, K = exported.layout.num_joints, exported.networks[0][1].config.num_classes
    assert {i.name: dims(i)[1:] for i in model.graph.input} == {"skeleton": [64, V, 2], "index_t": [64]}
    D = exported.layout.region_means.shape[1] * sum(network.config.width for _, network in exported.networks)
    assert {o.name: dims(o)[1:] for o in model.graph.output} == {"logits": [K], "probs": [K], "features": [D]}
    for value in (*model.graph.input, *model.graph.output):
        assert value.type.tensor_type.elem_type == onnx.TensorProto.FLOAT
        assert isinstance(dims(value)[0], str), f"{value.name} has a fixed batch"


def test_opset_and_nodes(exported):
    model = onnx.load(exported.path)
    assert {imported.domain: imported.version for imported in model.opset_import} == {"": 20}
    assert not {node.op_type for node in model.graph.node} & {"BatchNormalization", "Einsum"}
    assert not model.functions


def test_the_file_describes_itself(ma52_model, imigue_model):
    ours = metadata_of(ma52_model.path)
    assert (ours.layout, ours.streams, ours.encoding) == ("ma52", ("joint",), "motion")
    assert (ours.name, ours.window_s, ours.precision) == ("tiny joint", 1.5, "fp32")
    assert (ours.labels, ours.background) == (networks.LABELS, networks.BACKGROUND)
    assert (ours.training_data, ours.licence) == ("nothing at all", "Apache-2.0")
    assert ours.accuracy == {"top1": 0.5, "f1 nodding": 0.25}
    theirs = metadata_of(imigue_model.path)
    assert (theirs.layout, theirs.streams, theirs.encoding) == ("imigue", ("bone",), "raw")
    assert [label.name for label in theirs.labels] == [f"class {i}" for i in range(32)]
    assert (theirs.background, theirs.window_s, theirs.licence) == (None, 2.0, "that of the checkpoint")
    assert theirs.training_data.startswith("unknown")
    for metadata, exported in ((ours, ma52_model), (theirs, imigue_model)):
        assert metadata.sources_sha256 == tuple(
            hashlib.sha256(path.read_bytes()).hexdigest() for path in exported.sources
        )


def test_nothing_else_is_left_in_the_folder(ma52_model):
    assert [path.name for path in ma52_model.path.parent.iterdir()] == ["model.onnx"]


def test_the_difference_is_found(imigue_model):
    assert largest_difference(imigue_model.path, deployed_mmn(imigue_model.networks, IMIGUE, METADATA)) < 1e-5
    other = [("bone", networks.golden(networks.IMIGUE, 7))]
    assert largest_difference(imigue_model.path, deployed_mmn(other, IMIGUE, METADATA)) > 0.01
    as_sigmoid = msgspec.structs.replace(METADATA, activation="sigmoid")  # correct logits, other probabilities
    assert largest_difference(imigue_model.path, deployed_mmn(imigue_model.networks, IMIGUE, as_sigmoid)) > 0.01
    as_joints = [("joint", imigue_model.networks[0][1])]
    assert largest_difference(imigue_model.path, deployed_mmn(as_joints, IMIGUE, METADATA)) > 0.01


METADATA = ModelMetadata(
    name="x", layout="imigue", streams=("bone",), encoding="raw", labels=default_labels("imigue", 32)
)


@pytest.fixture
def converted_before(monkeypatch, imigue_model):
    """Make the conversion return the imigue network's graph for any input, without delay."""
    model = onnx.load(imigue_model.path)
    del model.metadata_props[:]
    monkeypatch.setattr(onnx_file, "to_onnx", lambda *_: onnx.ModelProto.FromString(model.SerializeToString()))


@pytest.mark.usefixtures("converted_before")
@pytest.mark.parametrize("there_before", [True, False])
def test_a_graph_that_differs_slightly_is_refused_and_leaves_nothing(tmp_path, there_before):
    network = networks.golden(networks.IMIGUE)
    network.head.bias.data[3] += 3e-4
    path = tmp_path / "model.onnx"
    if there_before:
        path.write_text("a good model")
    with pytest.raises(MarEdgeError, match=r"not written: its answers differ .* by 3\.0e-04, more than 1e-04"):
        write_model(path, deployed_mmn([("bone", network)], IMIGUE, METADATA), METADATA)
    assert [p.name for p in tmp_path.iterdir()] == ["model.onnx"] * there_before
    assert not there_before or path.read_text() == "a good model"


@pytest.mark.usefixtures("converted_before")
def test_nan_logits_are_refused(tmp_path):
    network = networks.golden(networks.IMIGUE)
    network.head.bias.data[3] = float("nan")
    with pytest.raises(MarEdgeError, match="differ from the PyTorch network by nan"):
        write_model(tmp_path / "model.onnx", deployed_mmn([("bone", network)], IMIGUE, METADATA), METADATA)
    assert not list(tmp_path.iterdir())


@pytest.mark.usefixtures("converted_before")
def test_a_path_that_cannot_be_written_is_an_error(imigue_model, tmp_path):
    (tmp_path / "file").write_text("")
    (tmp_path / "folder").mkdir()
    for path in (tmp_path / "file" / "model.onnx", tmp_path / "folder"):
        with pytest.raises(MarEdgeError, match=f"cannot write {path}"):
            write_model(path, deployed_mmn(imigue_model.networks, IMIGUE, METADATA), METADATA)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["file", "folder"]


@pytest.mark.slow
def test_a_pair_averages_its_logits(here, pair_model, tmp_path):
    """Export a joint and a bone network through the command line."""
    path, pair = tmp_path / "model.onnx", pair_model.networks
    done = here("export", *pair_model.sources, "--stream", "both", "--out", path)
    assert (done.returncode, done.stderr) == (0, "")
    metadata = metadata_of(path)
    assert metadata.streams == ("joint", "bone")
    assert metadata.accuracy == {}  # scores of one stream are not the pair's
    assert len(set(metadata.sources_sha256)) == 2
    assert largest_difference(path, deployed_mmn(pair, pair_model.layout, metadata)) < 1e-5
    assert largest_difference(path, deployed_mmn([pair[0], ("bone", pair[0][1])], pair_model.layout, metadata)) > 0.01


def test_a_corrupted_deploy_graph_is_refused(monkeypatch, imigue_model, tmp_path):
    corrupted = onnx.load(imigue_model.path)
    del corrupted.metadata_props[:]
    (adjacency,) = (t for t in corrupted.graph.initializer if t.name.endswith("scales.1.blocks.0.mix.adjacency"))
    values = numpy_helper.to_array(adjacency).copy()
    values[0, 3, 4] += 1.0
    adjacency.CopyFrom(numpy_helper.from_array(values, adjacency.name))
    monkeypatch.setattr(onnx_file, "to_onnx", lambda *_: corrupted)
    with pytest.raises(MarEdgeError, match="not written: its answers differ"):
        write_model(tmp_path / "model.onnx", deployed_mmn(imigue_model.networks, IMIGUE, METADATA), METADATA)
    assert not list(tmp_path.iterdir())


@pytest.mark.soak
@pytest.mark.usefixtures("kept_conversions")
def test_the_full_size_network(tmp_path, data):
    """Compare the file's output with the authors' numbers for their input.

    By default, a smaller network is converted (``imigue_model``), and these numbers are those of the graph in PyTorch.
    """
    layout = load_layout("ma52")
    path = tmp_path / "model.onnx"
    metadata = ModelMetadata(
        name="x", layout="ma52", streams=("joint",), encoding="raw", labels=default_labels("ma52", 52)
    )
    write_model(path, deployed_mmn([("joint", networks.golden(MMNConfig(44, 52)))], layout, metadata), metadata)
    measured = np.load(data / "golden_mmn_ma52.npz")
    skeleton = np.empty((len(measured["x"]), 64, 44, 2), np.float32)
    skeleton[:, :, list(layout.network_order)] = measured["x"][..., 0].transpose(0, 2, 3, 1)
    session = ort.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    (logits,) = session.run(["logits"], {"skeleton": skeleton, "index_t": measured["index_t"]})
    np.testing.assert_allclose(logits, measured["logits"], rtol=0, atol=1e-4)
