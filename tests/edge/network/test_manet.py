"""MANet against numbers measured on the authors' own, and properties that those do not cover."""

from contextlib import ExitStack

import networks
import numpy as np
import pytest
import torch
from torch import nn

from mar_edge.edge.network.inputs import picture_input
from mar_edge.edge.network.manet import MANet, MANetConfig, ShiftedConv, joint_embedding_loss, shifted

ROWS = [0, 1, 7, 8, 15]


@pytest.fixture(scope="module")
def measured(data):
    return np.load(data / "golden_manet.npz")


@pytest.fixture(scope="module")
def full():
    return networks.golden_manet(MANetConfig())


def frames(clips, size):
    """Return the frames (clips, 8, size, size, 3) of the specification."""
    f, y, x, c, s = *np.ogrid[: 8 * clips, :size, :size, :3], 0.5
    wave = np.sin((0.02 + 0.011 * f) * x + (0.05 - 0.006 * f) * y + 1.3 * c + 0.7 * f + s)
    values = np.floor(128 + 127 * wave * np.cos(0.9 * f + 0.013 * s * x))
    return values.astype(np.uint8).reshape(clips, 8, size, size, 3)


@pytest.fixture(scope="module")
def outputs(full):
    """Return logits and embedding of two clips, and the maps inside by the module's name."""
    maps: dict[str, np.ndarray] = {}
    with ExitStack() as hooks, torch.no_grad():
        for name, module in full.backbone.named_modules():
            hook = module.register_forward_hook(lambda _, __, out, name=name: maps.update({name: out.numpy()}))
            hooks.callback(hook.remove)
        logits, embedding = full(picture_input(torch.from_numpy(frames(2, 64))))
    return logits.numpy(), embedding.numpy(), maps


def test_logits_and_embedding_equal_the_authors(outputs, measured):
    logits, embedding, _ = outputs
    assert np.ptp(measured["logits"]) > 1  # so that 1e-4 is small
    np.testing.assert_allclose(logits, measured["logits"], rtol=0, atol=1e-4)
    np.testing.assert_allclose(embedding, measured["embedding"], rtol=0, atol=1e-4)
    probs = torch.from_numpy(logits).softmax(dim=1).numpy()
    np.testing.assert_allclose(probs, measured["probs"], rtol=0, atol=1e-4)


def test_the_maps_inside_equal_the_authors(outputs, measured):
    _, _, maps = outputs
    names = [key.removeprefix("act/") for key in measured.files if key.startswith("act/")]
    assert len(names) == 20
    for name in names:
        match name:
            case "features":
                found = maps["layer4.2"].mean(axis=(2, 3))[:, :16]
            case "conv1":  # the measured ones are those after ReLU
                found = maps[name][ROWS][:, :6, :3, :3].clip(0)
            case _:
                found = maps[name][ROWS][:, :6, :3, :3]
        np.testing.assert_allclose(found, measured[f"act/{name}"], rtol=0, atol=1e-4, err_msg=name)


@torch.no_grad()
def test_a_clip_of_the_deployed_size_equals_the_authors(full, measured):
    clip = frames(1, 224)
    assert clip.sum(dtype=np.int64) == measured["frames224_sum"]
    np.testing.assert_array_equal(clip.ravel()[:32], measured["frames224_head"])
    logits, embedding = full(picture_input(torch.from_numpy(clip)))
    np.testing.assert_allclose(logits.numpy(), measured["logits224"], rtol=0, atol=1e-4)
    np.testing.assert_allclose(embedding.numpy(), measured["embedding224"], rtol=0, atol=1e-4)


def test_the_loss_equals_the_authors(measured):
    labels = torch.from_numpy(measured["loss_labels"])
    vectors = torch.zeros(52, 300)
    vectors[labels] = torch.from_numpy(measured["loss_word_vectors"])
    logits, embedding = (torch.from_numpy(measured[name]) for name in ("logits", "embedding"))
    assert joint_embedding_loss(logits, embedding, labels, vectors).item() == pytest.approx(measured["loss"], abs=1e-4)


def test_keys_and_shapes_are_those_of_a_published_checkpoint_in_order(full, data):
    rows = [line.split("\t") for line in (data / "state_dict_manet.tsv").read_text().splitlines()[1:]]
    published = {name: tuple(int(n) for n in shape.split(",") if n) for _, name, shape, _ in rows}
    assert list(published) == networks.published_keys(full.state_dict())
    used = {name: shape for name, shape in published.items() if "action_p2" not in name}
    assert {name: tuple(tensor.shape) for name, tensor in full.state_dict().items()} == used


def test_the_size_is_the_published_one(full):
    assert sum(p.numel() for p in full.parameters()) == 43_235_676 - 10_951_424
    gates = [m.fcce for m in full.modules() if isinstance(m, ShiftedConv)]
    assert sum(p.numel() for gate in gates for p in gate.parameters()) == 7_964_672


def test_channels_move_one_frame_within_their_clip():
    x = torch.arange(2 * 3 * 19, dtype=torch.float32).reshape(6, 19, 1, 1) + 1  # 19 // 8 = 2
    clips, moved = x.reshape(2, 3, 19), shifted(x, 3).reshape(2, 3, 19)
    torch.testing.assert_close(moved[:, :2, :2], clips[:, 1:, :2])
    torch.testing.assert_close(moved[:, 1:, 2:4], clips[:, :-1, 2:4])
    assert not moved[:, 2, :2].any()
    assert not moved[:, 0, 2:4].any()
    torch.testing.assert_close(moved[:, :, 4:], clips[:, :, 4:])


@torch.no_grad()
def test_a_frame_is_gated_by_itself_before_it_is_shifted():
    torch.manual_seed(0)
    layer, x = ShiftedConv(8, 8), torch.randn(3, 8, 4, 4)
    layer.net.weight[:] = torch.eye(8)[..., None, None]  # the convolution lets through what comes in
    gates = torch.stack([layer.fcce(frame.mean(dim=(1, 2))) for frame in x])
    expected = (x * gates[..., None, None]).clone()
    out = layer(x, 3)
    torch.testing.assert_close(out[:, 2:], expected[:, 2:])
    torch.testing.assert_close(out[:2, 0], expected[1:, 0])
    torch.testing.assert_close(out[1:, 1], expected[:2, 1])


@torch.no_grad()
def test_clips_of_a_batch_do_not_influence_each_other():
    network = networks.golden_manet(networks.MANET)
    imgs = picture_input(torch.from_numpy(frames(3, 64)))
    logits, embedding = network(imgs)
    assert logits.shape == (3, 12)
    assert embedding.shape == (3, 6)
    assert network.pooled(imgs).shape == (3, 8, networks.MANET.features) == (3, 8, 256)
    alone = torch.cat([network(imgs[i : i + 1])[0] for i in range(3)])
    torch.testing.assert_close(alone, logits, rtol=0, atol=1e-5)
    assert not torch.allclose(network(imgs.flip(1))[0], logits, atol=1e-3)  # the order of frames counts


def test_both_heads_lose_the_same_features_in_training():
    network = networks.golden_manet(networks.MANET).train()
    seen = []
    for layer in (network.cls_head.fc_cls, network.cls_head.fc_emb):
        layer.register_forward_pre_hook(lambda _, inputs: seen.append(inputs[0]))
    network.cls_head(torch.ones(2, 8, networks.MANET.features))
    assert torch.equal(seen[0], seen[1])
    assert set(seen[0].unique().tolist()) == {0.0, 2.0}


def test_gates_and_heads_start_as_the_authors_do():
    network = MANet(networks.MANET)
    for layer in (network.cls_head.fc_cls, network.cls_head.fc_emb, network.cls_head.fc_emb_t):
        assert layer.weight.std().item() == pytest.approx(0.001, rel=0.5)
        assert not layer.bias.any()
    assert all(m.bias is None for m in network.backbone.modules() if isinstance(m, nn.Conv2d | nn.Linear))


@pytest.mark.parametrize(
    ("shape", "expected"),
    [
        ({"width": 12}, "width must be a multiple of 8, got 12"),
        ({"width": 0}, "got 0"),
        ({"depths": (1, 1, 1)}, "depths must be 4 numbers of at least 1"),
        ({"depths": (1, 0, 1, 1)}, "depths must be 4 numbers of at least 1"),
    ],
)
def test_shapes_that_no_network_has_are_an_error(shape, expected):
    with pytest.raises(ValueError, match=expected):
        MANetConfig(**shape)
