"""MANet trained on videos: it learns what only the order of frames shows, and resumes exactly."""

import json
import shutil

import moving_shapes
import msgspec
import numpy as np
import pytest
import torch
from killed_runs import Killed, Notes
from moving_shapes import LEFT, RIGHT
from streaming_fakes import ScriptedPose, nod, skeleton

from mar_edge import EventMessage
from mar_edge.edge.errors import MarEdgeError
from mar_edge.edge.network.checkpoint import load_manet
from mar_edge.edge.recognizer import WindowRecognizer
from mar_edge.export.command import export_model
from mar_edge.streaming.recognition.pipeline import PipelineRules
from mar_edge.streaming.serve_config import ServeConfig
from mar_edge.streaming.service import serve
from mar_edge.training.command import run_training
from mar_edge.training.evaluation.command import EvaluateConfig, evaluate
from mar_edge.training.evaluation.models import ModelSource
from mar_edge.training.options import TrainOptions
from mar_edge.training.pictures import configure
from mar_edge.training.pictures.recipe import MANET

TINY = {"width": 8, "depths": (1, 1, 1, 1), "mirror": False}
STEPS = 3


def kill():
    raise Killed


@pytest.fixture(scope="module")
def videos(tmp_path_factory):
    folder = tmp_path_factory.mktemp("videos")
    moving_shapes.write_split(folder, "train", 3)
    moving_shapes.write_split(folder, "val", 1, seed=9)
    np.save(folder / "words.npy", np.random.default_rng(1).normal(size=(2, 6)).astype(np.float32))
    return folder


@pytest.fixture
def often(monkeypatch):
    """Validate every two steps."""
    monkeypatch.setattr(configure, "MANET", msgspec.structs.replace(MANET, validate_every=2))


def options(folder, **changes):
    asked = {"data": f"videos:{folder}", "labels": folder / "labels.csv", "batch": 2, "steps": STEPS} | TINY | changes
    return TrainOptions(**asked)


def train(folder, asked=None, report=None, should_stop=lambda: False, workers=0):
    return run_training(folder, asked or TrainOptions(), report or Notes(), should_stop, workers=workers, save_every=1)


def weights(folder):
    return torch.load(folder / "last.pt", weights_only=True)["state_dict"]


def assert_same_weights(one, other):
    first, second = weights(one), weights(other)
    for name, tensor in first.items():
        assert torch.equal(tensor, second[name]), name


@pytest.fixture(scope="module")
def learned(tmp_path_factory):
    """Return videos, and the checkpoint of a network that learned which way the square moves."""
    folder = tmp_path_factory.mktemp("learned")
    moving_shapes.write_split(folder, "train", 12)
    moving_shapes.write_split(folder, "val", 6, seed=9)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(configure, "MANET", msgspec.structs.replace(MANET, validate_every=30))
        return folder, train(folder / "run", options(folder, lr=0.1, batch=4, steps=60))


@pytest.mark.slow
def test_it_learns_the_direction_of_motion(learned, tmp_path):
    # Both directions show the same frames, so that a network without temporal shift cannot tell them apart.
    folder, best = learned
    info = load_manet(best).info
    assert info.accuracy["top1"] > 0.9
    assert (info.family, info.layout, info.background, info.activation) == ("manet", "ma52", None, "softmax")
    assert [(label.id, label.name) for label in info.labels] == [(RIGHT, "turning head"), (LEFT, "nodding")]
    assert info.rates == (1.0, 1.0)
    figures = evaluated(best, folder, tmp_path)
    assert figures.top1 == pytest.approx(info.accuracy["top1"], abs=1e-4)
    assert figures.body_f1_micro == 1.0  # both labels are of one body group
    assert figures.f1_mean == pytest.approx((figures.f1_macro + figures.f1_micro + 2) / 4)


def evaluated(model, folder, tmp_path):
    config = EvaluateConfig(
        ModelSource((model,)), f"videos:{folder}", tmp_path / "report", labels_file=folder / "labels.csv"
    )
    figures = evaluate(config, lambda *_: None).clips.deployed
    assert "<td>pictures, windows of 2 s</td>" in (tmp_path / "report" / "report.html").read_text()
    return figures


@pytest.mark.slow
@pytest.mark.parametrize(("label", "name"), [(RIGHT, "turning head"), (LEFT, "nodding")])
def test_what_it_learned_is_exported_and_served(learned, exported, tmp_path, label, name):
    folder, best = learned
    assert evaluated(exported, folder, tmp_path).top1 == pytest.approx(load_manet(best).info.accuracy["top1"], abs=0.1)
    moving_shapes.write_video(tmp_path / "clip.avi", moving_shapes.moving(label, 77, frames=50))
    heard = []
    serve(
        ServeConfig(
            camera=str(tmp_path / "clip.avi"), address=f"ipc://{tmp_path}/s", pipeline=PipelineRules(on=0.5, off=0.3)
        ),
        Nodding,
        lambda: WindowRecognizer.open(exported, threads=1),
        heard.append,
    )
    events = [message for message in heard if isinstance(message, EventMessage)]
    assert {event.label.name for event in events} == {name}
    assert [event.phase for event in events if event.phase != "update"] == ["begin", "end"]


class Nodding(ScriptedPose):
    """Sees a head that moves all the time, whatever the picture shows: what it does is for the network to say."""

    def __init__(self):
        super().__init__(nod(40.0, hz=0.7))

    def estimate(self, image, t_s):
        return [skeleton(self._motion(t_s))]


@pytest.fixture(scope="module")
def exported(learned):
    folder, best = learned
    export_model(best, None, layout_name="ma52", stream="joint", out=folder / "manet.onnx")
    return folder / "manet.onnx"


@pytest.mark.usefixtures("often")
def test_a_killed_run_resumes_to_the_same_weights(tmp_path, videos):
    whole, folder = tmp_path / "whole", tmp_path / "run"
    asked = options(videos, words=videos / "words.npy")
    train(whole, asked)
    with pytest.raises(Killed):
        train(folder, asked, Notes(kill))
    notes = Notes()
    assert train(folder, report=notes, workers=1) == folder / "best.pt"
    assert f"resumes at step 2 of {STEPS}" in notes.lines
    assert_same_weights(whole, folder)
    lines = [json.loads(line) for line in (folder / "metrics.jsonl").read_text().splitlines()]
    assert [line["step"] for line in lines] == [2, STEPS]
    assert load_manet(folder / "last.pt").network.config.embedding == 6
    emb = "cls_head.fc_emb_t.bias"
    assert weights(folder)[emb].abs().max() > 0


@pytest.mark.usefixtures("often")
def test_a_run_resumes_with_moved_files_and_refuses_others(tmp_path, videos):
    here, folder = shutil.copytree(videos, tmp_path / "here"), tmp_path / "run"
    with pytest.raises(Killed):
        train(folder, options(here, words=here / "words.npy"), Notes(kill))
    there = here.rename(tmp_path / "there")
    with pytest.raises(MarEdgeError, match=r"needs .*here, which does not exist; --data names its new place"):
        train(folder)
    moved = {"data": f"videos:{there}", "labels": there / "labels.csv", "words": there / "words.npy"}
    for changes, expected in (
        ({"words": tmp_path / "other.npy"}, "the word vectors have changed"),
        ({"data": f"videos:{there}/val_list_videos.txt", "validation": f"videos:{there}"}, "the data has changed"),
        ({"lr": 0.5}, "lr 0.00125 there, 0.5 here"),
        ({"mirror": True}, "mirror 0.0 there, 0.5 here"),
        ({"data": "synth"}, r"trains on videos:.*, not on synth; name another folder"),
        ({"stream": "bone"}, "--stream is for networks on skeletons, and this one is on videos; leave it out"),
    ):
        np.save(tmp_path / "other.npy", np.ones((2, 6), np.float32))
        with pytest.raises(MarEdgeError, match=expected):
            train(folder, TrainOptions(**(moved | changes)))
    assert train(folder, TrainOptions(**moved)) == folder / "best.pt"


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"encoding": "motion"}, "--encoding is for networks on skeletons"),
        ({"drop_path": 0.1}, "--drop-path is for networks on skeletons"),
        ({"balance": "weights"}, "--balance is for networks on skeletons"),
        ({"loss": "bce"}, "--loss is for networks on skeletons"),
        ({"synthetic_share": 0.1}, "--synthetic-share is for networks on skeletons"),
        ({"reverse": True}, "--reverse is for networks on skeletons"),
        ({"participants": ("a",)}, "--participants is for networks on skeletons"),
        ({"preset": "live"}, "the recipe 'live' is for networks on skeletons; leave out --recipe"),
        ({"width": 12}, "--width and --depths of a MANet: width must be a multiple of 8"),
        ({"validation": "synth"}, "cannot validate a network on videos with synth"),
        ({"data": "synth", "words": "w.npy", "mirror": None}, "--words is for networks on videos"),
        ({"data": "synth", "preset": "manet", "mirror": None}, "'manet' is for --data videos:LIST or videos:FOLDER"),
        ({"data": "synth", "validation": "videos:here"}, "videos:here holds pictures; this network takes skeletons"),
    ],
)
def test_options_of_the_other_kind_of_network_are_refused(tmp_path, videos, changes, expected):
    with pytest.raises(MarEdgeError, match=expected):
        train(tmp_path / "run", options(videos, **({"width": 16} | changes)))
    assert not (tmp_path / "run").exists()


def test_models_and_data_of_different_kinds_do_not_fit(tmp_path, videos):
    from mar_edge.edge.model_file import default_checkpoint_path, default_model_path

    def refused(model, data, expected, **changes):
        with pytest.raises(MarEdgeError, match=expected):
            evaluate(EvaluateConfig(ModelSource((model,)), data, tmp_path / "report", **changes), lambda *_: None)

    data, labels = f"videos:{videos}", videos / "labels.csv"
    refused(default_model_path(), data, "takes ma52 skeletons, the data holds pictures", labels_file=labels)
    refused(
        default_checkpoint_path(),
        data,
        r"is a checkpoint of MMN \(skeletons\); expected one of MANet",
        labels_file=labels,
    )
    refused(default_model_path(), data, "live footage is skeletons without pictures", labels_file=labels, minutes=1)
