"""A model of pictures in a service: with skeletons, alone, failing, and in a replay. Real videos, real sockets."""

from __future__ import annotations

import threading
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import tiny_manet
from streaming_fakes import ScriptedPose, nod, write_video

from mar_edge import AnswerMessage, AnyMessage, EventMessage, HelloMessage, LabelMessage, LabelSubscriber, StatusMessage
from mar_edge.edge.data import Skeleton
from mar_edge.edge.errors import MarEdgeError
from mar_edge.edge.recognizer import WindowRecognizer
from mar_edge.streaming.recognition.fusion_rules import FusionRules
from mar_edge.streaming.recognition.pipeline import PipelineRules
from mar_edge.streaming.recording.recorder import RecordConfig
from mar_edge.streaming.serve_config import ServeConfig
from mar_edge.streaming.service import serve

EAGER = PipelineRules(on=0.15, off=0.01)
MOTION = nod(40.0, hz=0.7)


@pytest.fixture(scope="module")
def pictures_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_manet.write(tmp_path_factory.mktemp("models") / "pictures.onnx")


@pytest.fixture
def config(tmp_path: Path, address: str) -> ServeConfig:
    video = write_video(tmp_path / "clip.mp4", 120)
    return ServeConfig(camera=str(video), address=address, pipeline=EAGER, record=RecordConfig(tmp_path / "recorded"))


def served(
    config: ServeConfig, model: Path, pictures: Path | None = None, pose: ScriptedPose | None = None
) -> list[AnyMessage]:
    heard: list[AnyMessage] = []
    serve(
        config,
        lambda: pose or ScriptedPose(MOTION),
        lambda: WindowRecognizer.open(model, threads=1),
        heard.append,
        open_pictures=None if pictures is None else lambda: WindowRecognizer.open(pictures, threads=1),
    )
    return heard


def of(kind: type, messages: list[AnyMessage]) -> list[Any]:
    return [message for message in messages if isinstance(message, kind)]


def recognized(messages: list[AnyMessage]) -> list[Any]:
    """Return what was recognized, and when, to the bit."""
    return (
        [(m.frame, m.person, m.top, m.gated, m.models, m.t_start_ns, m.t_end_ns) for m in of(LabelMessage, messages)]
        + [(m.event_id, m.label, m.phase, m.score, m.t_start_ns, m.t_end_ns) for m in of(EventMessage, messages)]
        + [(m.frame, m.scores, m.t_media_start_ns, m.t_media_end_ns) for m in of(AnswerMessage, messages)]
    )


def scored(messages: list[AnyMessage]) -> list[Any]:
    """Return the same without times of the wall clock, which differ from one start to another."""
    return (
        [(m.frame, m.top, m.models) for m in of(LabelMessage, messages)]
        + [(m.frame, m.label, m.phase, m.score) for m in of(EventMessage, messages)]
        + [(m.frame, m.scores) for m in of(AnswerMessage, messages)]
    )


def replayed(config: ServeConfig, *models: Path, **changes: Any) -> list[AnyMessage]:
    assert config.record is not None
    return served(replace(config, record=None, replay=(config.record.folder,), **changes), *models)


def test_label_messages_say_which_model_said_what_and_a_replay_gives_the_same(
    config: ServeConfig, tiny_model: Path, pictures_file: Path
) -> None:
    live = served(config, tiny_model, pictures_file)
    (hello,) = of(HelloMessage, live)
    assert (hello.model, hello.picture_model, hello.picture_weight) == ("tiny", "tiny pictures", 0.5)
    labels = of(LabelMessage, live)
    both = [label for label in labels if len(label.models) == 2]
    assert len(both) > 10
    alone = {label.frame: label for label in of(LabelMessage, served(replace(config, record=None), tiny_model))}
    for label in both:
        skeletons, pictures = label.models
        assert (skeletons.family, pictures.family) == ("mmn", "manet")
        assert skeletons.top[0] == alone[label.frame].top[0]  # as without pictures
        assert 0 < pictures.age_ms <= 2000
        assert {one.name for one in pictures.top} <= {one.name for one in tiny_manet.LABELS}
        assert label.top[0].score <= skeletons.top[0].score
    assert [label.top for label in both] != [alone[label.frame].top for label in both]
    answers = of(AnswerMessage, live)
    assert [answer.frame for answer in answers] == [25, 55, 85, 115]  # the frame after each question
    assert of(StatusMessage, live)[-1].pictures.answered == 4
    assert "pictures" in of(StatusMessage, live)[-1].latency_ms
    assert recognized(replayed(config, tiny_model, pictures_file)) == recognized(live)


def test_a_recording_in_many_files_and_rules_of_another_weight(
    config: ServeConfig, tiny_model: Path, pictures_file: Path
) -> None:
    assert config.record is not None
    config = replace(config, record=replace(config.record, most_mb=0.05), encoding="msgpack")
    live = served(config, tiny_model, pictures_file)
    assert len(list(config.record.folder.iterdir())) > 1  # type: ignore[union-attr]
    assert recognized(replayed(config, tiny_model, pictures_file)) == recognized(live)
    # What another weight gives live, a replay with that weight gives as well: the answers are recorded as they were.
    other = replace(EAGER, fusion=FusionRules(weight=0.9))
    again = served(replace(config, record=None, pipeline=other), tiny_model, pictures_file)
    assert scored(again) != scored(live)
    assert scored(replayed(config, tiny_model, pictures_file, pipeline=other)) == scored(again)


def test_no_picture_is_in_a_recording(config: ServeConfig, tiny_model: Path, pictures_file: Path) -> None:
    served(config, tiny_model, pictures_file)
    assert config.record is not None
    (recording,) = config.record.folder.iterdir()
    lines = [line for line in recording.read_bytes().splitlines() if b'"kind":"answer"' in line]
    assert len(lines) == 4
    assert max(map(len, lines)) < 1000


def test_pictures_alone(config: ServeConfig, pictures_file: Path) -> None:
    live = served(config, pictures_file)
    (hello,) = of(HelloMessage, live)
    assert (hello.model, hello.picture_model, hello.picture_weight) == ("tiny pictures", "tiny pictures", 1.0)
    labels = of(LabelMessage, live)
    assert (labels[0].top, labels[0].gated) == ((), False)  # not answered yet
    assert all(label.models[0].family == "manet" for label in labels[1:])
    assert of(EventMessage, live)
    assert of(StatusMessage, live)[-1].inferences == of(StatusMessage, live)[-1].pictures.answered == 4
    assert recognized(replayed(config, pictures_file)) == recognized(live)


def test_a_model_of_pictures_that_fails_is_counted_and_skeletons_go_on(
    config: ServeConfig, tiny_model: Path, tmp_path: Path
) -> None:
    broken = tiny_manet.write(tmp_path / "broken.onnx", numbers=False)
    live = served(config, tiny_model, broken)
    state = of(StatusMessage, live)[-1].pictures
    assert (state.asked, state.answered, state.failed) == (4, 0, 4)
    assert "not numbers" in state.error
    alone = served(replace(config, record=None), tiny_model)
    assert [label.top for label in of(LabelMessage, live)] == [label.top for label in of(LabelMessage, alone)]
    events = [(event.frame, event.label, event.phase, event.score) for event in of(EventMessage, live)]
    assert events == [(event.frame, event.label, event.phase, event.score) for event in of(EventMessage, alone)]


class Company(ScriptedPose):
    """A second person is in view all the time."""

    def estimate(self, image: Any, t_s: float) -> list[Skeleton]:
        (one,) = super().estimate(image, t_s)
        return [one, Skeleton(one.joints + 500, one.scores, 1)]


def test_with_several_people_in_view_skeletons_decide_alone(
    config: ServeConfig, tiny_model: Path, pictures_file: Path
) -> None:
    live = served(config, tiny_model, pictures_file, Company(MOTION))
    state = of(StatusMessage, live)[-1].pictures
    assert (state.asked, state.crowded) == (0, 4)
    assert all(len(label.models) == 1 for label in of(LabelMessage, live))


def test_subscribers_receive_answers(config: ServeConfig, tiny_model: Path, pictures_file: Path) -> None:
    received: list[AnyMessage] = []

    def listen() -> None:
        with LabelSubscriber(config.address, timeout_s=30, until_end=True, kinds=("answer", "end")) as subscriber:
            received.extend(subscriber)

    listener = threading.Thread(target=listen, daemon=True)
    listener.start()
    live = served(replace(config, wait_subscribers=1), tiny_model, pictures_file)
    listener.join(30)
    assert of(AnswerMessage, received) == of(AnswerMessage, live)


def test_a_replay_that_cannot_give_the_same_is_refused(
    config: ServeConfig, tiny_model: Path, pictures_file: Path
) -> None:
    without = served(config, tiny_model)
    with pytest.raises(MarEdgeError, match=r"'tiny pictures' looks at pictures.*, here none"):
        replayed(config, tiny_model, pictures_file)
    assert recognized(replayed(config, tiny_model)) == recognized(without)


def test_a_recording_with_answers_can_be_replayed_with_skeletons_alone(
    config: ServeConfig, tiny_model: Path, pictures_file: Path
) -> None:
    served(config, tiny_model, pictures_file)
    alone = served(replace(config, record=None), tiny_model)
    assert scored(replayed(config, tiny_model)) == scored(alone)
