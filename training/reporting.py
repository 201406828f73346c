"""What a run tells while it goes on: lines for a log, a bar for a terminal, curves for TensorBoard. Trains nothing."""

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

from mar_edge.training.run_folder import Progress

_LINE_EVERY_S = 60.0


class Report:
    """A context manager that hears what happens in a run; this one keeps it to itself."""

    def __enter__(self) -> Report:
        return self

    def __exit__(self, *exc_info: object) -> None:
        pass

    def note(self, line: str) -> None:
        """Something worth a line, once."""

    def step(self, step: int, steps: int, loss: float, lr: float) -> None:
        """Every few steps: so many of so many done, and the loss of the last one."""

    def validated(self, progress: Progress, steps: int) -> None:
        """A validation."""


class Lines(Report):
    """For a log: a line a validation, and one a minute between them."""

    def __init__(self, out: TextIO) -> None:
        self._out = out
        self._said_s = time.monotonic()

    def note(self, line: str) -> None:
        """See ``Report``."""
        print(line, file=self._out, flush=True)
        self._said_s = time.monotonic()

    def step(self, step: int, steps: int, loss: float, lr: float) -> None:
        """See ``Report``."""
        if time.monotonic() - self._said_s >= _LINE_EVERY_S:
            self.note(f"step {step}/{steps}  loss {loss:.3f}")

    def validated(self, progress: Progress, steps: int) -> None:
        """See ``Report``."""
        self.note(_in_words(progress, steps))


class Bar(Report):
    """For a terminal: a bar that moves, with the lines of validations above it."""

    def __init__(self, console: Console) -> None:
        self._bar = RichProgress(
            BarColumn(), MofNCompleteColumn(), TextColumn("{task.description}"), TimeRemainingColumn(), console=console
        )
        self._task: TaskID | None = None

    def __enter__(self) -> Bar:
        self._bar.start()
        return self

    def __exit__(self, *exc_info: object) -> None:
        self._bar.stop()

    def note(self, line: str) -> None:
        """See ``Report``."""
        self._bar.console.print(escape(line), highlight=False)

    def step(self, step: int, steps: int, loss: float, lr: float) -> None:
        """See ``Report``."""
        description = f"loss {loss:.3f}  learning rate {lr:.1e}"
        if self._task is None:
            self._task = self._bar.add_task(description, total=steps, completed=step)
        self._bar.update(self._task, completed=step, description=description)

    def validated(self, progress: Progress, steps: int) -> None:
        """See ``Report``."""
        self.note(_in_words(progress, steps))


class Curves(Report):
    """For TensorBoard; a resumed run goes on in the same curves.

    Written here and now, not by TensorBoard's own thread: a full disk costs the curves, not the run.
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
        """See ``Report``."""
        self._add(step, {"training/loss": loss, "training/learning rate": lr})

    def validated(self, progress: Progress, steps: int) -> None:
        """See ``Report``."""
        values = {"held out/top-1": progress.top1, "held out/macro F1": progress.f1_macro}
        if progress.mean_ap is not None:
            values["held out/mean average precision"] = progress.mean_ap
        self._add(progress.step, values)

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
                # What a process that was killed wrote of later steps does not count.
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
            print(f"no more curves in {self._folder}: {error.strerror}; the run goes on", file=sys.stderr, flush=True)


class Together(Report):
    """Several reports as one."""

    def __init__(self, reports: Sequence[Report]) -> None:
        self._reports = reports
        self._stack = ExitStack()

    def __enter__(self) -> Together:
        for report in self._reports:
            self._stack.enter_context(report)
        return self

    def __exit__(self, *exc_info: object) -> None:
        self._stack.close()

    def note(self, line: str) -> None:
        """See ``Report``."""
        for report in self._reports:
            report.note(line)

    def step(self, step: int, steps: int, loss: float, lr: float) -> None:
        """See ``Report``."""
        for report in self._reports:
            report.step(step, steps, loss, lr)

    def validated(self, progress: Progress, steps: int) -> None:
        """See ``Report``."""
        for report in self._reports:
            report.validated(progress, steps)


def _in_words(progress: Progress, steps: int) -> str:
    mean_ap = "" if progress.mean_ap is None else f"mAP {progress.mean_ap:.3f}  "
    return (
        f"step {progress.step}/{steps}  loss {progress.loss:.3f}  held-out {mean_ap}top-1 {progress.top1:.3f}  "
        f"macro F1 {progress.f1_macro:.3f}  {progress.elapsed_s:.0f} s"
    )
