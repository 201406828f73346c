"""Lessons of a running stream: what is asked for, what is written, and what is refused."""

from __future__ import annotations

from pathlib import Path

import pytest

pytest.importorskip("starlette")
import tiny_model
from streaming_fakes import wait_until
from taught_page import ScriptedCourse, Sitter, metadata_of, teaching
from view_messages import Stream

from mar_edge.cli.lesson_process import LessonProcess
from mar_edge.edge.errors import MarEdgeError
from mar_edge.edge.files.digest import sha256_of
from mar_edge.edge.model_file import default_model_path
from mar_edge.edge.recognizer import WindowRecognizer
from mar_edge.teaching.examples import Shown
from mar_edge.view.feed import Feed
from mar_edge.view.lessons import Lessons
from mar_edge.view.teach_messages import Start

WAVE = Start("circling head", "cam", "head", 3)


@pytest.fixture
def course() -> ScriptedCourse:
    return ScriptedCourse()


@pytest.fixture
def out(tmp_path: Path) -> Path:
    return tmp_path / "taught.onnx"


@pytest.fixture
def sitter(out: Path, course: ScriptedCourse) -> Sitter:
    feed = Feed()
    return Sitter(Lessons(teaching(out, course), feed), feed)


def shown(sitter: Sitter, frames: int = 900) -> dict:
    """Sit through a lesson, and return its end."""
    for _ in range(frames):
        if sitter.sit()["phase"] in ("fitting", "taught", "refused"):
            break
    wait_until(lambda: sitter.look()["phase"] in ("taught", "refused"))
    return sitter.state


def test_a_label_is_taught_and_removed_again(sitter: Sitter, out: Path, course: ScriptedCourse) -> None:
    sitter.sit()
    sitter.lazy = 1
    sitter.lessons.start(WAVE)
    state = shown(sitter)
    asked = ["ready", "count", "show", "thanks"]
    assert sitter.seen == ["none", "waiting", *asked * 4, "ready", "idle", "fitting", "taught"]
    assert [each["word"] for each in state["examples"]] == ["unlike the others", "good", "good"]
    assert state["lines"][1] == "self-test: 80 % of the examples are found from the others"
    assert (state["labels"], state["file"]) == ([{"name": "circling head", "body": "head", "is_new": True}], out.name)
    given = course.given["circling head"]
    assert (len(given.examples), given.layout) == (3, "ma52")
    assert all(abs(end - start - 2.0) < 0.2 for start, end in (each.span for each in given.examples))
    version = sitter.lessons.new_model()
    assert version == (metadata_of(out), sha256_of(out))
    assert sitter.lessons.new_model() is None
    sitter.lessons.remove("circling head")
    assert sitter.look()["phase"] == "removed"
    assert sitter.state["labels"] == []
    assert sitter.lessons.new_model() == (metadata_of(default_model_path()), sha256_of(out))
    with pytest.raises(MarEdgeError, match="'circling head' was not taught; it has no taught labels"):
        sitter.lessons.remove("circling head")


def test_an_example_that_cannot_be_used_is_asked_for_again(sitter: Sitter) -> None:
    sitter.lazy = 100
    sitter.sit()
    sitter.lessons.start(WAVE)
    state = shown(sitter)
    assert state["examples"] == [{"word": "not used", "problem": "nothing moves"}] * 6
    assert state["lines"] == ["none of 6 examples can be used: nothing moves"]


def test_what_was_taught_is_there_at_the_next_start(sitter: Sitter, out: Path, course: ScriptedCourse) -> None:
    sitter.sit()
    sitter.lessons.start(WAVE)
    shown(sitter)
    again = Lessons(teaching(out, course), Feed())
    with WindowRecognizer.open(threads=1) as network:
        recognizer = again.begin(network)
        assert [label.name for label in recognizer.metadata.labels[-1:]] == ["circling head"]
        assert recognizer.version.sha256 == sha256_of(out)
    other = tiny_model.write(out.with_name("tiny.onnx"))
    with pytest.raises(MarEdgeError, match=r"was not taught from .*; name another file, or serve it with --model"):
        teaching(other, course)


@pytest.mark.parametrize(
    ("wanted", "match"),
    [
        (Start("x", "cam", "hed", 3), "did you mean 'head'"),
        (Start("a,b", "cam", "head", 3), "no comma"),
        (Start("x", "cam", "head", 2), "3 to 10 examples, not 2"),
        (Start("x", "door", "head", 3), "no frame of a stream 'door' has come"),
        (Start("kicking", "cam", "lower limb", 3), "--labels of the service leaves 'kicking' out"),
    ],
)
def test_mistakes_are_named_and_no_lesson_begins(sitter: Sitter, wanted: Start, match: str) -> None:
    sitter.sit()
    with pytest.raises(MarEdgeError, match=match):
        sitter.lessons.start(wanted)
    assert sitter.sit(20)["phase"] == "none"


def test_one_lesson_goes_on_at_a_time_about_one_person(sitter: Sitter) -> None:
    sitter.people = 2
    sitter.sit()
    with pytest.raises(MarEdgeError, match="several people are seen; choose who shows"):
        sitter.lessons.start(WAVE)
    sitter.lessons.start(Start("circling head", "cam", "head", 3, person=1))
    for refused in (lambda: sitter.lessons.start(WAVE), lambda: sitter.lessons.remove("x")):
        with pytest.raises(MarEdgeError, match="a lesson goes on"):
            refused()
    sitter.people = 1  # the one who was chosen is away
    assert sitter.sit(30)["phase"] == "waiting"
    sitter.lessons.stop()
    assert sitter.look()["phase"] == "stopped"
    sitter.lessons.stop()  # which nothing is left of
    sitter.lessons.start(WAVE)


@pytest.mark.parametrize(
    ("what", "reason"),
    [("camera", "the camera was lost"), ("browsers", "no browser had the page open"), ("stream", "the stream ended")],
)
def test_a_lesson_ends_without_camera_browsers_or_stream(sitter: Sitter, what: str, reason: str) -> None:
    sitter.sit()
    sitter.lessons.start(WAVE)
    sitter.sit(30)
    if what == "camera":
        sitter.segment = 1
    elif what == "browsers":
        sitter.feed.unsubscribe(sitter._outbox)
        sitter.sit(90)
        sitter._outbox = sitter.feed.subscribe()
        assert sitter.sit()["phase"] != "refused"  # it was not long
        sitter.feed.unsubscribe(sitter._outbox)
        sitter.sit(120)
        sitter._outbox = sitter.feed.subscribe()
    else:
        sitter.lessons.on_message(Stream().end(9.0))
    assert sitter.sit()["phase"] == "refused"
    assert reason in sitter.state["lines"][0]
    assert sitter.lessons.new_model() is None


@pytest.mark.parametrize("error", [MarEdgeError("they contradict each other"), ZeroDivisionError("a bug")])
def test_examples_that_teach_nothing_change_nothing(
    sitter: Sitter, out: Path, course: ScriptedCourse, error: Exception
) -> None:
    course.fails = error
    sitter.sit()
    sitter.lessons.start(WAVE)
    said = str(error) if isinstance(error, MarEdgeError) else "a fault of the program; the log of the service has it"
    assert shown(sitter)["lines"] == [said]
    assert (sitter.lessons.new_model(), out.exists()) == (None, False)


@pytest.mark.slow
def test_a_lesson_is_given_by_a_process_of_its_own(tmp_path: Path) -> None:
    with LessonProcess(tmp_path / "nowhere.onnx") as process, pytest.raises(MarEdgeError, match="no model file at"):
        process.ready()
    with LessonProcess(default_model_path()) as process:
        process.ready()
        nothing = Shown("ma52", (), ())
        with pytest.raises(MarEdgeError, match="no example of 'x' can be used"):
            process.teach("x", nothing, out=tmp_path / "x.onnx", body="head", person=False, one_side=False)
    with LessonProcess(default_model_path()) as process:
        process.stop()
        with pytest.raises(MarEdgeError, match="the process that teaches ended"):
            process.ready()
