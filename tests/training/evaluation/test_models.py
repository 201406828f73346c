"""Checkpoints, pairs and model files give equal outputs; those that do not fit are refused."""

import msgspec
import networks
import numpy as np
import pytest
import torch

from mar_edge.edge.errors import MarEdgeError
from mar_edge.edge.labels import Label
from mar_edge.edge.layout import load_layout
from mar_edge.edge.model_file import default_model_path
from mar_edge.edge.network.checkpoint import save_checkpoint
from mar_edge.edge.network.mmn import MMNConfig
from mar_edge.training.evaluation.models import ModelSource

MA52, IMIGUE = load_layout("ma52"), load_layout("imigue")


def logits(source, layout=MA52, count=3):
    skeleton, index_t = networks.windows(count, layout.num_joints)
    with source.open(layout) as recognizer:
        outputs = recognizer.runtime.infer({"skeleton": skeleton, "index_t": index_t})
    assert set(outputs) - {"features"} == {"logits", "probs"}
    np.testing.assert_allclose(outputs["probs"].sum(axis=1), 1, rtol=1e-5)
    return outputs["logits"]


@pytest.fixture(scope="module")
def pair(tmp_path_factory):
    """Write two checkpoints, joint and bone."""
    folder = tmp_path_factory.mktemp("pair")
    paths = folder / "joint.pt", folder / "bone.pt"
    for path, stream, ordinal in zip(paths, ("joint", "bone"), (0, 1000), strict=True):
        save_checkpoint(path, networks.golden(networks.MA52, ordinal), networks.info(stream))
    return paths


def published(path, config=networks.MA52):
    return networks.save_state_dict(path, networks.golden(config), "module.")


def test_a_checkpoint_describes_itself(pair):
    with ModelSource(pair[:1]).open(MA52) as recognizer:
        metadata = recognizer.metadata
        assert recognizer.runtime.name.startswith("PyTorch 2")
    assert (metadata.name, metadata.streams, metadata.encoding) == ("tiny joint", ("joint",), "motion")
    assert (metadata.labels, metadata.background) == (networks.LABELS, networks.BACKGROUND)
    assert (metadata.window_s, metadata.training_data) == (1.5, "nothing at all")


def test_a_checkpoint_and_its_model_file_have_equal_outputs(ma52_model):
    from_checkpoint, from_file = (logits(ModelSource((path,))) for path in (ma52_model.sources[0], ma52_model.path))
    np.testing.assert_allclose(from_checkpoint, from_file, atol=1e-4)
    assert np.ptp(from_file) > 0.1


def test_a_pair_is_averaged(pair):
    both = logits(ModelSource(pair))
    np.testing.assert_allclose(both, (logits(ModelSource(pair[:1])) + logits(ModelSource(pair[1:]))) / 2, atol=1e-5)
    with ModelSource(pair).open(MA52) as recognizer:
        assert (recognizer.metadata.name, recognizer.metadata.streams) == ("tiny joint + tiny bone", ("joint", "bone"))
        assert len(recognizer.metadata.sources_sha256) == 2


def test_the_stream_of_a_published_checkpoint_is_an_option(tmp_path):
    path = published(tmp_path / "weights.pth", networks.IMIGUE)
    joint, bone = (logits(ModelSource((path,), stream=stream), IMIGUE) for stream in ("joint", "bone"))
    assert np.abs(joint - bone).max() > 0.01
    np.testing.assert_allclose(logits(ModelSource((path, path)), IMIGUE), (joint + bone) / 2, atol=1e-5)
    with ModelSource((path,)).open(IMIGUE) as recognizer:
        assert recognizer.metadata.labels[31].name == "class 31"
        assert recognizer.metadata.background is None


def refused(*paths, layout=MA52, **options):
    with pytest.raises(MarEdgeError) as error:
        ModelSource(paths, **options).open(layout)
    return str(error.value)


def test_a_pair_of_other_classes_is_refused(pair, tmp_path):
    info = networks.info("bone")
    renamed = tmp_path / "renamed.pt"
    labels = (*info.labels[:3], Label(3, "spinning", "body"), *info.labels[4:])
    save_checkpoint(renamed, networks.golden(networks.MA52), msgspec.structs.replace(info, labels=labels))
    assert "their class 3 is 'turning around' and 'spinning'" in refused(pair[0], renamed)
    more = published(tmp_path / "more.pt", MMNConfig(44, 52, **networks.TINY))
    assert "they have 12 and 52 classes" in refused(pair[0], more)


def test_other_skeletons_are_refused(pair, tmp_path):
    assert "takes ma52 skeletons, the data holds imigue skeletons" in refused(default_model_path(), layout=IMIGUE)
    assert "takes ma52 skeletons, the data holds imigue ones" in refused(pair[0], layout=IMIGUE)
    other = published(tmp_path / "other.pt", networks.IMIGUE)
    assert "takes 22-joint skeletons, the data holds ma52 ones" in refused(other)


def test_files_of_no_known_kind_are_refused(tmp_path, pair):
    (tmp_path / "model.tflite").touch()
    assert "neither a checkpoint (.pt, .pth) nor a model (.onnx, .engine)" in refused(tmp_path / "model.tflite")
    (tmp_path / "model.engine").touch()
    assert "model.engine.json: No such file" in refused(tmp_path / "model.engine")
    assert "only checkpoints" in refused(pair[0], tmp_path / "model.onnx")
    assert "no model file at" in refused(tmp_path / "nowhere.onnx")
    assert "cannot read checkpoint" in refused(tmp_path / "nowhere.pt")


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU here")
def test_without_a_gpu_cuda_is_refused(pair):
    assert "no CUDA device" in refused(pair[0], device="cuda")
