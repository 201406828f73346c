"""The training loop. Knows nothing of networks, nor of the source of clips, nor of how progress is shown."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from pathlib import Path
from typing import Generic, Literal, TypeVar

import torch

from mar_edge.edge.errors import MarEdgeError
from mar_edge.edge.network.checkpoint import save_checkpoint
from mar_edge.training.base import Job, Machine
from mar_edge.training.batches import prepared_batches
from mar_edge.training.datasets.base import Batch
from mar_edge.training.reporting import RunReporter, figures_in_words
from mar_edge.training.run_folder import RunFolder, ValidationRecord

_REPORT_EVERY = 10
_SAVE_EVERY_S = 60.0

B = TypeVar("B", bound=Batch)


def train(
    job: Job[B],
    folder: RunFolder,
    machine: Machine,
    reporter: RunReporter,
    should_stop: Callable[[], bool] = lambda: False,
) -> Path | None:
    """Run the job from its current step to its end, or until ``should_stop`` returns True; it is called at every step.

    Returns:
        The best checkpoint; None if it was stopped, with its state saved.

    Raises:
        MarEdgeError: the folder holds another run or a damaged state, or cannot be written. Or the device is missing,
            or the loss is no longer a finite number.
    """
    run = _Run(job, folder, machine, reporter, should_stop)
    with prepared_batches(job.training, job.plan, run.step, job.steps, machine.workers) as batches:
        while True:
            if run.is_validation_due and not run.validate():
                break
            if run.step == job.steps:
                return folder.best
            if should_stop():
                break
            run.learn(next(batches))
            if run.is_save_due:
                run.save()
    run.save()
    return None


class _Run(Generic[B]):
    """A run in progress: its network, its state and its files."""

    def __init__(
        self, job: Job[B], folder: RunFolder, machine: Machine, reporter: RunReporter, should_stop: Callable[[], bool]
    ) -> None:
        self._device = open_device(machine.device)
        self._job, self._folder, self._machine, self._reporter = job, folder, machine, reporter
        self._should_stop = should_stop
        folder.claim(job.config, job.labels)
        torch.manual_seed(job.config.seed)
        self._learner = job.learner(self._device, machine.workers)
        self._state = folder.resume(job.config, self._learner.parts, self._device)
        if self.step > job.steps:
            raise MarEdgeError(f"{folder.path} has done {self.step} steps already; --steps takes more, not {job.steps}")
        self._losses = torch.tensor(self._state.loss_sum, dtype=torch.float64, device=self._device)
        self._begun_s = time.monotonic() - self._state.elapsed_s
        self._saved_s = time.monotonic()
        for line in (*job.warnings(), *self._learner.notes):
            reporter.note(line)
        if self.step:
            reporter.note(f"resumes at step {self.step} of {job.steps}")
        elif job.starts_trained:
            self._note_start()

    def _note_start(self) -> None:
        """Report how well the network does before its first step, to compare with."""
        scores = self._learner.scores(self._should_stop)
        if scores is not None:
            figures = figures_in_words(scores.top1, scores.f1_macro, scores.mean_ap)
            self._reporter.note(f"before the first step: {figures}")

    @property
    def step(self) -> int:
        return self._state.step

    @property
    def is_validation_due(self) -> bool:
        at_one = self.step == self._job.steps or self.step % self._job.validate_every == 0
        return at_one and self._state.validated < self.step

    @property
    def is_save_due(self) -> bool:
        if self._machine.save_every is not None:
            return self.step % self._machine.save_every == 0
        return time.monotonic() - self._saved_s >= _SAVE_EVERY_S

    def learn(self, batch: B) -> None:
        at = self._job.pace(self.step)
        loss = self._learner.learn(batch, at)
        self._losses += loss
        self._state.loss_steps += 1
        self._state.step += 1
        # Reading the loss waits for the GPU.
        if self.step % _REPORT_EVERY == 0:
            self._reporter.step(self.step, self._job.steps, loss.item(), at.lr)

    def validate(self) -> bool:
        """Score the network, save its checkpoint and report; return False if stopped on the way, with no change."""
        state = self._state
        loss = self._loss_sum() / state.loss_steps
        scores = self._learner.scores(self._should_stop)
        if scores is None:
            return False
        info = self._job.describe(self.step, scores)
        save_checkpoint(self._folder.last, self._learner.kept, info)
        if self._machine.keep_all:
            save_checkpoint(self._folder.path / f"step-{self.step:06}.pt", self._learner.kept, info)
        figure = self._job.figure(scores)
        if figure > state.best:
            state.best = figure
            save_checkpoint(self._folder.best, self._learner.kept, info)
        record = ValidationRecord(
            step=self.step,
            epoch=self.step / self._job.plan.per_epoch,
            loss=loss,
            lr=self._job.pace(self.step - 1).lr,
            top1=scores.top1,
            f1_macro=scores.f1_macro,
            mean_ap=scores.mean_ap,
            elapsed_s=time.monotonic() - self._begun_s,
        )
        self._folder.append(record)
        state.validated = self.step
        state.loss_steps = 0
        self._losses.zero_()
        self.save()
        self._reporter.validated(record, self._job.steps)
        return True

    def save(self) -> None:
        self._state.loss_sum = self._loss_sum()
        self._state.elapsed_s = time.monotonic() - self._begun_s
        self._folder.save(self._job.config, self._state, self._learner.parts, self._device)
        self._saved_s = time.monotonic()

    def _loss_sum(self) -> float:
        """Return the sum of losses since the last validation. Read before saving, so that a NaN is never saved."""
        total: float = self._losses.item()
        if not math.isfinite(total):
            raise MarEdgeError(
                f"the loss is no longer a number at step {self.step}; start again in another folder with a lower --lr"
            )
        return total


def open_device(name: Literal["cpu", "cuda"]) -> torch.device:
    """Return the torch device of that name.

    Raises:
        MarEdgeError: there is no such device.
    """
    if name == "cuda" and not torch.cuda.is_available():
        raise MarEdgeError("no CUDA device that this torch can use; train with --device cpu, or install torch for CUDA")
    return torch.device(name)
