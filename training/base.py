"""The contract of a model family with the training loop (``training.train``): the job of a run, and its learner.

Knows no family. MMN's are in ``training.job`` and ``training.learner``, MANet's in ``training.pictures``.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Generic, Literal, Protocol, TypeVar

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from mar_edge.edge.labels import Label
from mar_edge.edge.network.checkpoint import CheckpointInfo
from mar_edge.edge.network.manet import MANet
from mar_edge.edge.network.mmn import MMN
from mar_edge.training.batches import BatchPlan
from mar_edge.training.datasets.base import Batch, LabeledClips
from mar_edge.training.metrics import Scores
from mar_edge.training.multilabel import LabelScores
from mar_edge.training.run_folder import RunConfig, Stateful
from mar_edge.training.schedule import Pace

WINDOW_S = 2.0
"""Seconds of video that a trained network is given while it serves."""
# Lowest rate of a label, as a share of the mean rate: no label is impossible.
_LEAST_RATE = 0.01


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


B = TypeVar("B", bound=Batch)
B_contra = TypeVar("B_contra", bound=Batch, contravariant=True)


class Learner(Protocol[B_contra]):
    """A network and its optimizer."""

    @property
    def parts(self) -> Mapping[str, Stateful]:
        """All that a resume needs, by name."""

    @property
    def kept(self) -> MMN | MANet:
        """The network whose weights are validated and kept."""

    @property
    def notes(self) -> tuple[str, ...]:
        """What a user should know about its first weights, a line each."""

    def learn(self, batch: B_contra, at: Pace) -> Tensor:
        """Take one optimizer step; return its loss, on the device."""

    def scores(self, should_stop: Callable[[], bool]) -> Scores | LabelScores | None:
        """Return the scores of ``kept`` on held-out clips; None if ``should_stop`` returned True on the way."""


class Origin(Protocol):
    """A trained network that a run starts from."""

    @property
    def name(self) -> str:
        """Its name, or that of its file."""

    @property
    def training_data(self) -> str:
        """The data that it was trained on."""

    @property
    def licence(self) -> str | None:
        """Terms of its weights; None if they are not known."""


@dataclass(frozen=True)
class Job(ABC, Generic[B]):
    """A configuration and its data. ``training`` and ``validation`` have the same labels."""

    config: RunConfig
    training: LabeledClips[B]
    validation: LabeledClips[B]

    @property
    @abstractmethod
    def plan(self) -> BatchPlan:
        """Clips of each batch."""

    @property
    @abstractmethod
    def starts_trained(self) -> bool:
        """Whether its first weights know labels already, so that scores before the first step mean something."""

    @abstractmethod
    def pace(self, step: int) -> Pace:
        """Return the settings of a step, counted from 0."""

    @abstractmethod
    def learner(self, device: torch.device, workers: int) -> Learner[B]:
        """Return the network to train; new weights are drawn from torch's random state.

        Args:
            workers: processes that prepare the clips of a validation.
        """

    @abstractmethod
    def figure(self, scores: Scores | LabelScores) -> float:
        """Return the figure by which the best checkpoint is chosen."""

    @abstractmethod
    def describe(self, step: int, scores: Scores | LabelScores) -> CheckpointInfo:
        """Return the description of the checkpoint after ``step``."""

    @property
    def labels(self) -> tuple[Label, ...]:
        """One for each output of the network."""
        return self.training.labels

    @property
    def steps(self) -> int:
        """Optimizer steps of the whole run."""
        return self.config.recipe.run_steps(self.plan.per_epoch)

    @property
    def validate_every(self) -> int:
        """Steps between two validations."""
        return self.config.recipe.validate_every or self.plan.per_epoch

    @property
    def short_name(self) -> str:
        """Name of the training data, in a few words."""
        return self.training.name.partition(",")[0]

    def history(self, step: int, start: Origin | None, terms: str) -> tuple[str, str]:
        """Return the training data and the terms of the weights after ``step``, for their description.

        Args:
            terms: of the training data.
        """
        seen = step * self.config.recipe.batch / len(self.training)
        times = "each used at most once" if seen <= 1 else f"each used {seen:.3g} times"
        history = f"{self.training.name}, {times}; scores on {self.validation.name}"
        if start is not None:
            history += f"; started from {start.name} ({start.training_data})"
            if start.licence != terms:
                terms += f"; and that of its start: {start.licence or 'unknown'}"
        return history, terms

    def notes(self) -> list[str]:
        """Return what a user should know about the data and the start, a line each."""
        return [f"trains on {self.training.name}", f"validates on {self.validation.name}"]

    def warnings(self) -> list[str]:
        """Return warnings about the data, a line each."""
        lines = []
        for clips, part in ((self.training, "training"), (self.validation, "validation")):
            missing = [self.training.labels[k].name for k in np.flatnonzero(clips.class_counts() == 0)]
            if missing:
                lines.append(f"{len(missing)} labels have no {part} clip: {', '.join(missing)}")
        return lines


def relative_rates(rates: NDArray[np.float64]) -> tuple[float, ...]:
    """Return frequencies of labels (K,) with a mean of 1, none near 0; empty if they are all 0."""
    if not rates.sum():
        return ()
    return tuple(float(f"{rate:.4g}") for rate in np.maximum(rates / rates.mean(), _LEAST_RATE))
