"""Fine-tuning copies weights by the names of classes and joints, and keeps the others."""

from dataclasses import replace

import networks
import numpy as np
import pytest
import torch

from mar_edge.edge.errors import MarEdgeError
from mar_edge.edge.labels import Label, background_label, ma52_labels
from mar_edge.edge.layout import load_layout
from mar_edge.edge.model_file import default_model_path, parse_metadata
from mar_edge.edge.network.checkpoint import save_checkpoint
from mar_edge.edge.network.mmn import MMN, MMNConfig
from mar_edge.edge.runtime.onnxruntime import read_metadata
from mar_edge.training.transfer import PACKAGE, open_start, transfer

MA52, IMIGUE = load_layout("ma52"), load_layout("imigue")
NODDING = networks.LABELS.index(ma52_labels()[9])


@pytest.fixture(scope="module")
def start(tmp_path_factory):
    """Return the start from the tiny ma52 network with 12 classes."""
    path = tmp_path_factory.mktemp("start") / "best.pt"
    save_checkpoint(path, networks.golden(networks.MA52), networks.info("bone"))
    return open_start(path)


def fresh(num_joints, num_classes, encoding="motion"):
    torch.manual_seed(3)
    landmarks = IMIGUE.landmark_places if num_joints == 22 else MA52.landmark_places
    return MMN(
        MMNConfig(num_joints, num_classes, encoding, 16, (1, 1, 1, 1), landmarks if encoding == "contact" else ())
    )


def test_the_description(start):
    assert (start.layout, start.labels, start.stream) == (MA52, networks.LABELS, "bone")
    assert (start.name, start.training_data, start.licence) == ("tiny bone", "nothing at all", "Apache-2.0")
    assert len(start.sha256) == 64


def test_the_package_holds_the_checkpoint_of_its_model():
    model = parse_metadata(read_metadata(default_model_path()), "the model")
    start = open_start(PACKAGE)
    assert model.sources_sha256 == (start.sha256,)
    assert (start.labels, start.layout.name) == (model.labels, model.layout)


def test_the_same_classes_and_joints_are_the_same_network(start):
    network = fresh(44, 12)
    line = transfer(start, network, MA52, networks.LABELS)
    trained = start.network.state_dict()
    for name, tensor in network.state_dict().items():
        assert torch.equal(tensor, trained[name]), name
    assert line == "starts from tiny bone: all 12 classes kept, all 44 joints kept; all other weights kept"


def test_a_richer_encoding_is_the_same_function_at_first(start):
    network = fresh(44, 12, "contact")
    line = transfer(start, network, MA52, networks.LABELS)
    assert line.endswith("all 44 joints kept; contact encoding new; all other weights kept")
    x, index_t = torch.randn(2, 2, 64, 44, 1), torch.from_numpy(networks.windows(2, 44)[1])
    with torch.no_grad():
        torch.testing.assert_close(network.eval()(x, index_t), start.network(x, index_t), rtol=0, atol=1e-5)
    network(x, index_t).square().sum().backward()
    last = network.projection[4].weight.grad
    assert last[:, start.network.projection[4].in_channels :].abs().max() > 0
    assert network.landmarks.tolist() == list(MA52.landmark_places)


def test_contact_is_measured_from_the_landmarks_of_the_new_layout(tmp_path):
    path = networks.save_state_dict(tmp_path / "contact.pt", fresh(44, 12, "contact"))
    network = fresh(22, 12, "contact")
    transfer(open_start(path), network, IMIGUE, networks.LABELS)
    assert network.landmarks.tolist() == list(IMIGUE.landmark_places)


def test_classes_are_matched_by_name(start):
    labels = (Label(0, "waltzing", ""), background_label(), Label(77, "nodding", ""))
    network = fresh(44, 3)
    before = {name: tensor.clone() for name, tensor in network.state_dict().items()}
    line = transfer(start, network, MA52, labels)
    assert "2 classes kept and 1 class new (waltzing), all 44 joints kept" in line
    after, trained = network.state_dict(), start.network.state_dict()
    for part in ("head.weight", "head.bias"):
        assert torch.equal(after[part][0], before[part][0])
        assert torch.equal(after[part][1], trained[part][networks.BACKGROUND])
        assert torch.equal(after[part][2], trained[part][NODDING])
    for name in after.keys() - {"head.weight", "head.bias"}:
        assert torch.equal(after[name], trained[name]), name


def test_joints_are_matched_by_name_at_their_place_in_the_network(start):
    network = fresh(22, 12)
    before = {name: tensor.clone() for name, tensor in network.state_dict().items()}
    line = transfer(start, network, IMIGUE, networks.LABELS)
    after, trained = network.state_dict(), start.network.state_dict()
    place = {MA52.joints[joint]: i for i, joint in enumerate(MA52.network_order)}
    names = [IMIGUE.joints[joint] for joint in IMIGUE.network_order]
    known = [name in place for name in names]
    assert 15 < sum(known) <= 22
    assert f"{sum(known)} joints kept" in line or f"all {sum(known)} joints kept" in line
    for v, name in enumerate(names):
        source = trained["STPE"][:, place[name]] if known[v] else before["STPE"][:, v]
        assert torch.equal(after["STPE"][:, v], source), name
        for w, other in enumerate(names):
            both = known[v] and known[w]
            for matrix in ("MFM.1.blocks.0.gconv", "MFM.1.blocks.0.MSM.adj"):
                source = trained[matrix][..., place[name], place[other]] if both else before[matrix][..., v, w]
                assert torch.equal(after[matrix][..., v, w], source), (matrix, name, other)
    shared = [name for name in after if not name.endswith(("STPE", "gconv", "adj"))]
    for name in shared:
        assert torch.equal(after[name], trained[name]), name


def test_joints_of_the_new_layout_only_keep_their_new_weights(start):
    joints = ("tail", *IMIGUE.joints[1:])
    tailed = replace(IMIGUE, joints=joints)
    network = fresh(22, 12)
    before = network.state_dict()["STPE"].clone()
    line = transfer(start, network, tailed, networks.LABELS)
    assert "1 joint new (tail)" in line
    tail = IMIGUE.network_order.index(0)
    assert torch.equal(network.state_dict()["STPE"][:, tail], before[:, tail])


def test_sigmoid_outputs_start_as_the_difference_to_the_background(start):
    """Check that the sigmoid of an output equals the softmax over its label and the background."""
    softmax = replace(start, background=networks.BACKGROUND)
    labels = tuple(label for label in networks.LABELS if label.id != background_label().id)
    network = fresh(44, 11)
    assert "all 11 classes kept" in transfer(softmax, network, MA52, labels, over_background=True)
    x, index_t = torch.randn(2, 2, 64, 44, 1), torch.from_numpy(networks.windows(2, 44)[1])
    with torch.no_grad():
        own, theirs = network.eval()(x, index_t), start.network(x, index_t)
    np.testing.assert_allclose(own, theirs[:, :11] - theirs[:, 11:], atol=1e-5)


def test_sigmoid_outputs_are_copied(start):
    for already in (replace(start, activation="sigmoid"), replace(start, background=None)):
        network = fresh(44, 12)
        transfer(already, network, MA52, networks.LABELS, over_background=True)
        assert torch.equal(network.state_dict()["head.bias"], start.network.state_dict()["head.bias"])


def test_many_new_classes_are_not_all_listed(start):
    line = transfer(start, fresh(44, 6), MA52, tuple(Label(i, f"new {i}", "") for i in range(6)))
    assert "0 classes kept and 6 classes new (new 0, new 1, new 2 and 3 more)" in line


def test_a_published_checkpoint(tmp_path):
    path = networks.save_state_dict(tmp_path / "published.pth", networks.golden(networks.IMIGUE), "module.")
    start = open_start(path)
    assert (start.layout, len(start.labels), start.labels[3].name, start.stream) == (IMIGUE, 32, "class 3", None)
    assert start.licence is None
    network = MMN(networks.IMIGUE)
    assert "starts from published.pth: all 32 classes kept" in transfer(start, network, IMIGUE, start.labels)
    x, index_t = torch.randn(2, 2, 64, 22, 1), torch.from_numpy(networks.windows(2, 22)[1])
    with torch.no_grad():
        np.testing.assert_array_equal(network.eval()(x, index_t), start.network(x, index_t))


def test_invalid_starts_are_refused(tmp_path):
    with pytest.raises(MarEdgeError, match="cannot read checkpoint"):
        open_start(tmp_path / "nowhere.pt")
    path = networks.save_state_dict(tmp_path / "a.pt", fresh(10, 3))
    with pytest.raises(MarEdgeError, match="network for 10 joints; no known layout has that number"):
        open_start(path)
