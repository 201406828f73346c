from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import msgspec
import numpy as np
import pytest
from streaming_fakes import Motion, nod, person, skeleton

from mar_edge.edge.data import Prediction, Window
from mar_edge.edge.errors import MarEdgeError
from mar_edge.edge.labels import Label
from mar_edge.edge.movements import Movement, Way
from mar_edge.edge.prior import TRAINED, Prior
from mar_edge.edge.recognizer import WindowRecognizer
from mar_edge.streaming.recognition.event_rules import EventRules
from mar_edge.streaming.recognition.pipeline import Pipeline, PipelineRules, Step
from mar_edge.streaming.recognition.probabilities import Inference
from mar_edge.streaming.recognition.trigger import DEFAULT_THRESHOLD
from mar_edge.streaming.timing import Timer

BACKGROUND = 11
EAGER = PipelineRules(on=0.15, off=0.01, events=EventRules(smoothing_s=0.0, min_duration_s=0.4))


def pipeline_of(recognizer: WindowRecognizer, gate: bool = False, stride_s: float = 0.2) -> Pipeline:
    rules = replace(EAGER, stride_s=stride_s, motion_gate=DEFAULT_THRESHOLD if gate else None)
    return Pipeline(recognizer, rules, Timer())


def stream(pipeline: Pipeline, motion: Motion, fps: float, seconds: float, start_s: float = 0.0) -> list[Step]:
    times = [start_s + i / fps for i in range(round(seconds * fps))]
    return [pipeline.push(t, [skeleton(motion(t))]) for t in times]


def inferences(steps: list[Step]) -> list[Inference]:
    return [inference for step in steps for inference in step.inferences]


@pytest.mark.parametrize("fps", [15, 25, 30, 60])
def test_streaming_gives_the_probabilities_of_the_batch_path(recognizer: WindowRecognizer, fps: float) -> None:
    motion = nod(40.0, hz=0.7)
    pipeline = pipeline_of(recognizer)
    got = inferences([*stream(pipeline, motion, fps, 5.0), pipeline.finish(infer=True)])
    assert len(got) in {22, 23}
    clip = np.stack([motion(i / fps) for i in range(round(5.0 * fps))])
    for inference in got:
        newest = round(inference.window.times_s[-1] * fps)
        oldest = max(0, newest - round(2 * fps))
        times = np.arange(oldest, newest + 1) / fps
        (batch,) = recognizer.predict([Window(clip[oldest : newest + 1], times)])
        assert inference.probs is not None
        np.testing.assert_array_equal(inference.probs, batch.probs)
    spread = np.ptp([inference.probs for inference in got], axis=0)
    assert spread.max() > 0.01  # so that wrong frames would have shown


def test_a_whole_clip_no_longer_than_a_window_is_one_window_at_the_end(recognizer: WindowRecognizer) -> None:
    motion = nod(40.0, hz=0.7)
    pipeline = pipeline_of(recognizer)
    stream(pipeline, motion, 30, 50 / 30)
    (last,) = pipeline.finish(infer=True).inferences
    (batch,) = recognizer.predict([Window(np.stack([motion(i / 30) for i in range(50)]), np.arange(50) / 30)])
    assert last.probs is not None
    np.testing.assert_array_equal(last.probs, batch.probs)


def test_the_frame_rate_does_not_change_the_answer(recognizer: WindowRecognizer) -> None:
    answers = []
    for fps in (15, 25, 30, 60):
        got = inferences(stream(pipeline_of(recognizer), nod(40.0, hz=0.7), fps, 4.001))
        answers.append({round(float(i.window.times_s[-1]), 3): i.probs for i in got})
    for other in answers[:-1]:
        for t in (2.0, 3.0):
            np.testing.assert_allclose(other[t], answers[-1][t], atol=0.02)


def test_dropped_frames_hardly_change_the_answer(recognizer: WindowRecognizer) -> None:
    motion, rng = nod(40.0, hz=0.7), np.random.default_rng(0)
    whole, holed = pipeline_of(recognizer), pipeline_of(recognizer)
    for i in range(91):
        steps = [whole.push(i / 30, [skeleton(motion(i / 30))])]
        if i % 30 == 0 or rng.random() > 0.3:
            steps.append(holed.push(i / 30, [skeleton(motion(i / 30))]))
    a, b = steps[0].inferences[0].probs, steps[1].inferences[0].probs
    assert a is not None
    assert b is not None
    np.testing.assert_allclose(a, b, atol=0.03)


def test_the_same_skeletons_give_the_same_results_again(recognizer: WindowRecognizer) -> None:
    def once() -> list[object]:
        pipeline = pipeline_of(recognizer, gate=True)
        steps = [*stream(pipeline, nod(30.0, start_s=1.0, end_s=3.0), 30, 4.0), pipeline.finish(infer=True)]
        return [(i.window.times_s[-1], None if i.probs is None else i.probs.tolist()) for i in inferences(steps)] + [
            change for step in steps for change in step.events
        ]

    assert once() == once()


def test_strides_without_motion_are_counted_and_nothing_is_inferred(recognizer: WindowRecognizer) -> None:
    pipeline = pipeline_of(recognizer, gate=True)
    got = inferences(stream(pipeline, lambda _: person(), 30, 3.0))
    assert {inference.probs is None for inference in got} == {True}
    assert (pipeline.counts.inferences, pipeline.counts.gated) == (0, len(got))
    assert inferences(stream(pipeline, nod(30.0), 30, 2.0, start_s=3.0))[-1].probs is not None
    assert pipeline.counts.inferences > 0


def test_an_event_ends_when_the_person_is_gone(recognizer: WindowRecognizer) -> None:
    pipeline = pipeline_of(recognizer)
    changes = [c for step in stream(pipeline, nod(30.0), 30, 2.0) for c in step.events]
    assert changes[0].phase == "begin"
    assert pipeline.people == 1
    gone = [c for i in range(60) for c in pipeline.push(2.0 + i / 30, []).events]
    assert [c.phase for c in gone] == ["end"]
    assert gone[0].t_end_s == pytest.approx(59 / 30)
    assert (pipeline.people, pipeline.counts.resets) == (0, 1)
    assert pipeline.finish(infer=True) == Step()


def test_the_end_of_the_stream_ends_events_and_infers_only_what_is_new(recognizer: WindowRecognizer) -> None:
    pipeline = pipeline_of(recognizer, stride_s=0.5)
    stream(pipeline, nod(30.0), 30, 2.001)  # its last frame fell on a stride
    (end,) = pipeline.finish(infer=True).events
    assert end.phase == "end"
    interrupted = pipeline_of(recognizer)
    stream(interrupted, nod(30.0), 30, 1.9)
    step = interrupted.finish(infer=False)
    assert step.inferences == []
    assert [c.phase for c in step.events] == ["end"]


def test_all_people_are_followed_and_inferred_in_one_call(
    recognizer: WindowRecognizer, monkeypatch: pytest.MonkeyPatch
) -> None:
    sizes: list[int] = []
    predict = recognizer.predict

    def counting(windows: list[Window]) -> list[Prediction]:
        sizes.append(len(windows))
        return predict(windows)

    monkeypatch.setattr(recognizer, "predict", counting)
    pipeline = pipeline_of(recognizer)
    steps = []
    for i in range(60):
        t = i / 30
        people = [skeleton(nod(30.0)(t), 4)] + ([skeleton(nod(50.0, hz=0.9)(t) + 500, 9)] if t >= 0.5 else [])
        steps.append(pipeline.push(t, people))
    assert set(sizes) == {1, 2}
    both = [step.inferences for step in steps if len(step.inferences) == 2]
    assert [i.window.person for i in both[0]] == [4, 9]
    events = [c for step in steps for c in step.events]
    assert {c.person for c in events} == {4, 9}
    assert len({c.event_id for c in events}) == len({(c.person, c.event_id) for c in events})


def test_an_answer_that_is_not_a_number_is_counted_and_dropped(
    recognizer: WindowRecognizer, monkeypatch: pytest.MonkeyPatch
) -> None:
    nan = np.full(len(recognizer.metadata.labels), np.nan, np.float32)
    monkeypatch.setattr(recognizer, "predict", lambda windows: [Prediction(nan, w.person) for w in windows])
    pipeline = pipeline_of(recognizer)
    steps = stream(pipeline, nod(30.0), 30, 2.0)
    assert inferences(steps) == []
    assert [c for step in steps for c in step.events] == []
    assert pipeline.counts.invalid == pipeline.counts.inferences > 0


def test_labels_of_parts_outside_the_picture_have_the_score_0(recognizer: WindowRecognizer) -> None:
    def head_alone(t_s: float) -> np.ndarray:
        joints = nod(30.0)(t_s).copy()
        head = [joint for joint in range(len(joints)) if joint in recognizer.layout.regions["head"]]
        joints[[joint for joint in range(len(joints)) if joint not in head]] = np.nan
        return joints

    pipeline = pipeline_of(recognizer)
    (first, *_) = inferences(stream(pipeline, head_alone, 30, 2.0))
    assert first.visible == ("head",)
    assert first.probs is not None
    groups = {label.body: first.probs[i] for i, label in enumerate(recognizer.metadata.labels)}
    assert groups["body"] == 0
    assert groups["head"] > 0
    assert first.probs[BACKGROUND] == 1 - np.delete(first.probs, BACKGROUND).max()


def test_a_prior_moves_scores_by_how_often_labels_happen(recognizer: WindowRecognizer) -> None:
    names = [label.name for label in recognizer.metadata.labels if label.name != "no action"]
    often = Prior("often", {name: 9.0 if name == "nodding" else 1.0 for name in names})

    def odds(prior: Prior) -> np.ndarray:
        pipeline = Pipeline(recognizer, replace(EAGER, motion_gate=None, prior=prior), Timer())
        (first, *_) = inferences(stream(pipeline, nod(30.0), 30, 1.5))
        assert first.probs is not None
        return first.probs / (1 - first.probs)

    ratio = odds(often) / odds(TRAINED)
    nodding, other = names.index("nodding"), names.index("shrugging")
    assert ratio[nodding] / ratio[other] == pytest.approx(9.0, rel=1e-3)


def test_several_labels_of_one_window_are_events_side_by_side(
    recognizer: WindowRecognizer, monkeypatch: pytest.MonkeyPatch
) -> None:
    metadata = recognizer.metadata
    sigmoid = msgspec.structs.replace(
        metadata, labels=metadata.labels[:BACKGROUND], background=None, activation="sigmoid"
    )
    names = [label.name for label in sigmoid.labels]
    both = np.full(len(names), 0.01, np.float32)
    both[[names.index("nodding"), names.index("shrugging"), names.index("head up")]] = 0.9, 0.8, 0.85

    def sway(t_s: float) -> np.ndarray:
        return person() + np.float32(30 * np.sin(2 * np.pi * 0.7 * t_s))

    def told() -> set[str]:
        steps = [*stream(pipeline_of(recognizer), sway, 30, 3.0)]
        return {names[change.label] for step in steps for change in step.events if change.phase == "begin"}

    monkeypatch.setattr(recognizer, "predict", lambda windows: [Prediction(both, w.person) for w in windows])
    monkeypatch.setattr(recognizer, "metadata", sigmoid)
    assert told() == {"nodding", "shrugging"}  # of two of the head the surer one
    monkeypatch.setattr(recognizer, "metadata", msgspec.structs.replace(sigmoid, activation="softmax"))
    assert told() == {"nodding"}


def test_a_users_own_label_may_name_one_way_of_a_movement(
    recognizer: WindowRecognizer, monkeypatch: pytest.MonkeyPatch
) -> None:
    # The head goes down at 3 s and comes back at 6 s. Both ways are one event, or the way out alone.
    labels = (Label(0, "ducking", "head"),)

    def ducks(t_s: float) -> np.ndarray:
        joints = person()
        down = np.interp(t_s, [3, 3.5, 6, 6.5], [0, 1, 1, 0])
        joints[list(recognizer.layout.regions["head"]), 1] += np.float32(30 * down)
        return joints

    def sure(windows: Sequence[Window]) -> list[Prediction]:
        return [Prediction(np.array([3.2 < w.times_s[-1] < 8.0], np.float32), w.person) for w in windows]

    def end_s(way: Way) -> float:
        stated = msgspec.structs.replace(
            recognizer.metadata, labels=labels, background=None, activation="sigmoid", movements=(Movement(way),)
        )
        with monkeypatch.context() as patch:
            patch.setattr(recognizer, "predict", sure)
            patch.setattr(recognizer, "metadata", stated)
            steps = stream(pipeline_of(recognizer), ducks, 30, 9.0)
        (end,) = (change for step in steps for change in step.events if change.phase == "end")
        assert end.t_end_s is not None
        return end.t_end_s

    assert end_s("both") == pytest.approx(6.5, abs=0.2)
    assert end_s("one") == pytest.approx(3.5, abs=0.2)


@pytest.mark.parametrize(
    "wrong",
    [
        {"stride_s": 0.0},
        {"stride_s": float("nan")},
        {"motion_gate": -1.0},
        {"on": 0.2, "off": 0.3},
        {"on": 1.1},
        {"off": 0.0},
        {"on": float("nan")},
    ],
)
def test_rules_out_of_range_are_errors(wrong: dict[str, float]) -> None:
    with pytest.raises(MarEdgeError):
        PipelineRules(**wrong)
