"""What a page may teach, and the contract of what teaches. Runs no model."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from mar_edge.edge.errors import MarEdgeError
from mar_edge.edge.files.digest import sha256_of
from mar_edge.edge.labels import Label
from mar_edge.edge.model_file import ModelMetadata, ModelVersion, parse_metadata
from mar_edge.edge.runtime.onnxruntime import read_metadata
from mar_edge.teaching.examples import Shown
from mar_edge.teaching.lesson import Lesson
from mar_edge.teaching.model_files import base_of, check_teachable


class Course(Protocol):
    """A model file that is made ready for one lesson, away from the streams."""

    def ready(self) -> None:
        """Wait until it can teach.

        Raises:
            MarEdgeError: it cannot.
        """

    def teach(self, name: str, shown: Shown, *, out: Path, body: str | None, person: bool, one_side: bool) -> Lesson:
        """Teach what was shown, and write the result (see ``mar_edge.teach``).

        Raises:
            MarEdgeError: the examples cannot be used, or the file cannot be written.
        """
        ...

    def stop(self) -> None:
        """End what it does; ``ready`` and ``teach`` then raise MarEdgeError. Any thread may call this."""


@dataclass(frozen=True)
class Teaching:
    """What a page may teach.

    Attributes:
        model: Model file that the service runs.
        out: Model file that lessons are written to. If it is there, its taught labels are used from the beginning.
        open_course: Opens a model file for a lesson.
        check: Raises MarEdgeError if the service could not use a model of that description, or would not report the
            label.

    Raises:
        MarEdgeError: a file cannot be read, the model cannot be taught, or ``out`` was taught from another model.
    """

    model: Path
    out: Path
    open_course: Callable[[Path], AbstractContextManager[Course]]
    check: Callable[[ModelMetadata, Label | None], None]

    def __post_init__(self) -> None:
        model, taught = (base_of(version_of(path).metadata) for path in (self.model, self.file))
        check_teachable(model)
        if taught != model:
            raise MarEdgeError(
                f"{self.out} was not taught from {self.model}; name another file, or serve it with --model {self.out}"
            )

    @property
    def file(self) -> Path:
        """The model file to teach next."""
        return self.out if self.out.exists() else self.model


def version_of(path: Path) -> ModelVersion:
    """Return what identifies a model file.

    Raises:
        MarEdgeError: it cannot be read.
    """
    return ModelVersion(parse_metadata(read_metadata(path), str(path)), sha256_of(path))
