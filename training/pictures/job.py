"""MANet's job: its configuration, its videos, its start, and the description of its checkpoints."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property

import torch

from mar_edge.edge.movements import Movements, combined, stated_for
from mar_edge.edge.network.checkpoint import CheckpointInfo
from mar_edge.edge.network.manet import MANet, MANetConfig
from mar_edge.training.base import WINDOW_S, Job, relative_rates
from mar_edge.training.batches import BatchPlan
from mar_edge.training.metrics import Scores
from mar_edge.training.multilabel import LabelScores
from mar_edge.training.pictures.dataset import PictureBatch, VideoDataset
from mar_edge.training.pictures.learner import ManetLearner
from mar_edge.training.pictures.recipe import ManetRecipe
from mar_edge.training.pictures.start import PictureStart, start_from
from mar_edge.training.pictures.words import WordTable
from mar_edge.training.schedule import Pace, step_pace

_LICENCE = "that of the videos"


@dataclass(frozen=True)
class ManetJob(Job[PictureBatch]):
    """See ``training.base.Job``.

    words: word vectors of the labels, for the second head; None leaves it untrained.

    movements: the movements that a label file states for its labels.
    """

    training: VideoDataset
    validation: VideoDataset
    start: PictureStart | None = None
    words: WordTable | None = None
    movements: Movements = field(default_factory=dict)

    @property
    def recipe(self) -> ManetRecipe:
        """The recipe of its configuration."""
        assert isinstance(self.config.recipe, ManetRecipe)
        return self.config.recipe

    @cached_property
    def plan(self) -> BatchPlan:
        """See ``Job``. A worker decodes one batch at a time: pictures are large."""
        recipe = self.recipe
        return BatchPlan(len(self.training), recipe.batch, self.config.seed, block=recipe.batch)

    @property
    def starts_trained(self) -> bool:
        """See ``Job``; weights of ImageNet know no label."""
        return self.start is not None and self.start.network is not None

    def pace(self, step: int) -> Pace:
        """See ``Job``."""
        return step_pace(self.recipe.lr, self.recipe.lr_drops, step / self.steps)

    def figure(self, scores: Scores | LabelScores) -> float:
        """See ``Job``; the authors chose by top-1 accuracy."""
        return scores.top1

    def learner(self, device: torch.device, workers: int) -> ManetLearner:
        """See ``Job``."""
        network, notes = self.build()
        return ManetLearner(
            network,
            self.recipe,
            device,
            validation=self.validation,
            workers=workers,
            word_vectors=None if self.words is None else self.words.vectors,
            notes=notes,
        )

    def notes(self) -> list[str]:
        """See ``Job``."""
        start = [f"{self.config.start}: {self.start.read_as}"] if self.start is not None and self.start.read_as else []
        return [*start, *super().notes(), *(self.words.notes if self.words else ())]

    def build(self) -> tuple[MANet, tuple[str, ...]]:
        """Return the network, and lines about the weights that it starts with."""
        recipe, start = self.recipe, self.start
        shape = MANetConfig(len(self.labels), width=recipe.width, depths=recipe.depths)
        if self.words is not None:
            shape = MANetConfig(len(self.labels), self.words.vectors.shape[1], recipe.depths, recipe.width)
        network = MANet(shape, recipe.dropout)
        notes = [] if start is None else [start_from(start, network, self.labels, self.config.start or start.name)]
        if self.words is None:
            notes.append("learns labels alone; with --words FILE, it learns to point at their word vectors as well")
        return network, tuple(notes)

    def describe(self, step: int, scores: Scores | LabelScores) -> CheckpointInfo:
        """See ``Job``."""
        recipe, start = self.recipe, self.start
        training_data, licence = self.history(step, start, _LICENCE)
        depths = ",".join(map(str, recipe.depths))
        return CheckpointInfo(
            family="manet",
            layout=self.training.layout.name,
            labels=self.labels,
            background=self.training.background,
            window_s=WINDOW_S,
            name=f"MANet, depths {depths}, width {recipe.width}, {self.short_name}",
            training_data=training_data,
            accuracy={name: round(value, 4) for name, value in scores.figures(self.labels).items()},
            licence=licence,
            rates=relative_rates(self.training.label_rates()),
            movements=stated_for(self.labels, combined(start.movements if start else {}, self.movements)),
        )
