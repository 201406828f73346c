"""MANet's model file: the same function as its network, from pictures as they were decoded."""

import hashlib

import msgspec
import networks
import numpy as np
import onnx
import pytest
import torch

from mar_edge.edge.errors import MarEdgeError
from mar_edge.edge.model_file import METADATA_KEY, ModelMetadata, parse_metadata
from mar_edge.edge.network.checkpoint import save_checkpoint
from mar_edge.edge.network.inputs import picture_input
from mar_edge.edge.network.manet import MANetConfig
from mar_edge.edge.runtime.onnxruntime import OnnxRuntime
from mar_edge.edge.runtime.openvino import OpenVino
from mar_edge.export import command
from mar_edge.export.command import export_model
from mar_edge.export.manet import deployed_manet
from mar_edge.export.manet_graph import DeployManet
from mar_edge.export.onnx_file import largest_difference
from mar_edge.export.regions import marks_of


def pictures(clips, size=224, seed=0):
    rng = np.random.default_rng(seed)
    return rng.integers(0, 256, (clips, 8, size, size, 3), dtype=np.uint8)


def metadata_of(path) -> ModelMetadata:
    (document,) = (entry.value for entry in onnx.load(path).metadata_props if entry.key == METADATA_KEY)
    return parse_metadata(document, str(path))


@torch.no_grad()
@pytest.mark.parametrize("config", [networks.MANET, MANetConfig(5, 7, (2, 1, 1, 2), 16)])
@pytest.mark.parametrize(("temperature", "activation"), [(1.0, "softmax"), (2.5, "sigmoid")])
def test_the_graph_is_the_network(config, temperature, activation):
    network = networks.golden_manet(config)
    frames = torch.from_numpy(pictures(2, 64))
    logits, probs, features = DeployManet(network, temperature, activation).eval()(frames)
    expected, _ = network(picture_input(frames))
    torch.testing.assert_close(logits, expected, rtol=0, atol=1e-4)
    tempered = expected / temperature
    expected_probs = tempered.softmax(dim=1) if activation == "softmax" else tempered.sigmoid()
    torch.testing.assert_close(probs, expected_probs, rtol=0, atol=1e-5)
    torch.testing.assert_close(features, network.pooled(picture_input(frames)).mean(dim=1), rtol=0, atol=1e-4)
    assert len(torch.unique(logits.round(decimals=3))) > 4


def test_inputs_and_outputs_are_the_contract(manet_model):
    model = onnx.load(manet_model.path)
    shapes = {v.name: [d.dim_value for d in v.type.tensor_type.shape.dim][1:] for v in model.graph.input}
    assert shapes == {"frames": [8, 224, 224, 3]}
    assert model.graph.input[0].type.tensor_type.elem_type == onnx.TensorProto.UINT8
    shapes = {v.name: [d.dim_value for d in v.type.tensor_type.shape.dim][1:] for v in model.graph.output}
    assert shapes == {"logits": [12], "probs": [12], "features": [networks.MANET.features]}
    for value in (*model.graph.input, *model.graph.output):
        assert value.type.tensor_type.shape.dim[0].dim_param, f"{value.name} has a fixed batch"
    assert {imported.domain: imported.version for imported in model.opset_import} == {"": 20}
    assert not {node.op_type for node in model.graph.node} & {"BatchNormalization", "Tanh"}  # folded; no embedding
    int8 = {marks_of(node).int8 for node in model.graph.node} - {None}
    assert len(int8) == 3 * 5 + 4  # three convolutions of each block, and the first skip of each stage


@pytest.mark.parametrize(("batch", "runtime"), [(1, OnnxRuntime), (3, OnnxRuntime), (2, OpenVino)])
@torch.no_grad()
def test_the_file_gives_the_networks_answers(manet_model, batch, runtime):
    frames = pictures(batch, seed=batch)
    with runtime(manet_model.path, 1) as opened:
        outputs = opened.infer({"frames": frames})
    logits, probs, features = (outputs[name] for name in ("logits", "probs", "features"))
    expected, _ = manet_model.network(picture_input(torch.from_numpy(frames)))
    np.testing.assert_allclose(logits, expected.numpy(), rtol=0, atol=1e-4)
    np.testing.assert_allclose(probs, expected.softmax(dim=1).numpy(), rtol=0, atol=1e-5)
    weight, bias = (p.detach().numpy() for p in manet_model.network.cls_head.fc_cls.parameters())
    np.testing.assert_allclose(features @ weight.T + bias, logits, rtol=0, atol=1e-4)


def test_the_difference_is_found(manet_model):
    metadata = metadata_of(manet_model.path)
    assert largest_difference(manet_model.path, deployed_manet(manet_model.network, metadata)) < 1e-5
    other = networks.golden_manet(networks.MANET)
    other.backbone.get_submodule("layer3.0.conv1.conv.fcce.2").weight.data[3] *= 1.1  # one gate of one block
    assert largest_difference(manet_model.path, deployed_manet(other, metadata)) > 1e-4
    as_sigmoid = msgspec.structs.replace(metadata, activation="sigmoid")
    assert largest_difference(manet_model.path, deployed_manet(manet_model.network, as_sigmoid)) > 0.01


def test_the_file_describes_itself(manet_model):
    metadata = metadata_of(manet_model.path)
    assert (metadata.family, metadata.layout, metadata.streams) == ("manet", "ma52", ())
    assert (metadata.name, metadata.window_s, metadata.precision) == ("tiny pictures", 1.5, "fp32")
    assert (metadata.labels, metadata.background) == (networks.LABELS, networks.BACKGROUND)
    assert metadata.sources_sha256 == (hashlib.sha256(manet_model.source.read_bytes()).hexdigest(),)


@pytest.fixture
def written(monkeypatch):
    """Return what would be written, without the graph."""
    calls = []
    monkeypatch.setattr(command, "deployed_manet", lambda network, metadata: network)
    monkeypatch.setattr(command, "write_model", lambda path, network, metadata: calls.append((network, metadata)) or 0)
    return calls


def test_the_authors_file_is_exported_with_the_labels_of_ma52(written, tmp_path):
    network = networks.golden_manet(MANetConfig(52, 6, (1, 1, 1, 1), 8))
    torch.save(networks.manet_file(network), tmp_path / "manet.pth")
    exported = export_model(tmp_path / "manet.pth", None, layout_name="ma52", stream="joint", out=tmp_path / "m.onnx")
    ((given, metadata),) = written
    assert torch.equal(given.cls_head.fc_cls.weight, network.cls_head.fc_cls.weight)
    assert (metadata.name, metadata.family, metadata.window_s) == ("MANet", "manet", 2.0)
    assert metadata.labels[9].name == "nodding"
    assert (metadata.background, metadata.activation) == (None, "softmax")
    assert exported.read_as == (
        f"{tmp_path / 'manet.pth'}: read from its 'state_dict'; 12 unused tensors left out (action_p2_*)",
    )


def test_a_manet_is_no_stream_and_no_half_of_a_pair(written, manet_model, tmp_path):
    joint = networks.save_state_dict(tmp_path / "joint.pt", networks.golden(networks.MA52))
    for paths, stream in (((manet_model.source, None), "bone"), ((manet_model.source, joint), "both")):
        with pytest.raises(MarEdgeError, match="which has no streams: name it alone, without --stream"):
            export_model(*paths, layout_name="ma52", stream=stream, out=tmp_path / "m.onnx")
    with pytest.raises(MarEdgeError, match="which is no stream of an MMN: name it alone"):
        export_model(joint, manet_model.source, layout_name="ma52", stream="both", out=tmp_path / "m.onnx")
    with pytest.raises(MarEdgeError, match="is a network of the layout ma52; expected a network of imigue"):
        export_model(manet_model.source, None, layout_name="imigue", stream="joint", out=tmp_path / "m.onnx")
    assert not written


def test_a_command_line_exports_it(here, manet_model, tmp_path, written):
    save_checkpoint(tmp_path / "best.pt", manet_model.network, networks.MANET_INFO)
    done = here("export", tmp_path / "best.pt", "--out", tmp_path / "m.onnx", "--window-s", "2.5")
    assert (done.returncode, done.stderr) == (0, "")
    assert "tiny pictures, 12 classes" in done.stdout
    assert written[0][1].window_s == 2.5


def test_views_are_for_skeletons(written, manet_model, tmp_path):
    options = {"layout_name": "ma52", "stream": "joint", "out": tmp_path / "m.onnx"}
    with pytest.raises(MarEdgeError, match="--view-s is for skeletons"):
        export_model(manet_model.source, None, **options, views_s=(1.0,))
    assert not written
