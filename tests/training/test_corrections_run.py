"""From corrections to a model file, as a laboratory goes: train, evaluate, export."""

import csv
import io
import json
from dataclasses import replace

import msgspec
import networks
import numpy as np
import pytest
from corrected_runs import decision, reviewed, write
from killed_runs import Notes
from recorded_runs import LABELS

from mar_edge.edge.errors import MarEdgeError
from mar_edge.edge.model_file import default_model_path, parse_metadata
from mar_edge.edge.network.checkpoint import load_checkpoint, save_checkpoint
from mar_edge.edge.runtime.onnxruntime import read_metadata
from mar_edge.export import command as export
from mar_edge.streaming.recording.skeletons import read_skeletons
from mar_edge.training.averaging import average
from mar_edge.training.command import run_training
from mar_edge.training.datasets import rehearsal
from mar_edge.training.evaluation.command import EvaluateConfig, evaluate
from mar_edge.training.evaluation.models import ModelSource
from mar_edge.training.options import TrainOptions
from mar_edge.training.reporting import RunReporter
from mar_edge.training.transfer import PACKAGE, open_start


@pytest.fixture(scope="module")
def start(tmp_path_factory):
    path = tmp_path_factory.mktemp("start") / "start.pt"
    described = msgspec.structs.replace(
        networks.info("joint"),
        window_s=2.0,
        labels=networks.LABELS[:11],
        background=None,
        activation="sigmoid",
        rates=tuple(0.5 + k / 11 for k in range(11)),
        thresholds=(0.4,) * 11,
        views_s=(2.0, 0.5),
        trained_on=("feedfeedfeedfeed",),
    )
    save_checkpoint(path, networks.golden(replace(networks.MA52, num_classes=11)), described)
    return path


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    """Write five corrected recordings of four participants."""
    rows = []
    for name in "abcde":
        recording = f"{name}.jsonl"
        rows += [
            decision("confirmed", 1, 2.0, 4.0, recording=recording),
            decision("added", -1, 11.0, 12.0, "humming", recording=recording),
            reviewed(0.0, 6.0, recording=recording),
        ]
    people = {"a.jsonl": "P1", "b.jsonl": "P2", "c.jsonl": "P3", "d.jsonl": "P4", "e.jsonl": "P1"}
    return write(tmp_path_factory.mktemp("study"), *rows, participants=people)


@pytest.fixture(scope="module")
def own_labels(tmp_path_factory):
    text = io.StringIO()
    csv.writer(text).writerows([("id", "action", "body"), (60, "humming", ""), (LABELS[9].id, "nodding", "head")])
    path = tmp_path_factory.mktemp("labels") / "labels.csv"
    path.write_text(text.getvalue())
    return path


@pytest.fixture(scope="module")
def trained(tmp_path_factory, study, start, own_labels):
    """Train on three participants; return the run's folder and what was said."""
    notes = Notes()
    run = tmp_path_factory.mktemp("runs") / "run"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(rehearsal, "_CHUNKS", 1)
        options = TrainOptions(
            data=f"corrections:{study}", participants=("P1", "P2", "P3"), start=start, labels=own_labels, steps=2
        )
        assert run_training(run, options, notes, lambda: False, workers=0) == run / "best.pt"
    return run, notes.lines


def evaluated(model, study, out, *participants):
    result = evaluate(EvaluateConfig(ModelSource((model,)), f"corrections:{study}", out, participants), lambda *_: None)
    assert result is not None
    return result


def test_the_checkpoint_knows_what_it_was_trained_on(trained, study, start):
    run, lines = trained
    info = load_checkpoint(run / "best.pt").info
    seen = {read_skeletons(study / f"{name}.jsonl").fingerprint for name in "abce"}
    assert set(info.trained_on) == seen | {"feedfeedfeedfeed"}
    assert "P1" not in msgspec.json.encode(info).decode()
    names = [label.name for label in info.labels]
    assert names == [*(label.name for label in networks.LABELS[:11]), "humming"]
    # What the start knew stays; a new label gets the usual threshold and rate.
    assert info.thresholds == (*(0.4,) * 11, 0.5)
    assert info.views_s == (2.0, 0.5)
    assert info.rates == pytest.approx((*(0.5 + k / 11 for k in range(11)), 1.0))
    assert any("decisions: 8; recordings: 4; participants: 3; " in line for line in lines)
    assert any("before the first step: held-out mAP" in line for line in lines)
    assert any("--no-mirror" in line for line in lines)
    assert "50% of what is drawn are synthetic clips" in info.training_data


def test_the_report_warns_of_people_the_model_knows(trained, study, tmp_path):
    run, _ = trained
    report = tmp_path / "report"
    assert evaluated(run / "best.pt", study, report, "P4").trained_on.seen == 0
    assert "as its file states them: 0 of 1." in (report / "report.md").read_text()
    everybody = evaluated(run / "best.pt", study, report)
    assert (everybody.trained_on.recordings, everybody.trained_on.seen) == (5, 4)
    assert everybody.trained_on.others == ("P4",)
    assert "Evaluate the others: --participants P4" in (report / "report.html").read_text()
    assert json.loads((report / "scores.json").read_text())["trained_on"]["seen"] == 4


def test_clips_of_recordings_are_recognized_too(trained, study, tmp_path):
    run, _ = trained
    (study / "labels.csv").write_text("recording,start_s,end_s,label\na,2,4,nodding\nd,2,4,nodding\n")
    config = EvaluateConfig(ModelSource((run / "best.pt",)), f"recordings:{study}", tmp_path)
    result = evaluate(config, lambda *_: None)
    assert (result.trained_on.recordings, result.trained_on.seen, result.trained_on.others) == (2, 1, ())


def test_the_model_file_says_it(trained, tmp_path, monkeypatch):
    run, _ = trained
    info = load_checkpoint(run / "best.pt").info
    # The conversion takes long; that the file holds this description is tested with it.
    monkeypatch.setattr(export, "write_model", lambda *_: 0.0)
    exported = export.export_model(run / "best.pt", None, layout_name="ma52", stream="joint", out=tmp_path / "m.onnx")
    metadata = parse_metadata(exported.metadata.to_json(), "m.onnx")
    assert metadata.trained_on == info.trained_on
    assert (metadata.thresholds, metadata.views_s) == (info.thresholds, info.views_s)


def test_an_average_was_trained_on_all_of_it(trained, tmp_path):
    run, _ = trained
    info = load_checkpoint(run / "best.pt").info
    other = tmp_path / "other.pt"
    save_checkpoint(
        other, load_checkpoint(run / "last.pt").network, msgspec.structs.replace(info, trained_on=("0123",))
    )
    average([run / "best.pt", other], tmp_path / "mean.pt")
    assert load_checkpoint(tmp_path / "mean.pt").info.trained_on == ("0123", *info.trained_on)


def test_the_package_keeps_its_thresholds_and_views():
    metadata = parse_metadata(read_metadata(default_model_path()), "package")
    start = open_start(PACKAGE)
    np.testing.assert_array_equal([start.thresholds[label.name] for label in metadata.labels], metadata.thresholds)
    assert start.views_s == metadata.views_s == (2.0, 1.0)


@pytest.fixture
def asked(study, start, own_labels):
    """Return options that fit."""
    return {"data": f"corrections:{study}", "participants": ("P1",), "start": start, "labels": own_labels, "steps": 1}


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({"start": None}, "the recipe 'corrections' starts from a trained network; name it with --from"),
        ({"loss": "cross-entropy"}, "corrections show several labels at once; leave out --loss cross-entropy"),
        ({"labels": None}, "'humming' at 11.0 s of a.jsonl is no label of the model; add it with --labels FILE"),
        ({"data": "synth"}, "--participants is for corrections:FOLDER, not for synth"),
    ],
)
def test_faults_say_what_to_do(tmp_path, asked, options, expected):
    with pytest.raises(MarEdgeError, match=expected):
        run_training(tmp_path / "run", TrainOptions(**asked | options), RunReporter(), lambda: False, workers=0)


def test_an_own_label_needs_an_own_id(tmp_path, study, start):
    labels = tmp_path / "labels.csv"
    labels.write_text(f"id,action,body\n{networks.LABELS[0].id},humming,\n")
    options = TrainOptions(data=f"corrections:{study}", start=start, labels=labels, steps=1)
    with pytest.raises(MarEdgeError, match=r"'humming' has the id 0 of 'shaking body'; choose another"):
        run_training(tmp_path / "run", options, RunReporter(), lambda: False, workers=0)
