"""Lessons that browsers start: one at a time, about one stream. Decides everything; the page shows it. Knows no HTTP.

The skeletons are those of the running stream. A lesson ends in a model file, and in its labels for all streams.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal

import msgspec

from mar_edge.edge.errors import MarEdgeError
from mar_edge.edge.labels import Label
from mar_edge.edge.model_file import ModelVersion
from mar_edge.edge.recognizer import WindowRecognizer
from mar_edge.edge.taught import Head
from mar_edge.streaming.capture.frames import Frame
from mar_edge.streaming.recording.skeletons import skeleton_of
from mar_edge.streaming.wire.encoding import EncodedMessage
from mar_edge.streaming.wire.messages import NO_PERSON, AnyMessage, EndMessage, SkeletonMessage
from mar_edge.teaching.model_files import knows, label_to_teach, remove_taught, with_taught, without_taught
from mar_edge.teaching.showing import Phase, Plan, Showing
from mar_edge.teaching.verdicts import Verdict
from mar_edge.view.feed import Feed
from mar_edge.view.teach_messages import End, Judged, Start, TaughtLabel, TeachMessage
from mar_edge.view.teaching import Course, Teaching, version_of

FEWEST_EXAMPLES, MOST_EXAMPLES = 3, 10
# A lesson that no browser shows ends: it would teach whatever happens.
_UNATTENDED_S = 10.0
_log = logging.getLogger("mar_edge.view")


@dataclass
class _Lesson:
    """The lesson that goes on. is_shown: everything was, or it ended before."""

    wanted: Start
    is_known: bool
    showing: Showing
    segment: int | None = None
    attended_s: float | None = None
    course: Course | None = None
    is_over: bool = False
    is_shown: threading.Event = field(default_factory=threading.Event)

    def state(
        self, phase: Phase | End | Literal["fitting"], lines: Sequence[str] = (), verdicts: Sequence[Verdict] = ()
    ) -> TeachMessage:
        """Return what browsers get. verdicts: the final ones; until then, those of each example by itself."""
        prompt = self.showing.prompt
        examples = [Judged.of(one) for one in verdicts]
        return TeachMessage(
            phase=phase,
            name=self.wanted.name,
            stream=self.wanted.stream,
            number=prompt.number,
            of=self.wanted.examples,
            left_s=prompt.left_s,
            examples=tuple(examples or self.judged()),
            lines=tuple(lines),
        )

    def judged(self) -> list[Judged]:
        """Return the verdicts so far; whether an example is unlike the others is known at the end."""
        return [Judged("not used" if one.problem else "good", one.problem) for one in self.showing.verdicts]


class Lessons:
    """The lessons of a service. Any thread may call its methods; a stream waits for none of them.

    Args:
        teaching: What may be taught.
        feed: Gets the state for browsers.

    Raises:
        MarEdgeError: a model file cannot be read.
    """

    def __init__(self, teaching: Teaching, feed: Feed) -> None:
        self._teaching, self._feed = teaching, feed
        self._version = version_of(teaching.file)
        self._lock = threading.RLock()
        self._lesson: _Lesson | None = None
        self._is_removing = False
        self._new: ModelVersion | None = None
        self._people: dict[str, tuple[int, ...]] = {}
        self._tell(TeachMessage())

    def begin(self, recognizer: WindowRecognizer) -> WindowRecognizer:
        """Return the recognizer that a service begins with: with the labels that were taught before.

        Raises:
            MarEdgeError: their heads do not fit the network.
        """
        if self._version.sha256 == recognizer.version.sha256:
            return recognizer
        retaught = recognizer.retaught(self._version)
        retaught.try_out()
        names = ", ".join(label.name for label in self._labels()) or "none"
        _log.info("labels of %s are used from the beginning: %s", self._teaching.out, names)
        return retaught

    def new_model(self) -> ModelVersion | None:
        """Return the model file that was written last, once; None where there is nothing new."""
        with self._lock:
            version, self._new = self._new, None
        return version

    def start(self, wanted: Start) -> None:
        """Begin a lesson.

        Raises:
            MarEdgeError: another one goes on, it is not clear who shows it, or the label cannot be taught.
        """
        with self._lock:
            self._check_free()
            if not FEWEST_EXAMPLES <= wanted.examples <= MOST_EXAMPLES:
                raise MarEdgeError(f"{FEWEST_EXAMPLES} to {MOST_EXAMPLES} examples, not {wanted.examples}")
            if wanted.stream not in self._people:
                raise MarEdgeError(f"no frame of a stream '{wanted.stream}' has come")
            if wanted.person is None and len(self._people[wanted.stream]) > 1:
                raise MarEdgeError("several people are seen; choose who shows the movement")
            metadata = self._version.metadata
            is_known = knows(metadata, wanted.name)
            label = label_to_teach(metadata, wanted.name, wanted.body, person=is_known)
            self._teaching.check(with_taught(metadata, label, _head_of(label), self._version.sha256), label)
            showing = Showing(label, metadata, wanted.stream, Plan(wanted.examples), wanted.person)
            self._lesson = lesson = _Lesson(wanted, is_known, showing)
            self._tell(lesson.state("waiting"))
        threading.Thread(target=self._give, args=(lesson,), name="lesson", daemon=True).start()

    def stop(self) -> None:
        """End the lesson; nothing is taught.

        Raises:
            MarEdgeError: everything was shown, and the result is on its way.
        """
        with self._lock:
            if self._lesson is not None and self._lesson.is_shown.is_set():
                raise MarEdgeError("it is being taught; remove it afterwards")
            self.close()

    def close(self) -> None:
        """End the lesson that goes on."""
        with self._lock:
            if self._lesson is not None:
                self._end(self._lesson, "stopped")

    def remove(self, name: str) -> None:
        """Remove what was taught of a label, from the file and from the streams.

        Raises:
            MarEdgeError: a lesson goes on, nothing was taught of it, or the service could not go on without it.
        """
        with self._lock:
            self._check_free()
            self._teaching.check(without_taught(self._version.metadata, name), None)
            self._is_removing = True
        try:
            remove_taught(self._teaching.file, self._teaching.out, name)
            version = version_of(self._teaching.out)
            with self._lock:
                self._version = self._new = version
                self._tell(TeachMessage(phase="removed", name=name))
        finally:
            self._is_removing = False

    def on_message(self, message: AnyMessage) -> None:
        """Take a message that was sent (see ``StreamObserver``)."""
        if isinstance(message, EndMessage):
            with self._lock:
                self._people.pop(message.stream, None)
                lesson = self._lesson_of(message.stream)
                if lesson is not None:
                    self._end(lesson, "refused", ["the stream ended"])

    def on_frame(self, frame: Frame, skeletons: Sequence[EncodedMessage[SkeletonMessage]]) -> None:
        """Take a frame with the skeletons in it (see ``StreamObserver``)."""
        stream = skeletons[0].message.stream
        people = [one.message for one in skeletons if one.message.person != NO_PERSON]
        with self._lock:
            self._people[stream] = tuple(message.person for message in people)
            lesson = self._lesson_of(stream)
            if lesson is not None:
                self._take(lesson, frame, people)

    def _lesson_of(self, stream: str) -> _Lesson | None:
        """Return the lesson about a stream, as long as it asks for something."""
        lesson = self._lesson
        return lesson if lesson and lesson.wanted.stream == stream and not lesson.is_shown.is_set() else None

    def _take(self, lesson: _Lesson, frame: Frame, people: Sequence[SkeletonMessage]) -> None:
        if lesson.segment is None:
            lesson.segment = frame.segment
        if lesson.attended_s is None or self._feed.browsers:
            lesson.attended_s = frame.media_s
        before = lesson.showing.prompt
        try:
            if frame.segment != lesson.segment:
                raise MarEdgeError("the camera was lost, or its pictures changed their size; start again")
            if frame.media_s - lesson.attended_s > _UNATTENDED_S:
                raise MarEdgeError("no browser had the page open")
            prompt = lesson.showing.push(frame.media_s, [skeleton_of(message) for message in people])
        except MarEdgeError as error:
            self._end(lesson, "refused", [str(error)])
            return
        if prompt.phase == "done":
            lesson.is_shown.set()
            self._tell(lesson.state("fitting"))
        elif prompt != before:
            self._tell(lesson.state(prompt.phase))

    def _give(self, lesson: _Lesson) -> None:
        """Get a model ready, wait until everything was shown, and teach it. Runs on a thread of its own."""
        wanted = lesson.wanted
        try:
            with self._teaching.open_course(self._teaching.file) as course:
                lesson.course = course
                course.ready()
                lesson.is_shown.wait()
                if lesson.is_over:
                    return
                result = course.teach(
                    wanted.name,
                    lesson.showing.shown(),
                    out=self._teaching.out,
                    body=wanted.body,
                    person=lesson.is_known,
                    one_side=wanted.one_side,
                )
            version = version_of(self._teaching.out)
        except MarEdgeError as error:
            self._end(lesson, "refused", [str(error)])
        except Exception:  # noqa: BLE001 - a bug ends the lesson; the streams go on
            _log.exception("a lesson failed; the streams go on as before")
            self._end(lesson, "refused", ["a fault of the program; the log of the service has it"])
        else:
            with self._lock:
                self._version = self._new = version
                self._end(lesson, "taught", result.summary(), result.verdicts)

    def _end(self, lesson: _Lesson, how: End, lines: Sequence[str] = (), verdicts: Sequence[Verdict] = ()) -> None:
        """End a lesson, unless it has ended."""
        with self._lock:
            if lesson.is_over:
                return
            lesson.is_over, self._lesson = True, None
            lesson.is_shown.set()
            if lesson.course is not None:
                lesson.course.stop()
            self._tell(lesson.state(how, lines, verdicts))

    def _check_free(self) -> None:
        if self._lesson is not None or self._is_removing:
            raise MarEdgeError("a lesson goes on; wait for its end, or stop it")

    def _labels(self) -> tuple[TaughtLabel, ...]:
        metadata = self._version.metadata
        names = metadata.taught.names if metadata.taught else frozenset()
        taught = (label for label in metadata.labels if label.name in names)
        return tuple(TaughtLabel(label.name, label.body, not knows(metadata, label.name)) for label in taught)

    def _tell(self, message: TeachMessage) -> None:
        state = msgspec.structs.replace(message, labels=self._labels(), file=self._teaching.out.name)
        self._feed.keep("teach", msgspec.json.encode(state))


def _head_of(label: Label) -> Head:
    """Return a head without content, in place of one that will be taught."""
    nothing = {"examples": 0, "views": 0, "idle_s": 0.0, "found": 0.0, "false_per_minute": 0.0}
    return Head(label=label.name, weights=b"", bias=0.0, taught_on="", **nothing)  # type: ignore[arg-type]
