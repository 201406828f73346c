"""The model of pictures next to the loop: it is never waited for, and what goes wrong with it is counted."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import pytest
import tiny_manet
from streaming_fakes import numbered_image, person, skeleton, wait_until

from mar_edge.edge.data import Answer, Prediction, Window
from mar_edge.edge.errors import MarEdgeError
from mar_edge.edge.recognizer import WindowRecognizer
from mar_edge.streaming.capture.frames import Frame
from mar_edge.streaming.pictures.live import LivePictures, PictureModel
from mar_edge.streaming.recognition.fusion_rules import FusionRules

RULES = FusionRules()


class Held(WindowRecognizer):
    """A model that answers when it may."""

    def __init__(self, recognizer: WindowRecognizer) -> None:
        vars(self).update(vars(recognizer))
        self.may_answer = threading.Semaphore(0)
        self.asked: list[Window] = []
        self.failure: Exception | None = None

    def predict(self, windows: Sequence[Window]) -> list[Prediction]:
        self.asked.extend(windows)
        assert self.may_answer.acquire(timeout=60)
        if self.failure is not None:
            raise self.failure
        return super().predict(windows)


@pytest.fixture(scope="module")
def pictures_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_manet.write(tmp_path_factory.mktemp("models") / "pictures.onnx")


@pytest.fixture
def held(pictures_file: Path) -> Iterator[Held]:
    with WindowRecognizer.open(pictures_file, threads=1, runtime="onnxruntime") as recognizer:
        yield Held(recognizer)


@pytest.fixture
def model(held: Held) -> Iterator[PictureModel]:
    with PictureModel(held) as opened:
        yield opened
        held.may_answer.release(100)


class Stream:
    """Frames of one person at 30 a second, with a question at each fifth."""

    def __init__(self, model: PictureModel, *, waits: bool = False) -> None:
        self.stage = LivePictures(model, waits=waits)
        self.number = 0
        self.answers: list[Answer] = []

    def run(self, seconds: float, *, people: int = 1, moves: bool = True) -> None:
        for _ in range(round(seconds * 30)):
            t_s = self.number / 30
            frame = Frame(self.number, 0, 0, t_s, numbered_image(self.number % 4096))
            self.answers += self.stage.take(frame, [skeleton(person(), who) for who in range(people)])
            if self.number % 6 == 0:
                windows = [Window(person()[None], np.array([t_s]), who) for who in range(people)]
                self.stage.ask(windows if moves else [], RULES)
            self.number += 1


def test_the_loop_never_waits_and_a_slow_model_is_counted(model: PictureModel, held: Held) -> None:
    stream = Stream(model)
    stream.run(2.0)
    wait_until(lambda: held.asked)
    status = stream.stage.status()
    assert (status.asked, status.answered, len(stream.answers)) == (1, 0, 0)
    assert status.busy_s is not None
    held.may_answer.release()
    wait_until(lambda: stream.stage.status().busy_s is None)
    stream.run(0.1)
    (answer,) = stream.answers
    assert answer.scores.keys() == {label.name for label in tiny_manet.LABELS}
    assert sum(answer.scores.values()) == pytest.approx(1.0, abs=1e-5)
    assert all(round(score, 6) == score for score in answer.scores.values())
    assert 0.7 <= answer.end_s - answer.start_s <= 0.85  # asked as soon as there was enough
    assert (stream.stage.status().slow, stream.stage.status().late) == (1, 0)


def test_an_answer_about_pictures_that_are_too_old_is_left_out(model: PictureModel, held: Held) -> None:
    stream = Stream(model)
    stream.run(4.0)
    held.may_answer.release()
    wait_until(lambda: stream.stage.status().busy_s is None)
    stream.run(0.1)
    assert stream.answers == []
    assert (stream.stage.status().late, stream.stage.status().answered) == (1, 0)


def test_a_model_that_fails_is_counted_and_asked_again(
    model: PictureModel, held: Held, caplog: pytest.LogCaptureFixture
) -> None:
    stream = Stream(model, waits=True)
    held.may_answer.release(100)
    held.failure = RuntimeError("the GPU is gone\nfor good")
    stream.run(3.5)
    status = stream.stage.status()
    assert status.asked >= 3
    assert status.failed >= status.asked - 1
    assert status.error == "the GPU is gone"
    assert sum("the GPU is gone" in record.message for record in caplog.records) == 1  # said once
    held.failure = None
    stream.run(1.5)
    assert stream.answers


def test_once_a_second_where_something_moves(model: PictureModel, held: Held) -> None:
    held.may_answer.release(100)
    stream = Stream(model, waits=True)
    stream.run(2.0, moves=False)
    assert held.asked == []
    stream.run(5.0)
    assert len(held.asked) == 5
    first = held.asked[0].pictures
    assert len(first) >= 24
    assert {(picture.shape, picture.dtype) for picture in first} == {((224, 224, 3), np.dtype(np.uint8))}


def test_several_people_are_counted_and_nobody_is_asked_about(model: PictureModel, held: Held) -> None:
    held.may_answer.release(100)
    stream = Stream(model, waits=True)
    stream.run(3.0, people=2)
    assert held.asked == []
    assert stream.stage.status().crowded == 3


def test_what_is_forgotten_is_not_answered(model: PictureModel, held: Held) -> None:
    stream = Stream(model)
    stream.run(1.0)
    stream.stage.forget()
    assert stream.stage.status().pictures == 0
    held.may_answer.release()
    wait_until(lambda: held.asked)
    stream.run(0.5)
    assert stream.answers == []


def test_a_model_of_skeletons_is_refused(recognizer: WindowRecognizer) -> None:
    with pytest.raises(MarEdgeError, match="model of skeletons"):
        PictureModel(recognizer)
