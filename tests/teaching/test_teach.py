"""Teaching from recordings: synthetic people, real files, the package's model."""

import functools
import hashlib
from itertools import pairwise

import clips
import numpy as np
import pytest

import mar_edge
from mar_edge.api import teaching
from mar_edge.edge.errors import MarEdgeError
from mar_edge.edge.labels import Label
from mar_edge.edge.layout import load_layout
from mar_edge.edge.model_file import ModelMetadata, default_model_path, parse_metadata
from mar_edge.edge.runtime.onnxruntime import read_metadata
from mar_edge.streaming.recording.skeletons import read_skeletons
from mar_edge.teaching.examples import parse_span
from mar_edge.teaching.heads import fit_head
from mar_edge.teaching.lesson import Teacher
from mar_edge.teaching.model_files import label_to_teach, remove_taught
from mar_edge.teaching.verdicts import repeated
from mar_edge.teaching.views import mirrored, rest_windows, views_of
from mar_edge.training.synth.generator import CLASSES
from mar_edge.training.synth.recording import record

FPS = 20.0
SHAKING = next(label for label in CLASSES if label.name == "shaking head")


@pytest.fixture(autouse=True, scope="module")
def others_once():
    """Draw the other people once, and ask each model about them once: every lesson would do both."""
    draw, ask = functools.cache(teaching.concurrent_windows), Teacher._outputs
    answers = {}

    def answer(teacher, windows):
        if len(windows) != teaching._OTHERS:
            return ask(teacher, windows)
        model = teacher._recognizer.metadata.to_json()
        if model not in answers:
            answers[model] = ask(teacher, windows)
        return answers[model]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(teaching, "concurrent_windows", draw)
        patch.setattr(Teacher, "_outputs", answer)
        yield


def metadata_of(path):
    return parse_metadata(read_metadata(path), str(path))


@pytest.fixture(scope="module")
def taken():
    """Record one person who shakes the head about twelve times, with pauses."""
    return record((3, 1), duration_s=80, fps=FPS, labels=[SHAKING])


@pytest.fixture(scope="module")
def recording(taken, tmp_path_factory):
    path = tmp_path_factory.mktemp("recordings") / "person.jsonl"
    path.write_text("\n".join(clips.skeleton_lines(taken.joints, fps=FPS)) + "\n")
    return path


@pytest.fixture(scope="module")
def spans(taken):
    found = [(event.t_start, event.t_end) for event in taken.events if event.label == SHAKING]
    assert len(found) > 8
    return found


@pytest.fixture(scope="module")
def idle(spans):
    return pauses(spans)


def pauses(spans):
    """Return the times between movements."""
    return [(a[1] + 0.2, b[0] - 0.2) for a, b in pairwise(spans) if b[0] - a[1] > 2.5]


@pytest.fixture(scope="module")
def taught(recording, spans, idle, tmp_path_factory):
    out = tmp_path_factory.mktemp("model") / "taught.onnx"
    lesson = mar_edge.teach("saying no", recording, spans[:5], out=out, body="head", idle=idle)
    return out, lesson


def touched(events, span):
    return any(event.start_s < span[1] and event.end_s > span[0] for event in events)


def test_a_new_label_is_found_where_it_was_not_taught(taken, spans, taught):
    out, lesson = taught
    assert [verdict.problem for verdict in lesson.verdicts] == [""] * 5
    events = list(mar_edge.recognize(taken.joints, fps=FPS, model=out, labels="saying no"))
    later = spans[5:]
    assert sum(touched(events, span) for span in later) >= 0.7 * len(later)
    assert sum(not any(touched([event], span) for span in spans) for event in events) <= 1
    with mar_edge.load_model(out) as model, mar_edge.load_model() as base:
        assert model.labels == (*base.labels, "saying no")
        assert model.bodies["saying no"] == "head"


def test_the_other_labels_keep_their_scores_to_the_bit(taught):
    clip = np.cumsum(np.random.default_rng(0).normal(size=(40, 44, 2)), axis=0) + 300
    window = mar_edge.skeleton_track(clip, fps=FPS)
    with mar_edge.load_model(taught[0]) as model, mar_edge.load_model() as base:
        (after,), (before,) = model.predict([window]), base.predict([window])
    assert 0 <= after.pop("saying no") <= 1
    assert after == before


def test_the_file_says_what_it_was_taught_from(taught):
    out, lesson = taught
    described = metadata_of(out).taught
    assert described.heads == (lesson.head,)
    assert described.base_sha256 == hashlib.sha256(default_model_path().read_bytes()).hexdigest()
    head = lesson.head
    assert (head.label, head.examples) == ("saying no", 5)
    assert head.views > 20
    assert 1 < head.idle_s < 80
    assert head.found >= 0.6
    assert out.stat().st_size < default_model_path().stat().st_size + 2000


def test_a_known_label_is_adapted_and_keeps_its_threshold(taken, recording, spans, idle, tmp_path):
    out = tmp_path / "person.onnx"
    mar_edge.teach("shaking head", recording, spans[:5], out=out, person=True, idle=idle)
    before, after = metadata_of(default_model_path()), metadata_of(out)
    assert (after.labels, after.thresholds, after.taught.new) == (before.labels, before.thresholds, 0)
    events = list(mar_edge.recognize(taken.joints, fps=FPS, model=out, labels="shaking head"))
    assert sum(touched(events, span) for span in spans[5:]) >= 0.7 * len(spans[5:])


def test_what_was_taught_is_removed_again(taught, recording, spans, idle, tmp_path):
    both = tmp_path / "both.onnx"
    mar_edge.teach("shaking head", recording, spans[:3], out=both, model=taught[0], person=True, idle=idle)
    assert [head.label for head in metadata_of(both).taught.heads] == ["saying no", "shaking head"]
    remove_taught(both, both, "saying no")
    assert metadata_of(both).labels == metadata_of(default_model_path()).labels
    remove_taught(both, both, "shaking head")
    assert metadata_of(both) == metadata_of(default_model_path())
    with pytest.raises(MarEdgeError, match="was not taught; it has no taught labels"):
        remove_taught(both, both, "shaking head")


def test_a_folder_with_labels(recording, spans, tmp_path):
    rows = [f"person.jsonl,{start:.2f},{end:.2f},saying no" for start, end in spans[:4]]
    rows += [f"person.jsonl,{start:.2f},{end:.2f},something else" for start, end in spans[4:]]
    (tmp_path / "labels.csv").write_text("\n".join(["recording,start_s,end_s,label", *rows]))
    (tmp_path / "person.jsonl").write_bytes(recording.read_bytes())
    lesson = mar_edge.teach("saying no", tmp_path, out=tmp_path / "x.onnx", body="head")
    assert lesson.head.examples == 4
    for text, match in (
        ("recording,start_s\n", "expected recording,start_s,end_s,label"),
        ("recording,start_s,end_s,label\nperson.jsonl,1,2,other\n", "no row of 'saying no'; its labels: other"),
        ("recording,start_s,end_s,label\nperson.jsonl,1,2,sayingno\n", "its labels: sayingno; did you mean 'sayingno'"),
        ("recording,start_s,end_s,label\n../x.jsonl,1,2,saying no\n", "not the name of a recording"),
        ("recording,start_s,end_s,label\nperson.jsonl,1,nan,saying no\n", "end_s is 'nan'"),
        ("recording,start_s,end_s,label\nperson.jsonl,3,2,saying no\n", "an example is a movement"),
    ):
        (tmp_path / "labels.csv").write_text(text)
        with pytest.raises(MarEdgeError, match=match):
            mar_edge.teach("saying no", tmp_path, out=tmp_path / "y.onnx", body="head")
    assert not (tmp_path / "y.onnx").exists()


def test_a_copy_of_an_example_teaches_nothing(recording, spans, tmp_path):
    labeled = [*((span, "saying no") for span in spans[:3]), *((span, "something else") for span in spans[3:])]
    rows = [f"{name}.jsonl,{a:.2f},{b:.2f},{label}" for name in ("one", "copy") for (a, b), label in labeled]
    (tmp_path / "labels.csv").write_text("\n".join(["recording,start_s,end_s,label", *rows]))
    for name in ("one", "copy"):
        (tmp_path / f"{name}.jsonl").write_bytes(recording.read_bytes())
    lesson = mar_edge.teach("saying no", tmp_path, out=tmp_path / "x.onnx", body="head")
    assert lesson.head.examples == 3
    first, *_ = lesson.verdicts
    assert [verdict.problem for verdict in lesson.verdicts[:3]] == [""] * 3
    assert lesson.verdicts[3].problem == f"too alike: it repeats {first.name}"
    assert {verdict.word for verdict in lesson.verdicts[3:]} == {"not used"}


def test_examples_repeat_others_up_to_jitter_but_not_up_to_a_new_repetition():
    rng = np.random.default_rng(0)
    spread = np.full(8, 2.0)
    one, other = rng.normal(size=(6, 8)), rng.normal(size=(6, 8)) + 3
    jittered = one[::-1] + rng.normal(size=(6, 8)) * 0.1
    assert repeated([one, other, jittered, one], spread) == [None, None, 0, 0]
    assert repeated([one, one + 1.0], spread) == [None, None]
    assert repeated([], spread) == []


@pytest.mark.parametrize(
    ("changed", "match"),
    [
        ({"label": "nodding"}, "knows 'nodding' already; --person"),
        ({"label": "noding", "body": None, "person": True}, "did you mean 'nodding'"),
        ({"body": None}, "a new label needs --body, one of"),
        ({"body": "hed"}, "did you mean 'head'"),
        ({"label": "a,b"}, "no comma"),
        ({"label": "head"}, "nor a body group"),
        ({"at": [(1.0, 2.0), (1.5, 3.0)]}, "overlap"),
        ({"at": [(900.0, 901.0)]}, "no person is seen from 900 to 901 s"),
        ({"at": [(2.0, 2.05)]}, "an example is a movement of"),
        ({"at": []}, "0 examples; expected 1 to"),
        ({"at": None}, "or give a folder with labels.csv"),
        ({"out": "model.txt"}, "ends in .onnx"),
    ],
)
def test_mistakes_are_named_and_nothing_is_written(recording, spans, tmp_path, changed, match):
    given = {"label": "saying no", "at": spans[:3], "out": "model.onnx", "body": "head", **changed}
    given["out"] = tmp_path / given["out"]
    with pytest.raises(MarEdgeError, match=match):
        mar_edge.teach(given.pop("label"), recording, given.pop("at"), **given)
    assert not list(tmp_path.iterdir())


def test_examples_in_which_nothing_moves_are_refused(taken, tmp_path):
    still = np.repeat(taken.joints[:1], 400, axis=0)
    path = tmp_path / "still.jsonl"
    path.write_text("\n".join(clips.skeleton_lines(still, fps=FPS)))
    with pytest.raises(MarEdgeError, match=r"no example of 'saying no' can be used: .*nothing moves"):
        mar_edge.teach("saying no", path, [(3.0, 5.0)], out=tmp_path / "x.onnx", body="head")


def test_examples_of_two_movements_contradict_each_other(tmp_path):
    both = [SHAKING, next(label for label in CLASSES if label.name == "shrugging")]
    taken = record((3, 1), duration_s=60, fps=FPS, labels=both)
    path = tmp_path / "both.jsonl"
    path.write_text("\n".join(clips.skeleton_lines(taken.joints, fps=FPS)))
    times = [(event.t_start, event.t_end) for event in taken.events]
    firsts = [next(event for event in taken.events if event.label == label) for label in both]
    at = [(event.t_start, event.t_end) for event in firsts]
    with pytest.raises(MarEdgeError, match=r"of 2 examples of 'both', 0 would be found .* contradict each other"):
        mar_edge.teach("both", path, at, out=tmp_path / "x.onnx", body="body", idle=pauses(times))
    assert not (tmp_path / "x.onnx").exists()


def test_examples_that_equal_the_idle_part_are_refused(recording, spans, tmp_path):
    with pytest.raises(MarEdgeError, match=r"of 3 examples .* look like the part where nothing special"):
        mar_edge.teach("saying no", recording, spans[:3], out=tmp_path / "x.onnx", body="head", idle=spans[4:])


def raise_arms(layout, path):
    """Write a recording of somebody who raises both arms four times; return the clip and the times."""
    rng = np.random.default_rng(0)
    t = np.arange(1200) / FPS
    clip = rng.uniform(100, 400, (1, layout.num_joints, 2)) + rng.normal(size=(1200, layout.num_joints, 2))
    spans = [(start, start + 1.5) for start in (5.0, 10.0, 15.0, 20.0)]
    arm = list(layout.regions["arms"])
    for start, end in spans:
        inside = (t >= start) & (t <= end)
        clip[np.ix_(inside, arm)] -= 80 * np.sin(np.pi * (t[inside] - start) / 1.5)[:, None, None]
    path.write_text("\n".join(clips.skeleton_lines(clip.astype(np.float32), fps=FPS)))
    return clip, spans


def test_another_layout_without_a_background_class_is_taught_from_the_idle_part_alone(imigue_model, tmp_path):
    path, out = tmp_path / "person.jsonl", tmp_path / "taught.onnx"
    clip, spans = raise_arms(load_layout("imigue"), path)
    mar_edge.teach("raising both arms", path, spans, out=out, model=imigue_model.path, body="upper limb")
    with mar_edge.load_model(out) as model:
        (score,) = model.predict([mar_edge.skeleton_track(clip[95:135], fps=FPS)])
        (rest,) = model.predict([mar_edge.skeleton_track(clip[900:940], fps=FPS)])
    assert score["raising both arms"] > 0.5 > rest["raising both arms"]
    assert sum(score.values()) == pytest.approx(1, abs=1e-4)
    with pytest.raises(MarEdgeError, match="5 s of nothing special were shown; at least 10 s are needed"):
        mar_edge.teach("x", path, spans, out=out, model=imigue_model.path, body="upper limb", idle=[(30.0, 37.0)])


def test_a_joint_and_a_bone_network_in_one_file_are_taught_on_the_features_of_both(pair_model, tmp_path):
    path, out = tmp_path / "person.jsonl", tmp_path / "taught.onnx"
    clip, spans = raise_arms(pair_model.layout, path)
    idle = [(22.0, 50.0)]
    given = {"out": out, "model": pair_model.path, "body": "upper limb", "idle": idle}
    lesson = mar_edge.teach("raising both arms", path, spans[:3], **given)
    joint, bone = np.split(lesson.head.array(), 2)
    assert np.abs(joint).max() > 0
    assert np.abs(bone).max() > 0
    windows = [mar_edge.skeleton_track(clip[first : first + 40], fps=FPS) for first in (395, 1100)]
    with mar_edge.load_model(out) as model:
        last, rest = (scores["raising both arms"] for scores in model.predict(windows))
    assert last > 0.5 > rest


def test_spans_are_read_from_seconds_and_clock_times():
    assert parse_span("12.4-13.9") == (12.4, 13.9)
    assert parse_span(" 0:01:12,5 - 0:01:13.5 ") == (72.5, 73.5)
    for wrong in ("12.4", "a-b", "1-2-3", "", "5-4", "-1-2", "1-nan", "0-1000"):
        with pytest.raises(MarEdgeError):
            parse_span(wrong)


def test_views_show_the_movement_and_mirrored_ones_the_other_side(recording, spans):
    track = read_skeletons(recording).tracks[0]
    layout = load_layout("ma52")
    with mar_edge.load_model() as model:
        warm_up = model.recognizer.family.warm_up
    start, end = spans[2]
    plain = views_of(track, (start, end), window_s=2.0, warm_up=warm_up)
    assert len(plain) > 4
    for window in plain:
        overlap = min(window.times_s[-1], end) - max(window.times_s[0], start)
        assert overlap >= 0.75 * min(end - start, 2.0)
    again = mirrored(mirrored(plain[0], layout), layout)
    np.testing.assert_array_equal(again.clip, plain[0].clip)
    left, right = (layout.joints.index(f"{side}_shoulder") for side in ("left", "right"))
    np.testing.assert_array_equal(mirrored(plain[0], layout).clip[:, left, 0], -plain[0].clip[:, right, 0])
    for at, _ in rest_windows(track, np.array(spans), 2.0, warm_up):
        assert not any(at > a and at - 2.0 < b for a, b in spans)


def test_the_head_separates_and_leaves_each_example_out():
    rng = np.random.default_rng(0)
    others, idle = rng.normal(size=(300, 8)), rng.normal(size=(50, 8))
    apart = np.array([4.0, 0, 0, 0, 0, 0, 0, 0])
    examples = [rng.normal(size=(6, 8)) * 0.3 + apart for _ in range(4)]
    fitted = fit_head(examples, idle, others)
    assert (fitted.left_out > 0).all()
    assert (np.concatenate(examples) @ fitted.weights + fitted.bias > 0).all()
    assert ((others @ fitted.weights + fitted.bias) > 0).mean() < 0.02
    odd = [*examples[:3], rng.normal(size=(6, 8)) * 0.3 - apart]
    assert fit_head(odd, idle, others).left_out[3] < 0


def test_the_command_teaches_describes_and_removes(here, recording, spans, idle, tmp_path):
    out = tmp_path / "taught.onnx"
    at = [word for start, end in spans[:4] for word in ("--at", f"{start:.2f}-{end:.2f}")]
    still = [word for start, end in idle for word in ("--idle", f"{start:.2f}-{end:.2f}")]
    told = ("--recording", recording, *at, *still, "--body", "head", "--out", out)
    done = here("teach", "saying no", *told)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.count("good ") == 4
    assert "self-test: 100 % of the examples are found from the others" in done.stdout
    described = here("models", out).stdout
    assert "53, 1 of them taught" in described
    assert "from 4 examples" in described
    done = here("teach", "saying no", "--remove", "--model", out, "--out", out)
    assert (done.returncode, done.stdout) == (0, f"{out}: 'saying no' removed\n")
    assert metadata_of(out).taught is None


@pytest.mark.parametrize(
    ("options", "match"),
    [
        ((), "give the examples as --recording"),
        (("--recording", "x.jsonl"), "give the examples as --recording"),
        (("--folder", ".", "--camera", "0"), "give the examples as --recording"),
        (("--recording", "x.jsonl", "--at", "5"), "--at: a time span is two times"),
        (("--recording", "x.jsonl", "--at", "5-6"), "x.jsonl"),
        (("--remove",), "--remove needs --model"),
    ],
)
def test_wrong_options_are_one_line(here, options, match):
    done = here("teach", "saying no", "--body", "head", *options)
    assert done.returncode == 1
    assert match in done.stderr
    assert done.stderr.count("\n") == 1


@pytest.mark.slow
def test_it_is_taught_in_front_of_a_camera(here, tmp_path):
    out = tmp_path / "taught.onnx"
    timing = ("--examples", "1", "--example-s", "2", "--idle-s", "8")
    done = here("teach", "moving the head", "--body", "head", "--camera", "demo:", *timing, "--out", out)
    assert (done.returncode, done.stderr) == (0, "")
    assert "1 of 1: now 'moving the head'" in done.stdout
    assert [head.examples for head in metadata_of(out).taught.heads] == [1]


def test_a_taught_file_is_not_narrowed(here, taught, tmp_path):
    done = here("export", taught[0], "--precision", "fp16", "--out", tmp_path / "half.onnx")
    assert "has taught labels" in done.stderr


def test_a_model_of_pictures_is_not_taught():
    metadata = ModelMetadata(name="seeing", family="manet", layout="ma52", labels=(Label(9, "nodding", "head"),))
    with pytest.raises(MarEdgeError, match="'seeing' looks at pictures, and labels are taught from skeletons"):
        label_to_teach(metadata, "circling head", "head", person=False)
