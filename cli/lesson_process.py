"""A lesson in a process of its own: making windows of other people takes seconds, which a running stream has not."""

from __future__ import annotations

import multiprocessing
import os
from contextlib import suppress
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from mar_edge.edge.child_process import begin_child
from mar_edge.edge.errors import MarEdgeError
from mar_edge.teaching.examples import Shown
from mar_edge.teaching.lesson import Lesson

_LATER = 5
"""How far the process steps back behind the streams (``nice``)."""


class LessonProcess:
    """A model file that is made ready for one lesson (see ``view.lessons.Course``). A context manager; ends at once.

    It runs on one core of the CPU with ONNX Runtime, whatever the streams run on.
    """

    def __init__(self, model: Path) -> None:
        # Spawned: a forked process would inherit locks of threads that it does not have.
        context = multiprocessing.get_context("spawn")
        self._connection, theirs = context.Pipe()
        self._process = context.Process(target=_work, args=(theirs, model), name="lesson", daemon=True)
        self._process.start()
        theirs.close()  # so that the end of the process ends the connection

    def ready(self) -> None:
        """Wait until it can teach.

        Raises:
            MarEdgeError: the model cannot be taught, or the process ended.
        """
        self._answer()

    def teach(self, name: str, shown: Shown, **how: Any) -> Lesson:
        """Teach, and write the result (see ``api.teaching.Course``).

        Raises:
            MarEdgeError: the examples cannot be used, or the process ended.
        """
        with suppress(OSError):  # it has ended, which the answer says
            self._connection.send((name, shown, how))
        lesson = self._answer()
        assert isinstance(lesson, Lesson)
        return lesson

    def stop(self) -> None:
        """End the process; what waits for it gets an error. Any thread may call this."""
        self._process.kill()

    def _answer(self) -> object:
        try:
            answer = self._connection.recv()
        except (EOFError, OSError):
            raise MarEdgeError(
                "the process that teaches ended, perhaps for want of memory; nothing was taught"
            ) from None
        if isinstance(answer, MarEdgeError):
            raise answer
        return answer

    def __enter__(self) -> LessonProcess:
        return self

    def __exit__(self, *exc_info: object) -> None:
        self._process.kill()
        self._process.join()
        self._connection.close()


def _work(connection: Connection, model: Path) -> None:
    """Say when the model is ready, and answer one request with a lesson or with an error."""
    from mar_edge.api.teaching import Course

    begin_child()
    if hasattr(os, "nice"):
        os.nice(_LATER)
    try:
        with Course(model, "onnxruntime", threads=1) as course:
            course.prepare()
            connection.send(None)
            name, shown, how = connection.recv()
            connection.send(course.teach(name, shown, **how))
    except MarEdgeError as error:
        connection.send(error)
