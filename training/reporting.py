"""Progress of a run: lines for a log, a bar for a terminal, curves for TensorBoard. Trains nothing."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import BinaryIO, TextIO

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, TaskID, TextColumn, TimeRemainingColumn
from rich.progress import Progress as RichProgress

from mar_edge.training.run_folder import ValidationRecord

_LINE_EVERY_S = 60.0


class RunReporter:
    """A context manager that receives the events of a run; this one shows nothing."""

    def __enter__(self) -> RunReporter:
        return self

    def __exit__(self, *exc_info: object) -> None:
        pass

    def note(self, line: str) -> None:
        """Show a line of text."""

    def step(self, step: int, steps: int, loss: float, lr: float) -> None:
        """Show progress, every few steps: ``step`` of ``steps``, and the loss of the last step."""

    def validated(self, record: ValidationRecord, steps: int) -> None:
        """Show the result of a validation."""


class LineReporter(RunReporter):
    """For a log: a line for each validation, and one per minute between them."""

    def __init__(self, out: TextIO) -> None:
        self._out = out
        self._said_s = time.monotonic()

    def note(self, line: str) -> None:
        """See ``RunReporter``."""
        print(line, file=self._out, flush=True)
        self._said_s = time.monotonic()

    def step(self, step: int, steps: int, loss: float, lr: float) -> None:
        """See ``RunReporter``."""
        if time.monotonic() - self._said_s >= _LINE_EVERY_S:
            self.note(f"step {step}/{steps}  loss {loss:.3f}")

    def validated(self, record: ValidationRecord, steps: int) -> None:
        """See ``RunReporter``."""
        self.note(_in_words(record, steps))


class BarReporter(RunReporter):
    """For a terminal: a progress bar, with the lines of validations above it."""

    def __init__(self, console: Console) -> None:
        self._bar = RichProgress(
            BarColumn(), MofNCompleteColumn(), TextColumn("{task.description}"), TimeRemainingColumn(), console=console
        )
        self._task: TaskID | None = None

    def __enter__(self) -> BarReporter:
        self._bar.start()
        return self

    def __exit__(self, *exc_info: object) -> None:
        self._bar.stop()

    def note(self, line: str) -> None:
        """See ``RunReporter``."""
        self._bar.console.print(escape(line), highlight=False)

    def step(self, step: int, steps: int, loss: float, lr: float) -> None:
        """See ``RunReporter``."""
        description = f"loss {loss:.3f}  learning rate {lr:.1e}"
        if self._task is None:
            self._task = self._bar.add_task(description, total=steps, completed=step)
        self._bar.update(self._task, completed=step, description=description)

    def validated(self, record: ValidationRecord, steps: int) -> None:
        """See ``RunReporter``."""
        self.note(_in_words(record, steps))


class TensorBoardReporter(RunReporter):
    """For TensorBoard; a resumed run continues the same curves.

    It writes in this thread, not in TensorBoard's own: a full disk ends the curves, not the run.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._file: BinaryIO | None = None
        self._is_lost = False

    def __exit__(self, *exc_info: object) -> None:
        if self._file is not None:
            with suppress(OSError) if self._is_lost else self._losing():
                self._file.close()

    def step(self, step: int, steps: int, loss: float, lr: float) -> None:
        """See ``RunReporter``."""
        self._add(step, {"training/loss": loss, "training/learning rate": lr})

    def validated(self, record: ValidationRecord, steps: int) -> None:
        """See ``RunReporter``."""
        values = {"held out/top-1": record.top1, "held out/macro F1": record.f1_macro}
        if record.mean_ap is not None:
            values["held out/mean average precision"] = record.mean_ap
        self._add(record.step, values)

    def _add(self, step: int, values: Mapping[str, float]) -> None:
        from tensorboard.compat.proto.event_pb2 import Event, SessionLog
        from tensorboard.compat.proto.summary_pb2 import Summary
        from tensorboard.summary.writer.record_writer import RecordWriter

        points = Summary(value=[Summary.Value(tag=name, simple_value=value) for name, value in values.items()])
        events = [Event(wall_time=time.time(), step=step, summary=points)]
        if self._is_lost:
            return
        with self._losing():
            if self._file is None:
                self._file = self._open()
                # Discards later steps of a process that was killed.
                begun = Event(wall_time=time.time(), step=step, session_log=SessionLog(status=SessionLog.START))
                events = [Event(wall_time=time.time(), step=step, file_version="brain.Event:2"), begun, *events]
            for event in events:
                RecordWriter(self._file).write(event.SerializeToString())
            self._file.flush()

    def _open(self) -> BinaryIO:
        self._folder.mkdir(parents=True, exist_ok=True)
        return (self._folder / f"events.out.tfevents.{time.time_ns() // 1000:016d}.{os.getpid()}").open("wb")

    @contextmanager
    def _losing(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            self._is_lost = True
            print(f"no more curves in {self._folder}: {error.strerror}; the run continues", file=sys.stderr, flush=True)


class CombinedReporter(RunReporter):
    """Several reporters as one."""

    def __init__(self, reporters: Sequence[RunReporter]) -> None:
        self._reporters = reporters
        self._stack = ExitStack()

    def __enter__(self) -> CombinedReporter:
        for reporter in self._reporters:
            self._stack.enter_context(reporter)
        return self

    def __exit__(self, *exc_info: object) -> None:
        self._stack.close()

    def note(self, line: str) -> None:
        """See ``RunReporter``."""
        for reporter in self._reporters:
            reporter.note(line)

    def step(self, step: int, steps: int, loss: float, lr: float) -> None:
        """See ``RunReporter``."""
        for reporter in self._reporters:
            reporter.step(step, steps, loss, lr)

    def validated(self, record: ValidationRecord, steps: int) -> None:
        """See ``RunReporter``."""
        for reporter in self._reporters:
            reporter.validated(record, steps)


def _in_words(record: ValidationRecord, steps: int) -> str:
    figures = figures_in_words(record.top1, record.f1_macro, record.mean_ap)
    return f"step {record.step}/{steps}  loss {record.loss:.3f}  {figures}  {record.elapsed_s:.0f} s"


def figures_in_words(top1: float, f1_macro: float, mean_ap: float | None) -> str:
    """Return the figures of a validation; ``mean_ap`` of a network that predicts several labels at once."""
    first = "" if mean_ap is None else f"mAP {mean_ap:.3f}  "
    return f"held-out {first}top-1 {top1:.3f}  macro F1 {f1_macro:.3f}"
