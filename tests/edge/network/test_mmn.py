"""The network against numbers measured on the authors' own, and properties that those do not cover."""

import networks
import numpy as np
import pytest
import torch

from mar_edge.edge.network.mmn import MMN, Block, MMNConfig

FULL = {"ma52": MMNConfig(44, 52), "imigue": MMNConfig(22, 32)}
CORNER = (slice(0, 1), slice(0, 8), slice(0, 4), slice(0, 6))
FEATURES = ("embedding", *(f"scale{i}_{end}" for i in range(4) for end in ("in", "block0_out", "out")), "fusion_out")


@pytest.fixture(scope="module", params=["ma52", "imigue"])
def layout_name(request):
    return request.param


@pytest.fixture(scope="module")
def full(layout_name):
    return networks.golden(FULL[layout_name])


@pytest.fixture(scope="module")
def measured(data, layout_name):
    return np.load(data / f"golden_mmn_{layout_name}.npz")


@torch.no_grad()
def test_logits_equal_the_authors(full, measured):
    logits = full(torch.from_numpy(measured["x"]), torch.from_numpy(measured["index_t"]))
    assert np.ptp(measured["logits"]) > 1  # so that 1e-4 is small
    np.testing.assert_allclose(logits.numpy(), measured["logits"], rtol=0, atol=1e-4)


@torch.no_grad()
def test_feature_maps_equal_the_authors(full, measured):
    features = full.features(torch.from_numpy(measured["x"][:1]), torch.from_numpy(measured["index_t"][:1]))
    assert set(features) == set(FEATURES)
    for name in FEATURES:
        corner = features[name][CORNER].numpy()
        np.testing.assert_allclose(corner, measured[name], rtol=0, atol=1e-4, err_msg=name)


def test_keys_and_shapes_are_those_of_a_published_checkpoint_in_order(full, data):
    sizes = {"V": str(full.config.num_joints), "K": str(full.config.num_classes)}
    rows = [line.split("\t") for line in (data / "state_dict.tsv").read_text().splitlines()[1:]]
    expected = [(name, tuple(int(sizes.get(n, n)) for n in shape.split(",") if n)) for name, shape in rows]
    assert len(expected) == 655
    assert [(name, tuple(tensor.shape)) for name, tensor in full.state_dict().items()] == expected


def test_the_size_is_the_published_one():
    assert sum(p.numel() for p in MMN(FULL["ma52"]).parameters()) == 1_325_186


@pytest.mark.parametrize("name", ["ma52", "imigue"])
@torch.no_grad()
def test_every_measured_number(shared, name):
    measured = np.load(shared(f"spec/golden_mmn_{name}.npz"))
    logits = networks.golden(FULL[name])(torch.from_numpy(measured["x"]), torch.from_numpy(measured["index_t"]))
    np.testing.assert_allclose(logits.numpy(), measured["logits"], rtol=0, atol=1e-4)


@pytest.mark.parametrize(
    ("config", "channels"),
    [
        (MMNConfig(44, 12, "motion", 16, (1, 1, 1, 1)), 6),
        (MMNConfig(22, 5, "raw", 32, (1, 2, 3, 1)), 2),
        (MMNConfig(7, 2, "motion", 48, (2, 1, 1, 1)), 6),
    ],
)
@torch.no_grad()
def test_other_sizes_have_the_shapes_they_should(config, channels):
    network = MMN(config).eval()
    C, V = config.width, config.num_joints
    skeleton, index_t = networks.windows(3, V)
    x = torch.from_numpy(skeleton).permute(0, 3, 1, 2).unsqueeze(-1)
    features = network.features(x, torch.from_numpy(index_t))
    assert network(x, torch.from_numpy(index_t)).shape == (3, config.num_classes)
    assert network.projection[0].in_channels == channels
    for i, T in enumerate((64, 32, 16, 8)):
        for end in ("in", "block0_out", "out"):
            assert features[f"scale{i}_{end}"].shape == (3, C, T, V)
        assert len(network.MFM[i].blocks) == config.depths[i]
    assert features["fusion_out"].shape == (3, C, 8, V)


@pytest.mark.parametrize("width", [0, 8, 40, -16])
def test_a_width_that_does_not_split_into_heads_is_an_error(width):
    with pytest.raises(ValueError, match=f"multiple of 16, got {width}"):
        MMNConfig(44, 52, width=width)


@pytest.mark.parametrize("depths", [(1, 1, 1), (1, 1, 1, 1, 1), (1, 0, 1, 1)])
def test_depths_that_are_not_four_scales_are_an_error(depths):
    with pytest.raises(ValueError, match="depths must be 4 numbers of at least 1"):
        MMNConfig(44, 52, depths=depths)


@pytest.mark.parametrize(
    ("encoding", "landmarks", "expected"),
    [
        ("contact", (), "only contact encoding has landmarks"),
        ("motion", (3,), "only contact encoding has landmarks"),
        ("contact", (0, 44), "0 to 43"),
        ("contact", (-1,), "0 to 43"),
    ],
)
def test_wrong_landmarks_are_an_error(encoding, landmarks, expected):
    with pytest.raises(ValueError, match=expected):
        MMNConfig(44, 52, encoding, landmarks=landmarks)


@torch.no_grad()
def test_evaluation_is_deterministic_and_windows_do_not_influence_each_other():
    network = networks.golden(networks.MA52)
    skeleton, index_t = networks.windows(4, 44)
    x, index_t = torch.from_numpy(skeleton).permute(0, 3, 1, 2).unsqueeze(-1), torch.from_numpy(index_t)
    together = network(x, index_t)
    torch.testing.assert_close(network(x, index_t), together, rtol=0, atol=0)
    alone = torch.cat([network(x[i : i + 1], index_t[i : i + 1]) for i in range(4)])
    torch.testing.assert_close(alone, together, rtol=0, atol=1e-5)


@torch.no_grad()
def test_drop_path_drops_whole_branches_in_training_only():
    torch.manual_seed(0)
    block = Block(16, 5, drop_path=0.5)
    x = torch.randn(256, 16, 8, 5)
    kept = block._drop(torch.ones_like(x))
    per_sample = kept.flatten(1)
    assert torch.equal(per_sample.amin(dim=1), per_sample.amax(dim=1))  # a sample keeps all of it or nothing
    assert set(per_sample[:, 0].tolist()) == {0.0, 2.0}
    assert kept.mean() == pytest.approx(1, abs=0.2)
    block.eval()
    assert torch.equal(block._drop(x), x)
    assert torch.equal(block(x), block(x))


def test_drop_path_rises_over_all_blocks():
    network = MMN(MMNConfig(5, 2, width=16, depths=(1, 2, 1, 1)), drop_path=0.4)
    rates = [block.drop_path for scale in network.MFM for block in scale.blocks]
    assert rates == pytest.approx([0, 0.1, 0.2, 0.3, 0.4])
