"""Weights between two checkpoints, as a mixture of weights says, and nothing between what does not belong together."""

import networks
import pytest
import torch

from edge.checkpoint import load_checkpoint, save_checkpoint
from edge.errors import MarEdgeError
from edge.layout import load_layout
from edge.mmn import MMN, MMNConfig
from training.blend import blend
from training.transfer import open_start, transfer

MA52 = load_layout("ma52")
CONTACT = MMNConfig(44, 12, "contact", 16, (1, 1, 1, 1), MA52.landmark_places)


@pytest.fixture
def start(tmp_path):
    path = tmp_path / "start.pt"
    save_checkpoint(path, networks.golden(networks.MA52), networks.info("joint"))
    return path


def tuned(path, config=networks.MA52, stream="joint"):
    save_checkpoint(path, networks.golden(config, 1000), networks.info(stream))
    return path


def test_every_weight_is_between_the_two(tmp_path, start):
    end = tuned(tmp_path / "end.pt")
    blend(end, start, 0.75, tmp_path / "out.pt")
    one, other, between = (load_checkpoint(path) for path in (end, start, tmp_path / "out.pt"))
    for name, tensor in between.network.state_dict().items():
        expected = 0.75 * one.network.state_dict()[name] + 0.25 * other.network.state_dict()[name]
        if tensor.is_floating_point():
            torch.testing.assert_close(tensor, expected, msg=name)
    assert "0.75 of its weights" in between.info.training_data
    assert between.info.accuracy == {}
    assert between.info.labels == networks.LABELS


def test_a_start_that_encoded_less_is_the_function_that_it_was(tmp_path, start):
    """Blended with what it was widened to, before any training: the same function, whatever the share."""
    network = MMN(CONTACT)
    transfer(open_start(start), network, MA52, networks.LABELS)
    save_checkpoint(tmp_path / "wide.pt", network, networks.info("joint"))
    blend(tmp_path / "wide.pt", start, 0.3, tmp_path / "out.pt")
    x, index_t = torch.randn(2, 2, 64, 44, 1), torch.from_numpy(networks.windows(2, 44)[1])
    with torch.no_grad():
        expected = load_checkpoint(start).network(x, index_t)
        found = load_checkpoint(tmp_path / "out.pt").network(x, index_t)
    torch.testing.assert_close(found, expected, rtol=0, atol=1e-5)


def test_what_does_not_belong_together(tmp_path, start):
    out = tmp_path / "out.pt"
    wide, bone = tuned(tmp_path / "wide.pt", CONTACT), tuned(tmp_path / "bone.pt", stream="bone")
    published = networks.save_state_dict(tmp_path / "published.pt", networks.golden(networks.MA52))
    for end, beginning, share, expected in (
        (wide, start, 1.0, "--share is between 0 and 1"),
        (wide, start, float("nan"), "--share is between 0 and 1"),
        (start, wide, 0.5, "the wrong way round"),
        (bone, start, 0.5, "differ in shape, labels or stream"),
        (published, start, 0.5, "does not say what it is"),
        (tmp_path / "nowhere.pt", start, 0.5, "cannot read checkpoint"),
    ):
        with pytest.raises(MarEdgeError, match=expected):
            blend(end, beginning, share, out)
    assert not out.exists()
    with pytest.raises(MarEdgeError, match="cannot write"):
        blend(wide, start, 0.5, tmp_path / "nowhere" / "out.pt")
