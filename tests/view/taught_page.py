"""Lessons on a page in tests: a person who moves when asked to, and a course that takes no time."""

from __future__ import annotations

from contextlib import nullcontext
from datetime import date
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
from streaming_fakes import person
from view_messages import LAYOUT, Stream

from mar_edge.edge.errors import MarEdgeError
from mar_edge.edge.labels import Label
from mar_edge.edge.model_file import ModelMetadata, default_model_path, parse_metadata
from mar_edge.edge.runtime.onnxruntime import read_metadata
from mar_edge.edge.taught import Head, weights_of
from mar_edge.streaming.capture.frames import Frame
from mar_edge.streaming.wire.encoding import EncodedMessage
from mar_edge.streaming.wire.messages import NO_PERSON
from mar_edge.teaching.examples import Shown
from mar_edge.teaching.lesson import Lesson
from mar_edge.teaching.model_files import label_to_teach, write_taught
from mar_edge.teaching.verdicts import Verdict
from mar_edge.view.feed import Feed
from mar_edge.view.lessons import Lessons
from mar_edge.view.teaching import Teaching

FPS = 10
STILL, HEAD = person(), list(LAYOUT.regions["head"])


class ScriptedCourse:
    """Teaches without a network. ``given``: what was shown, by name. ``fails`` is raised instead, if there is one."""

    def __init__(self) -> None:
        self.given: dict[str, Shown] = {}
        self.fails: Exception | None = None
        self.model = default_model_path()

    def open(self, model: Path) -> Any:
        self.model = model
        return nullcontext(self)

    def ready(self) -> None:
        """Be ready at once."""

    def stop(self) -> None:
        """Have nothing to stop."""

    def teach(self, name: str, shown: Shown, *, out: Path, body: str | None, person: bool, one_side: bool) -> Lesson:
        if self.fails is not None:
            raise self.fails
        self.given[name] = shown
        label = label_to_teach(metadata_of(self.model), name, body, person=person)
        head = Head(
            label=name,
            weights=weights_of(np.zeros(128)),
            bias=3.0,
            examples=len(shown.examples),
            views=12,
            idle_s=30.0,
            found=0.8,
            false_per_minute=0.0,
            taught_on=date.today().isoformat(),
        )
        logits = [-1.0, *[1.0] * (len(shown.examples) - 1)]
        verdicts = (Verdict(one.name, "", logit) for one, logit in zip(shown.examples, logits, strict=True))
        lesson = Lesson(label, head, tuple(verdicts))
        write_taught(self.model, out, lesson)
        return lesson


def metadata_of(path: Path) -> ModelMetadata:
    return parse_metadata(read_metadata(path), str(path))


def teaching(out: Path, course: ScriptedCourse) -> Teaching:
    """Return what may be taught by the service of these tests, which leaves legs out."""

    def check(metadata: ModelMetadata, label: Label | None) -> None:
        if label is not None and label.body == "lower limb":
            raise MarEdgeError(f"--labels of the service leaves '{label.name}' out")

    return Teaching(default_model_path(), out, course.open, check)


class Sitter:
    """Somebody in front of the camera of a stream, who moves the head when asked to, and ``lazy`` times does not."""

    def __init__(self, lessons: Lessons, feed: Feed, lazy: int = 0, people: int = 1) -> None:
        self.lessons, self.feed, self.lazy, self.people = lessons, feed, lazy, people
        self.cam = Stream()
        self.frame, self.segment = 0, 0
        self._outbox = feed.subscribe()
        self.state: dict[str, Any] = {}
        self.seen: list[str] = []

    def sit(self, frames: int = 1) -> dict[str, Any]:
        """Be in the picture for some frames, and return the state of the lessons then."""
        for _ in range(frames):
            t_s = self.frame / FPS
            moves = self.state.get("phase") == "show" and len(self.state["examples"]) >= self.lazy
            joints = STILL.copy()
            if moves:
                joints[HEAD, 1] += 20 * np.sin(2 * np.pi * t_s)
            places = tuple((float(x), float(y)) for x, y in joints.round(2).tolist())
            shown = [
                msgspec.structs.replace(self.cam.skeleton(t_s, who), joints=places, scores=(0.9,) * len(places))
                for who in range(self.people)
            ] or [self.cam.skeleton(t_s, NO_PERSON)]
            encoded = [EncodedMessage(message) for message in shown]
            for each in encoded:
                self.feed.publish(each)
            no_picture = np.zeros((0, 0, 3), np.uint8)
            frame = Frame(self.frame, shown[0].t_capture_ns, 0, t_s, no_picture, self.segment, ())
            self.lessons.on_frame(frame, encoded)
            self.frame += 1
            self.look()
        return self.state

    def look(self) -> dict[str, Any]:
        """Return the newest state."""
        assert self._outbox is not None
        documents, _ = self._outbox.take()
        for document in msgspec.json.decode(documents or b"[]"):
            if document["kind"] == "teach":
                self.state = document
                self.seen += [document["phase"]] if document["phase"] not in self.seen[-1:] else []
        return self.state
