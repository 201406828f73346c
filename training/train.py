"""The training loop. Knows nothing of the source of clips, nor of how progress is shown."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, cast

import torch
from torch import Tensor
from torch.nn import functional as F

from mar_edge.edge.errors import MarEdgeError
from mar_edge.edge.network.checkpoint import save_checkpoint
from mar_edge.edge.network.inputs import stream_input
from mar_edge.edge.network.mmn import MMN
from mar_edge.training.batches import training_batches
from mar_edge.training.datasets.base import ClipBatch
from mar_edge.training.job import Job
from mar_edge.training.losses import label_losses
from mar_edge.training.reporting import RunReporter, figures_in_words
from mar_edge.training.run_folder import RunFolder, Stateful, ValidationRecord
from mar_edge.training.schedule import Pace, pace
from mar_edge.training.targets import targets_of, without_background
from mar_edge.training.validation import ValidationClips

_REPORT_EVERY = 10
_SAVE_EVERY_S = 60.0


@dataclass(frozen=True)
class Machine:
    """Machine-dependent settings of a run. They change the result by rounding only.

    workers: processes that prepare batches. save_every: steps between two saved states; None is once per minute.

    keep_all: keep every validated checkpoint as ``step-STEP.pt``, to evaluate it later.
    """

    device: Literal["cpu", "cuda"] = "cpu"
    workers: int = 0
    save_every: int | None = None
    keep_all: bool = False


class _Learner:
    """The network, its optimizer and its averaged weights."""

    def __init__(self, job: Job, network: MMN, device: torch.device) -> None:
        recipe = job.config.recipe
        self._recipe, self._layout, self._device = recipe, job.training.layout, device
        self._num_labels, self._background = len(job.training.labels), job.training.background
        # Channels last, like the batches: a step takes a third less time on a CPU.
        self._network = network.to(device).to(memory_format=torch.channels_last)  # type: ignore[call-overload]  # torch's stubs do not know it
        self._optimizer = torch.optim.AdamW(network.parameters(), lr=recipe.lr, weight_decay=recipe.weight_decay)
        self.parts: dict[str, Stateful] = {"network": network, "optimizer": self._optimizer}
        self._average: torch.optim.swa_utils.AveragedModel | None = None
        if recipe.ema is not None:
            self._average = torch.optim.swa_utils.AveragedModel(
                network, multi_avg_fn=torch.optim.swa_utils.get_ema_multi_avg_fn(recipe.ema), use_buffers=True
            )
            self.parts["average"] = self._average
        weights = job.loss_weights()
        self._class_weights = None if weights is None else torch.from_numpy(weights).to(device)

    @property
    def kept(self) -> MMN:
        """The weights that are validated and kept."""
        return self._network if self._average is None else cast(MMN, self._average.module)

    def learn(self, batch: ClipBatch, at: Pace) -> Tensor:
        """Take one optimizer step; return its loss, on the device."""
        for group in self._optimizer.param_groups:
            group["lr"], group["betas"] = at.lr, (at.beta1, group["betas"][1])
        self._network.train()
        skeleton, index_t = (torch.from_numpy(array).to(self._device) for array in (batch.skeleton, batch.index_t))
        with torch.autocast(self._device.type, torch.bfloat16, enabled=self._device.type == "cuda"):
            logits = self._network(stream_input(skeleton, self._layout, self._recipe.stream), index_t)
        loss = self._loss(logits.float(), batch)
        self._optimizer.zero_grad()
        loss.backward()
        if self._recipe.clip_norm is not None:
            torch.nn.utils.clip_grad_norm_(self._network.parameters(), self._recipe.clip_norm)
        self._optimizer.step()
        if self._average is not None:
            self._average.update_parameters(self._network)
        return loss.detach()

    def _loss(self, logits: Tensor, batch: ClipBatch) -> Tensor:
        """Return the mean loss over clips of logits (N, K); with several labels per clip, of the sum over labels."""
        recipe = self._recipe
        if recipe.several_labels:
            wanted = without_background(targets_of(batch, self._num_labels, self._background), self._background)
            targets = torch.from_numpy(wanted).to(self._device)
            return label_losses(logits, targets, recipe.loss).sum(dim=1).mean()
        labels = torch.from_numpy(batch.labels).to(self._device)
        losses = F.cross_entropy(logits, labels, label_smoothing=recipe.label_smoothing, reduction="none")
        return (losses if self._class_weights is None else losses * self._class_weights[labels]).mean()


def train(
    job: Job,
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
    with training_batches(job.training, job.plan, run.step, job.steps, machine.workers) as batches:
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


class _Run:
    """A run in progress: its network, its state and its files."""

    def __init__(
        self, job: Job, folder: RunFolder, machine: Machine, reporter: RunReporter, should_stop: Callable[[], bool]
    ) -> None:
        self._device = open_device(machine.device)
        self._job, self._folder, self._machine, self._reporter = job, folder, machine, reporter
        self._should_stop = should_stop
        folder.claim(job.config, job.labels)
        torch.manual_seed(job.config.seed)
        network, kept = job.build()
        self._learner = _Learner(job, network, self._device)
        self._state = folder.resume(job.config, self._learner.parts, self._device)
        if self.step > job.steps:
            raise MarEdgeError(f"{folder.path} has done {self.step} steps already; --steps takes more, not {job.steps}")
        self._losses = torch.tensor(self._state.loss_sum, dtype=torch.float64, device=self._device)
        self._clips = ValidationClips(job.validation, job.config.recipe.several_labels)
        self._begun_s = time.monotonic() - self._state.elapsed_s
        self._saved_s = time.monotonic()
        for line in (*job.warnings(), *([kept] if kept else [])):
            reporter.note(line)
        if self.step:
            reporter.note(f"resumes at step {self.step} of {job.steps}")
        elif job.start is not None:
            self._note_start()

    def _note_start(self) -> None:
        """Report how well the network does before its first step, to compare with."""
        scores = self._clips.scores(self._learner.kept, self._job.config.recipe.stream, self._should_stop)
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

    def learn(self, batch: ClipBatch) -> None:
        at = pace(self._job.config.recipe, self.step, self._job.steps)
        loss = self._learner.learn(batch, at)
        self._losses += loss
        self._state.loss_steps += 1
        self._state.step += 1
        # Reading the loss waits for the GPU.
        if self.step % _REPORT_EVERY == 0:
            self._reporter.step(self.step, self._job.steps, loss.item(), at.lr)

    def validate(self) -> bool:
        """Score the network, save its checkpoint and report; return False if stopped on the way, with no change."""
        state, recipe = self._state, self._job.config.recipe
        loss = self._loss_sum() / state.loss_steps
        scores = self._clips.scores(self._learner.kept, recipe.stream, self._should_stop)
        if scores is None:
            return False
        info = self._job.describe(self.step, scores)
        save_checkpoint(self._folder.last, self._learner.kept, info)
        if self._machine.keep_all:
            save_checkpoint(self._folder.path / f"step-{self.step:06}.pt", self._learner.kept, info)
        if scores.best > state.best:
            state.best = scores.best
            save_checkpoint(self._folder.best, self._learner.kept, info)
        record = ValidationRecord(
            step=self.step,
            epoch=self.step / self._job.plan.per_epoch,
            loss=loss,
            lr=pace(recipe, self.step - 1, self._job.steps).lr,
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
