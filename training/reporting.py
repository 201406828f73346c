"""What a run tells while it goes on: lines for a log, a bar for a terminal, curves for TensorBoard. Trains nothing."""

from __future__ import annotations

import time
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, TextIO

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, TaskID, TextColumn, TimeRemainingColumn
from rich.progress import Progress as RichProgress

from training.run_folder import Progress

if TYPE_CHECKING:
    from torch.utils.tensorboard import SummaryWriter

_LINE_EVERY_S = 60.0


class Report:
    """A context manager that hears what happens in a run; this one keeps it to itself."""

    def __enter__(self) -> Report:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
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

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
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
    """For TensorBoard; a resumed run goes on in the same curves."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._writer: SummaryWriter | None = None

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._writer is not None:
            self._writer.close()

    def step(self, step: int, steps: int, loss: float, lr: float) -> None:
        """See ``Report``."""
        writer = self._open(step)
        writer.add_scalar("training/loss", loss, step)
        writer.add_scalar("training/learning rate", lr, step)

    def validated(self, progress: Progress, steps: int) -> None:
        """See ``Report``."""
        writer = self._open(progress.step)
        writer.add_scalar("held out/top-1", progress.top1, progress.step)
        writer.add_scalar("held out/macro F1", progress.f1_macro, progress.step)
        if progress.mean_ap is not None:
            writer.add_scalar("held out/mean average precision", progress.mean_ap, progress.step)

    def _open(self, step: int) -> SummaryWriter:
        if self._writer is None:
            from torch.utils.tensorboard import SummaryWriter

            # What a process that was killed wrote of later steps does not count.
            self._writer = SummaryWriter(str(self._folder), purge_step=step)
        return self._writer


class Together(Report):
    """Several reports as one."""

    def __init__(self, reports: Sequence[Report]) -> None:
        self._reports = reports
        self._stack = ExitStack()

    def __enter__(self) -> Together:
        for report in self._reports:
            self._stack.enter_context(report)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stack.__exit__(kind, value, trace)

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
