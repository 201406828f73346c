"""Training runs that are watched, and killed at any moment."""

from __future__ import annotations

from collections.abc import Callable

from mar_edge.training.reporting import RunReporter
from mar_edge.training.run_folder import ValidationRecord


class Killed(BaseException):
    """Ends a run; not caught anywhere."""


class Notes(RunReporter):
    """Keeps the notes of a run. Calls ``on_validation`` after each validation."""

    def __init__(self, on_validation: Callable[[], None] = lambda: None) -> None:
        self.lines: list[str] = []
        self._on_validation = on_validation

    def note(self, line: str) -> None:
        self.lines.append(line)

    def validated(self, record: ValidationRecord, steps: int) -> None:
        self._on_validation()
