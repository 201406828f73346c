"""What ``export`` asks of its arguments before it spends a minute on them."""

import networks
import pytest
import torch

from mar_edge.edge.errors import MarEdgeError
from mar_edge.edge.movements import Movement
from mar_edge.edge.network.checkpoint import save_checkpoint
from mar_edge.edge.network.mmn import MMNConfig
from mar_edge.export import command
from mar_edge.export.command import export_model


@pytest.fixture
def written(monkeypatch):
    """Return the metadata that would be written, without the graph (test_onnx_file has it)."""
    calls = []

    def write(path, deployed, metadata):
        calls.append(metadata)
        return 0.0

    monkeypatch.setattr(command, "write_model", write)
    return calls


@pytest.fixture
def joint(tmp_path):
    path = tmp_path / "joint.pt"
    save_checkpoint(path, networks.golden(networks.MA52), networks.info("joint"))
    return path


@pytest.fixture
def published(tmp_path):
    return networks.save_state_dict(tmp_path / "published.pt", networks.golden(MMNConfig(44, 52, **networks.TINY)))


def refused(written, *checkpoints, layout_name="ma52", stream="joint", **others):
    first, second = (*checkpoints, None)[:2]
    with pytest.raises(MarEdgeError) as error:
        export_model(first, second, layout_name=layout_name, stream=stream, out=first.parent / "m.onnx", **others)
    assert not written
    assert not (first.parent / "m.onnx").exists()
    return str(error.value)


def test_both_takes_two_and_the_others_one(written, joint):
    assert "--stream both takes two checkpoints" in refused(written, joint, stream="both")
    assert "--stream both takes two checkpoints" in refused(written, joint, joint, stream="joint")
    assert "--stream both takes two checkpoints" in refused(written, joint, joint, stream="bone")


def test_another_stream_or_layout_than_it_says(written, joint):
    message = refused(written, joint, stream="bone")
    assert "is a joint network of the layout ma52; expected a bone network of ma52" in message
    assert "joint.pt is a joint network" in refused(written, joint, joint, stream="both")
    assert "a network of 44 joints, the layout has 22" in refused(written, joint, layout_name="imigue")


def test_a_pair_that_cannot_average(written, joint, published):
    other = refused(written, published, joint, stream="both")
    assert "joint.pt is a joint network" in other
    raw = networks.save_state_dict(joint.parent / "raw.pt", networks.golden(MMNConfig(44, 12, **networks.TINY)))
    assert "cannot be averaged" in refused(written, joint, raw, stream="both")
    assert "cannot be averaged" in refused(written, joint, published, stream="both")


def test_labels_that_do_not_fit(written, published):
    file = published.parent / "labels.csv"
    file.write_text("id,action\n0,nodding\n1,waving\n")
    assert "2 labels for a network of 52 classes" in refused(written, published, labels_file=file)


def test_a_published_checkpoint_takes_its_layouts_labels_and_two_seconds(written, published, tmp_path):
    export_model(published, None, layout_name="ma52", stream="joint", out=tmp_path / "m.onnx")
    (metadata,) = written
    assert [label.id for label in metadata.labels] == list(range(52))
    assert metadata.labels[9].name == "nodding"
    assert (metadata.window_s, metadata.encoding, metadata.background) == (2.0, "raw", None)


def test_arguments_go_before_what_the_checkpoint_says(written, joint, tmp_path):
    file = tmp_path / "labels.csv"
    file.write_text("id,action,body,way\n" + "".join(f"{100 + i},act {i},arm,one\n" for i in range(12)))
    options = {"layout_name": "ma52", "stream": "joint", "out": tmp_path / "m.onnx"}
    export_model(joint, None, **options)
    export_model(joint, None, **options, labels_file=file, window_s=3.0, views_s=(3.0, 1.5))
    says, told = written
    assert (says.labels, says.window_s, says.accuracy["top1"]) == (networks.LABELS, 1.5, 0.5)
    assert (told.labels[3].id, told.labels[3].name, told.window_s) == (103, "act 3", 3.0)
    assert (says.views_s, told.views_s) == ((), (3.0, 1.5))
    assert (says.movements, told.movements) == ((), (Movement("one"),) * 12)


def test_a_view_longer_than_the_window_is_refused(written, joint):
    assert "--view-s: views of 2, 2.5 s" in refused(written, joint, views_s=(2.0, 2.5))


@pytest.mark.parametrize("window_s", [0.0, -1.0, float("nan"), float("inf")])
def test_a_window_of_no_length_is_refused(written, joint, window_s):
    assert "window" in refused(written, joint, window_s=window_s)


def test_a_broken_checkpoint_is_named(written, joint):
    state = torch.load(joint, weights_only=True)["state_dict"]
    del state["head.bias"]
    torch.save(state, joint)
    assert "key 'head.bias' is missing" in refused(written, joint)
