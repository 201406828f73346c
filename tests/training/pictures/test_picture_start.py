"""Weights to start from: torchvision's ResNet-50 by its key names, and other MANets by the names of their labels."""

import re

import pytest
import torch

from mar_edge.edge.errors import MarEdgeError
from mar_edge.edge.labels import Label
from mar_edge.edge.network.checkpoint import CheckpointInfo, save_checkpoint
from mar_edge.edge.network.manet import MANet, MANetConfig
from mar_edge.training.pictures.start import open_picture_start, start_from

LABELS = (Label(0, "a", ""), Label(1, "b", ""), Label(2, "c", ""))
TINY = MANetConfig(3, 4, (2, 1, 1, 1), 8)


def network(config=TINY, seed=0):
    torch.manual_seed(seed)
    return MANet(config)


def resnet(depths=(2, 1, 1, 1), width=8):
    """Return a state_dict with the keys and shapes of torchvision's ResNet with bottlenecks, in its order."""
    generator = torch.Generator().manual_seed(5)
    state = {}

    def conv(name, outputs, inputs, size):
        state[f"{name}.weight"] = torch.randn(outputs, inputs, size, size, generator=generator)

    def norm(name, channels):
        for part in ("weight", "bias", "running_mean", "running_var"):
            state[f"{name}.{part}"] = torch.rand(channels, generator=generator)
        state[f"{name}.num_batches_tracked"] = torch.tensor(7)

    conv("conv1", width, 3, 7)
    norm("bn1", width)
    inputs = width
    for layer, depth in enumerate(depths):
        inside = width << layer
        for block in range(depth):
            name = f"layer{layer + 1}.{block}"
            for number, (outputs, of, size) in enumerate(
                [(inside, inputs, 1), (inside, inside, 3), (4 * inside, inside, 1)], 1
            ):
                conv(f"{name}.conv{number}", outputs, of, size)
                norm(f"{name}.bn{number}", outputs)
            if not block:
                conv(f"{name}.downsample.0", 4 * inside, inputs, 1)
                norm(f"{name}.downsample.1", 4 * inside)
            inputs = 4 * inside
    state["fc.weight"], state["fc.bias"] = torch.zeros(1000, inputs), torch.zeros(1000)
    return state


def started(path, into=None):
    into = into or network()
    return into, start_from(open_picture_start(path), into, LABELS, str(path))


def test_a_published_resnet50_has_the_keys_of_torchvision():
    state = resnet((3, 4, 6, 3), 64)
    assert len(state) == 320
    assert sum(tensor.numel() for name, tensor in state.items() if re.search(r"(weight|bias)$", name)) == 25_557_032


def test_imagenet_weights_fill_all_but_gates_and_heads(tmp_path):
    torch.save(resnet(), tmp_path / "resnet50.pth")
    filled, line = started(tmp_path / "resnet50.pth")
    assert line == "starts from resnet50.pth: convolutions and BatchNorm of a ResNet; gates and heads are new"
    before, weights = network().state_dict(), resnet()
    for name, tensor in filled.state_dict().items():
        is_new = ".fcce." in name or name.startswith("cls_head.") or name.endswith("num_batches_tracked")
        assert torch.equal(tensor, before[name]) == is_new, name
    state = filled.state_dict()
    assert torch.equal(state["backbone.conv1.conv.weight"], weights["conv1.weight"])
    assert torch.equal(state["backbone.layer1.1.conv1.conv.net.weight"], weights["layer1.1.conv1.weight"])
    assert torch.equal(state["backbone.layer3.0.conv2.bn.running_var"], weights["layer3.0.bn2.running_var"])
    assert torch.equal(state["backbone.layer4.0.downsample.bn.bias"], weights["layer4.0.downsample.1.bias"])


def test_old_files_without_counters_are_read(tmp_path):
    old = {name: tensor for name, tensor in resnet().items() if not name.endswith("num_batches_tracked")}
    torch.save({"state_dict": old}, tmp_path / "old.pth")
    started(tmp_path / "old.pth")


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (lambda state: state.pop("layer2.0.bn3.weight"), "key 'layer2.0.bn3.weight' is missing"),
        (lambda state: state.update({"layer2.0.conv9.weight": torch.zeros(1)}), "key 'layer2.0.conv9.weight' is unexp"),
        (lambda state: state.update({"conv1.weight": torch.zeros(8, 3, 3, 3)}), r"shape \(8, 3, 3, 3\), expected"),
        (lambda state: state["bn1.bias"].fill_(float("nan")), "key 'bn1.bias' holds NaN"),
    ],
)
def test_other_weights_are_refused_by_name(tmp_path, change, expected):
    state = resnet()
    change(state)
    torch.save(state, tmp_path / "other.pth")
    with pytest.raises(MarEdgeError, match=rf"other.pth \(torchvision's resnet50\): .*{expected}"):
        started(tmp_path / "other.pth")


def test_a_trained_manet_keeps_labels_by_name(tmp_path):
    trained = network(MANetConfig(2, 4, (2, 1, 1, 1), 8), seed=3)
    info = CheckpointInfo(
        family="manet",
        layout="ma52",
        labels=(Label(9, "c", ""), Label(8, "a", "")),
        background=None,
        window_s=2.0,
        name="before",
        training_data="videos",
        accuracy={},
        licence="own",
    )
    save_checkpoint(tmp_path / "before.pt", trained, info)
    into, line = started(tmp_path / "before.pt")
    assert line == "starts from before: 2 classes kept and 1 class new (b); all other weights kept"
    rows, old = into.state_dict()["cls_head.fc_cls.weight"], trained.state_dict()["cls_head.fc_cls.weight"]
    assert torch.equal(rows[[2, 0]], old)
    assert torch.equal(rows[1], network().state_dict()["cls_head.fc_cls.weight"][1])
    same = [name for name in into.state_dict() if "fc_cls" not in name]
    assert all(torch.equal(into.state_dict()[name], trained.state_dict()[name]) for name in same)
    shorter, _ = started(tmp_path / "before.pt", network(MANetConfig(3, 6, (2, 1, 1, 1), 8)))
    assert shorter.state_dict()["cls_head.fc_emb.weight"].shape[0] == 6  # other word vectors: that head is new


def test_what_is_neither_is_refused(tmp_path):
    from mar_edge.training.transfer import default_checkpoint_path

    with pytest.raises(MarEdgeError, match="is a checkpoint of a network on skeletons; videos take one of a MANet"):
        open_picture_start(default_checkpoint_path())
    (tmp_path / "text.pth").write_text("hello")
    with pytest.raises(MarEdgeError, match="is not a checkpoint of tensors"):
        open_picture_start(tmp_path / "text.pth")
