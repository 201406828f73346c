"""``teach``: a new label, or a known one for a person, from a few examples, without PyTorch."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from os import PathLike
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from mar_edge.edge.choices import RuntimeName
from mar_edge.edge.data import Window
from mar_edge.edge.errors import MarEdgeError
from mar_edge.edge.files.outputs import check_outputs
from mar_edge.edge.model_file import default_model_path
from mar_edge.edge.recognizer import WindowRecognizer
from mar_edge.streaming.recording.recorder import SUFFIX
from mar_edge.teaching.examples import Shown, Span, checked_span, read_folder, read_spans
from mar_edge.teaching.lesson import Lesson, Teacher
from mar_edge.teaching.model_files import label_to_teach, write_taught
from mar_edge.training.synth.generator import CLASSES
from mar_edge.training.synth.live import WINDOW_S, Windows, concurrent_windows

OTHER_LAYOUT = "ma52"
_OTHERS, _SEED = 400, 20


def teach(
    label: str,
    source: str | PathLike[str],
    at: Sequence[Span] | None = None,
    *,
    out: str | PathLike[str],
    model: str | PathLike[str] | None = None,
    body: str | None = None,
    person: bool = False,
    idle: Sequence[Span] = (),
    one_side: bool = False,
    runtime: RuntimeName = "auto",
    threads: int = 0,
) -> Lesson:
    """Teach a model file a movement and write the result.

    Args:
        label: name of the movement.
        source: a recording of ``mar-edge serve --record`` (.jsonl); or a folder of recordings with ``labels.csv``.
        at: (start, end) in seconds of each example in a recording; best 3 to 10. None for a folder.
        out: model file to write; it may be ``model``.
        model: model file to teach; None for the package's.
        body: body group of a new label, such as "head" or "upper limb".
        person: adapt a label that the model knows, instead of adding one.
        idle: (start, end) in seconds where nothing special happens; empty for everything but the examples.
        one_side: the movement to the other side, or of the other hand, is not the same.
        runtime: what runs the model meanwhile.
        threads: of one inference on a CPU; 0 takes every core.

    Raises:
        MarEdgeError: a file cannot be used, or the examples cannot: nothing moves, they contradict each other, or they
            look like the idle part. Nothing is written then.
    """
    path = Path(source)
    if at is None and not path.is_dir():
        raise MarEdgeError(f"{path}: say where the examples are, or give a folder with labels.csv")
    if at is not None and path.suffix != SUFFIX:
        raise MarEdgeError(f"{path} is no recording of mar-edge; record it with 'mar-edge serve --record FOLDER'")
    spans = None if at is None else [checked_span(start, end, f"the example at {start:g} s") for start, end in at]
    shown = read_folder(path, label) if spans is None else read_spans(path, spans, idle)
    return teach_shown(
        label,
        shown,
        out=Path(out),
        model=None if model is None else Path(model),
        body=body,
        person=person,
        one_side=one_side,
        runtime=runtime,
        threads=threads,
    )


class Course:
    """A model that is ready to be taught. A context manager, which closes it.

    Args:
        model: model file.
        runtime, threads: what runs it meanwhile.

    Raises:
        MarEdgeError: the file cannot be used.
    """

    def __init__(self, model: Path, runtime: RuntimeName = "auto", threads: int = 0) -> None:
        self._path = model
        self._recognizer = WindowRecognizer.open(model, threads, runtime)
        self._teacher: Teacher | None = None
        self._shows: NDArray[np.float32] = np.zeros((0, len(CLASSES)), np.float32)

    def prepare(self) -> None:
        """Acquaint the model with other people, which takes seconds; ``teach`` does so where it was not done before.

        Raises:
            MarEdgeError: the model has no features to teach on.
        """
        others: list[Window] = []
        if self._recognizer.layout.name == OTHER_LAYOUT:
            drawn = _other_people()
            times_s = np.linspace(0.0, WINDOW_S, drawn.joints.shape[1])
            others = [Window(clip, times_s) for clip in drawn.joints]
            self._shows = drawn.targets
        self._teacher = Teacher(self._recognizer, others)

    def teach(
        self, name: str, shown: Shown, *, out: Path, body: str | None, person: bool, one_side: bool = False
    ) -> Lesson:
        """Teach what was shown, and write the result (see ``teach``)."""
        label = label_to_teach(self._recognizer.metadata, name, body, person=person)
        if self._teacher is None:
            self.prepare()
        assert self._teacher is not None
        own = [k for k, each in enumerate(CLASSES) if each.name == label.name]
        is_other = np.all(self._shows[:, own] == 0, axis=1)
        lesson = self._teacher.teach(shown, label, is_other=is_other, mirror=not one_side)
        write_taught(self._path, out, lesson)
        return lesson

    def __enter__(self) -> Course:
        return self

    def __exit__(self, *exc_info: object) -> None:
        self._recognizer.__exit__(*exc_info)


@cache
def _other_people() -> Windows:
    """Return windows of synthetic people who do anything. They take seconds to make, and 9 MB to keep."""
    return concurrent_windows(_SEED, 0, _OTHERS)


def teach_shown(
    name: str,
    shown: Shown,
    *,
    out: Path,
    model: Path | None,
    body: str | None,
    person: bool,
    one_side: bool,
    runtime: RuntimeName = "auto",
    threads: int = 0,
) -> Lesson:
    """Teach a model file what was shown (see ``teach``)."""
    check_taught_file(out)
    with Course(model or default_model_path(), runtime, threads) as course:
        return course.teach(name, shown, out=out, body=body, person=person, one_side=one_side)


def check_taught_file(out: Path) -> None:
    """Raise MarEdgeError unless a taught model file can be written there."""
    check_outputs([out])
    if out.suffix != ".onnx":
        raise MarEdgeError(f"a model file's name ends in .onnx, not {out.name}")
