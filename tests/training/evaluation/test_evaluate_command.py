"""``evaluate`` from input files to output files."""

import re
import zipfile
from dataclasses import replace

import msgspec
import networks
import numpy as np
import pytest
from recorded_runs import Stream

from mar_edge.edge.errors import MarEdgeError
from mar_edge.edge.layout import load_layout
from mar_edge.edge.network.checkpoint import save_checkpoint
from mar_edge.edge.preprocess import clip_to_input
from mar_edge.edge.prior import Prior
from mar_edge.edge.score_calibration import read_score_calibration
from mar_edge.streaming.recognition.pipeline import PipelineRules
from mar_edge.training.evaluation import command
from mar_edge.training.evaluation.candidates import ScoredWindows
from mar_edge.training.evaluation.command import EvaluateConfig, evaluate
from mar_edge.training.evaluation.matching import LiveEvent
from mar_edge.training.evaluation.models import ModelSource
from mar_edge.training.evaluation.report import Evaluation
from mar_edge.training.evaluation.streaming import EvaluatedRecording

CLASSES = [label.name for label in networks.LABELS]
N = 30


def quiet(what, done, total):
    pass


def wandering(seed, count=N):
    """Return clips of joints that wander, (count, 40, 44, 2) px."""
    rng = np.random.default_rng(seed)
    steps = rng.normal(0, 4, (count, 40, 44, 2)).cumsum(axis=1)
    return (rng.uniform(200, 800, (count, 1, 44, 2)) + steps).astype(np.float32)


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    path = tmp_path_factory.mktemp("models") / "joint.pt"
    save_checkpoint(path, networks.golden(networks.MA52), networks.info("joint"))
    return path


def archive(path, labels, classes=CLASSES):
    np.savez(
        path,
        joints=wandering(5, len(labels)),
        labels=np.array(labels),
        duration_s=np.full(len(labels), 2, np.float32),
        classes=np.array(classes),
    )
    return path


@pytest.fixture(scope="module")
def clips(tmp_path_factory, model):
    """Write clips; two thirds have the label that the network predicts."""
    inputs = [clip_to_input(clip) for clip in wandering(5)]
    with ModelSource((model,)).open(load_layout("ma52")) as recognizer:
        logits = recognizer.runtime.infer(
            {"skeleton": np.stack([x for x, _ in inputs]), "index_t": np.stack([t for _, t in inputs])}
        )["logits"]
    labels = logits.argmax(axis=1)
    labels[::3] = (labels[::3] + 1) % 12
    return archive(tmp_path_factory.mktemp("data") / "clips.npz", labels)


def config(model, data, out, **others):
    return EvaluateConfig(model=ModelSource((model,)), data=str(data), out=out, **others)


def test_evaluation_writes_a_report(model, clips, tmp_path):
    steps = []
    evaluation = evaluate(config(model, clips, tmp_path / "report"), lambda *step: steps.append(step))
    assert steps[-1] == ("clips", N, N)
    assert evaluation.clips.deployed.top1 == pytest.approx(2 / 3)
    assert (evaluation.clips.deployed.clips, evaluation.stream) == (N, None)
    assert (evaluation.model.name, evaluation.model.files) == ("tiny joint", ("joint.pt",))
    assert "clips.npz, 30 clips" in (tmp_path / "report" / "report.md").read_text()
    read = msgspec.json.decode((tmp_path / "report" / "scores.json").read_bytes(), type=Evaluation)
    assert read == evaluation


def test_a_checkpoint_and_its_model_file_have_the_same_figures(ma52_model, clips, tmp_path):
    from_checkpoint, from_file = (
        evaluate(config(path, clips, tmp_path), quiet).clips for path in (ma52_model.sources[0], ma52_model.path)
    )
    assert from_checkpoint.confusion == from_file.confusion
    assert (from_checkpoint.deployed, from_checkpoint.actions) == (from_file.deployed, from_file.actions)
    assert from_checkpoint.reliability.confidence == pytest.approx(from_file.reliability.confidence, abs=1e-4)


def test_a_part_of_the_clips(model, clips, tmp_path):
    evaluation = evaluate(config(model, clips, tmp_path, clips=10), quiet)
    assert (evaluation.clips.deployed.clips, evaluation.clips.deployed.top1) == (10, 0)  # each third one
    assert evaluation.clips.data.startswith("10 clips out of: ")


def test_without_labels_there_is_only_a_submission(model, clips, tmp_path, monkeypatch):
    opened = command.open_dataset(str(clips))
    monkeypatch.setattr(command, "open_dataset", lambda spec, labels: replace(opened, clip_labels=None))
    with pytest.raises(MarEdgeError, match="no labels to evaluate by; --submission"):
        evaluate(config(model, clips, tmp_path / "report"), quiet)
    submission = tmp_path / "prediction.zip"
    assert evaluate(config(model, clips, tmp_path / "report", submission=submission), quiet) is None
    with zipfile.ZipFile(submission) as parts:
        assert len(parts.read("prediction.csv").splitlines()) == 1 + N
    assert not (tmp_path / "report").exists()


def test_with_labels_there_are_both(model, clips, tmp_path):
    submission = tmp_path / "prediction.zip"
    assert evaluate(config(model, clips, tmp_path / "report", submission=submission), quiet)
    assert submission.exists()
    assert (tmp_path / "report" / "report.html").exists()


def test_what_scores_are_worth_is_fitted_for_export(model, clips, tmp_path):
    path = tmp_path / "confidence.json"
    evaluate(config(model, clips, tmp_path, confidence=path), quiet)
    confidence = read_score_calibration(path)
    assert "clips.npz, 30 clips" in confidence.fitted_on
    assert len(confidence.for_labels(networks.LABELS, "")) == 12
    assert confidence.temperature != 1


def test_a_place_that_cannot_be_written_is_known_before_the_data_is_read(model, clips, tmp_path, monkeypatch):
    monkeypatch.setattr("mar_edge.training.evaluation.command.open_dataset", None)
    for wrong in ({"confidence": tmp_path}, {"submission": tmp_path}, {"out": clips}):
        with pytest.raises(MarEdgeError, match="cannot write"):
            evaluate(config(model, clips, **({"out": tmp_path} | wrong)), quiet)


def test_thresholds_are_fitted_on_live_footage(model, clips, tmp_path, monkeypatch):
    """Fit the temperature on the clips; leave the footage used for fitting out of the evaluation."""
    asked = []

    def evaluate_takes(source, rules, takes, progress, temperature=None):
        asked.append(temperature)
        nothing = np.zeros((0, 12), np.float32)
        windows = ScoredWindows(np.zeros(0), np.zeros(0), np.zeros(0, np.int64), nothing)
        return [EvaluatedRecording(take.duration_s, take.idle, (), (), windows=windows) for take in takes]

    monkeypatch.setattr(command, "evaluate_takes", evaluate_takes)
    path = tmp_path / "confidence.json"
    evaluation = evaluate(config(model, clips, tmp_path, confidence=path, minutes=1, idle_minutes=1, seed=4), quiet)
    confidence = read_score_calibration(path)
    assert asked == [pytest.approx(confidence.temperature, abs=1e-4)]
    assert "thresholds on 2 minutes of synthetic recordings, seed 4" in confidence.fitted_on
    assert (evaluation.stream, evaluation.clips is None) == (None, False)


def test_real_recordings_are_judged(model, tmp_path):
    folder = tmp_path / "filmed"
    (folder / "skeletons").mkdir(parents=True)
    Stream().hello().skeletons(0, 4).write(folder / "skeletons" / "a.jsonl")
    table = "file,start_s,end_s,label,confidence_of_label,also\na.mp4,1.0,3.0,nodding,high,\n"
    (folder / "truth.csv").write_text(table)
    steps = []
    evaluation = evaluate(config(model, f"truth:{folder}", tmp_path / "out"), lambda *step: steps.append(step))
    assert (evaluation.real.overall.actions, evaluation.real.recordings, evaluation.clips) == (1, 1, None)
    assert steps == [("recordings", 1, 1)]
    assert "## Real people" in (tmp_path / "out" / "report.md").read_text()
    for changes in ({"clips": 3}, {"submission": tmp_path / "s.zip"}, {"confidence": tmp_path / "c.json"}):
        with pytest.raises(MarEdgeError, match="holds whole recordings"):
            evaluate(config(model, f"truth:{folder}", tmp_path / "out", **changes), quiet)


def test_whole_videos_of_mma52(model, tmp_path):
    folder = tmp_path / "mma52"
    (folder / "skeletons").mkdir(parents=True)
    Stream().hello().skeletons(0, 4).write(folder / "skeletons" / "a.jsonl")
    table = "id,video_id,start_frame,end_frame,class,total_frames,fps\n0,a,30,90,9,120,30\n1,a,60,100,10,120,30\n"
    for split in ("val", "test"):
        (folder / f"{split}.csv").write_text(table)
    zipped = tmp_path / "answers.zip"
    asked = config(model, f"mma52:{folder}", tmp_path / "out", detection=True, submission=zipped)
    found = evaluate(asked, quiet).real
    assert (found.overall.actions, {row.name for row in found.detection.labels} >= {"nodding", "shaking head"}) == (
        2,
        True,
    )
    assert "Detection mAP" in (tmp_path / "out" / "report.md").read_text()
    assert zipfile.ZipFile(zipped).namelist() == ["prediction.csv"]
    zipped.unlink()
    # The test split has no labels: there is only a submission.
    assert evaluate(replace(asked, data=f"mma52-test:{folder}", out=tmp_path / "none"), quiet) is None
    assert zipped.exists()
    assert not (tmp_path / "none").exists()
    with pytest.raises(MarEdgeError, match="no labels to evaluate by; --submission"):
        evaluate(replace(asked, data=f"mma52-test:{folder}", submission=None), quiet)
    with pytest.raises(MarEdgeError, match="--detection is for whole videos"):
        evaluate(replace(asked, data="synth"), quiet)
    with pytest.raises(MarEdgeError, match="--confidence is for data sets of clips"):
        evaluate(replace(asked, confidence=tmp_path / "c.json"), quiet)


def test_live_footage_joins_the_report(model, clips, tmp_path, monkeypatch):
    seen = []

    def evaluate_takes(source, rules, takes, progress, temperature=None):
        seen.extend(takes)
        event = LiveEvent(networks.LABELS[9], 1.0, 2.0, 1.5, 0.9)
        return [EvaluatedRecording(take.duration_s, take.idle, (), (event,)) for take in takes]

    monkeypatch.setattr(command, "evaluate_takes", evaluate_takes)
    evaluation = evaluate(config(model, clips, tmp_path, minutes=2.0, idle_minutes=0.5, seed=4), quiet)
    assert [take.idle for take in seen] == [False, False, True]
    assert {label.name for label in seen[0].labels} == set(CLASSES[:11])
    assert (evaluation.stream.seed, evaluation.stream.idle_per_minute) == (4, 2)
    assert len(evaluation.stream.actions) == 11
    assert "## Live" in (tmp_path / "report.md").read_text()
    assert "| frequencies of actions | trained |" in (tmp_path / "report.md").read_text()


def test_live_use_takes_the_prior_that_is_given(model, clips, tmp_path, monkeypatch):
    asked = []

    def evaluate_takes(source, rules, takes, progress, temperature=None):
        asked.append(rules.prior)
        return [EvaluatedRecording(take.duration_s, take.idle, (), ()) for take in takes]

    monkeypatch.setattr(command, "evaluate_takes", evaluate_takes)
    often = PipelineRules(prior=Prior("often.csv", dict.fromkeys(CLASSES, 2.0)))
    evaluation = evaluate(config(model, clips, tmp_path, minutes=1.0, rules=often), quiet)
    assert asked == [often.prior]
    assert evaluation.prior == "often.csv"
    assert "often.csv" in (tmp_path / "report.html").read_text()


def test_a_prior_that_does_not_fit_is_known_before_the_first_inference(model, clips, tmp_path, monkeypatch):
    monkeypatch.setattr(command, "predict_clips", None)
    few = PipelineRules(prior=Prior("few.csv", {CLASSES[0]: 1.0}))
    with pytest.raises(MarEdgeError, match=r"few.csv lacks 10 of the model's labels"):
        evaluate(config(model, clips, tmp_path, minutes=1.0, rules=few), quiet)
    with pytest.raises(MarEdgeError, match="--prior is for live use"):
        evaluate(config(model, clips, tmp_path, rules=few), quiet)


def test_what_does_not_fit_is_known_before_the_first_inference(model, clips, tmp_path, monkeypatch):
    monkeypatch.setattr(command, "predict_clips", None)
    few = archive(tmp_path / "few.npz", [0, 1], ["yawning", "sneezing"])
    weights = networks.save_state_dict(tmp_path / "w.pt", networks.golden(networks.IMIGUE))
    with pytest.raises(MarEdgeError, match="takes 22-joint skeletons, the data holds ma52"):
        evaluate(config(weights, clips, tmp_path), quiet)
    monkeypatch.undo()
    with pytest.raises(MarEdgeError, match=r"few.npz has clips of 2 labels .* 'yawning', 'sneezing' \(it knows"):
        evaluate(config(model, few, tmp_path), quiet)


def test_the_command(cli, model, clips, tmp_path):
    out = tmp_path / "report"
    done = cli("evaluate", model, "--data", clips, "--out", out)
    assert done.returncode == 0, done.stderr
    assert re.search(r"^Top-1 accuracy is 66\.7 % .*, on 30 clips of 12 classes", done.stdout, re.MULTILINE)
    assert done.stdout.rstrip().endswith(f"report: {out / 'report.html'}")
    assert done.stderr == f"clips: {N} of {N}\n"


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (("nowhere.onnx",), "no model file at nowhere.onnx"),
        (("nowhere.pt",), "cannot read checkpoint nowhere.pt"),
        (("model.onnx", "--data", "nothing"), "no data set 'nothing'"),
        (("model.onnx", "--streaming", "-1"), "--streaming"),
        (("model.onnx", "--prior", "sometimes"), "--prior"),
        ((), "model"),
    ],
)
def test_the_command_refuses(here, tmp_path, arguments, expected):
    done = here("evaluate", *arguments)
    assert (done.returncode, done.stderr.count("\n")) == (1, 1)
    assert done.stderr.startswith("error: ")
    assert expected.lower() in done.stderr.lower()
