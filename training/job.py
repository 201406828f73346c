"""MMN's job: its configuration, its data, its start, and the description of its checkpoints."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
import torch
from numpy.typing import NDArray

from mar_edge.edge.errors import MarEdgeError
from mar_edge.edge.labels import BACKGROUND_NAME, Label
from mar_edge.edge.movements import Movements, combined, stated_for
from mar_edge.edge.network.checkpoint import CheckpointInfo
from mar_edge.edge.network.mmn import MMN, MMNConfig
from mar_edge.streaming.recognition.thresholds import DEFAULT_ON
from mar_edge.training.balance import class_weights
from mar_edge.training.base import WINDOW_S, Job, relative_rates
from mar_edge.training.batches import BatchPlan
from mar_edge.training.datasets.base import ClipBatch, Dataset
from mar_edge.training.datasets.opening import parse_spec
from mar_edge.training.datasets.stored import StoredDataset
from mar_edge.training.datasets.synthetic import SyntheticDataset
from mar_edge.training.learner import MmnLearner
from mar_edge.training.metrics import Scores
from mar_edge.training.multilabel import LabelScores
from mar_edge.training.recipe import Recipe
from mar_edge.training.schedule import Pace, pace
from mar_edge.training.transfer import Start, transfer

_LICENCES = {
    "synth": "Apache-2.0",
    "ma52": "that of MA-52: non-commercial research",
    "mma52": "that of MMA-52: non-commercial research",
    "imigue": "that of iMiGUE: non-commercial research",
}


@dataclass(frozen=True)
class MmnJob(Job[ClipBatch]):
    """See ``training.base.Job``. ``training`` and ``validation`` have the same skeletons, too.

    movements: the movements that a label file states for its labels.
    """

    training: Dataset
    validation: Dataset
    start: Start | None = None
    movements: Movements = field(default_factory=dict)

    @property
    def recipe(self) -> Recipe:
        """The recipe of its configuration."""
        assert isinstance(self.config.recipe, Recipe)
        return self.config.recipe

    @cached_property
    def plan(self) -> BatchPlan:
        """See ``Job``."""
        recipe = self.recipe
        weights = self.training.clip_weights if isinstance(self.training, StoredDataset) else None
        if recipe.balance == "sampling":
            if not isinstance(self.training, StoredDataset):
                raise MarEdgeError("synthetic motion is balanced already; leave out --balance sampling")
            balanced = class_weights(self.training.class_counts())[self.training.known_labels()]
            weights = balanced if weights is None else balanced * weights
        drawn = isinstance(self.training, SyntheticDataset)
        return BatchPlan(len(self.training), recipe.batch, self.config.seed, in_order=drawn, clip_weights=weights)

    @property
    def labels(self) -> tuple[Label, ...]:
        """See ``Job``. With sigmoids, the background needs no output."""
        labels, background = self.training.labels, self.training.background
        if not self.recipe.several_labels or background is None:
            return labels
        return (*labels[:background], *labels[background + 1 :])

    @property
    def rates(self) -> tuple[float, ...]:
        """Frequency of each label in the training data, 1 on average.

        A network that learns from few corrections keeps the frequencies that its start learned.
        """
        if self.start is not None and self.start.rates and self._kind == "corrections":
            return tuple(self.start.rates.get(label.name, 1.0) for label in self.labels)
        places = [self.training.labels.index(label) for label in self.labels]
        return relative_rates(self.training.label_rates()[places])

    @property
    def thresholds(self) -> tuple[float, ...]:
        """Threshold of each label: that of the start, for a network that learns from corrections; else empty."""
        start = self.start
        if start is None or not start.thresholds or not self._keeps_scores:
            return ()
        return tuple(start.thresholds.get(label.name, DEFAULT_ON) for label in self.labels)

    @property
    def _keeps_scores(self) -> bool:
        """Whether scores mean the same as those of the start: of a network that learns from corrections."""
        return self.start is not None and self.start.activation == "sigmoid" and self._kind == "corrections"

    @property
    def trained_on(self) -> tuple[str, ...]:
        """Fingerprints of the recordings that the network or its start learned from, or was chosen by."""
        seen = set(self.start.trained_on) if self.start else set()
        for dataset in (self.training, self.validation):
            if isinstance(dataset, StoredDataset):
                seen.update(dataset.recordings)
        return tuple(sorted(seen))

    @property
    def _kind(self) -> str:
        return parse_spec(self.config.data).kind

    @property
    def starts_trained(self) -> bool:
        """See ``Job``."""
        return self.start is not None

    def pace(self, step: int) -> Pace:
        """See ``Job``."""
        return pace(self.recipe, step, self.steps)

    def figure(self, scores: Scores | LabelScores) -> float:
        """See ``Job``."""
        return scores.best

    def learner(self, device: torch.device, workers: int) -> MmnLearner:
        """See ``Job``; clips are held in memory, so that a validation needs no ``workers``."""
        network, kept = self.build()
        return MmnLearner(
            network,
            self.recipe,
            device,
            clips=self.training,
            validation=self.validation,
            class_weights=self.loss_weights(),
            notes=() if kept is None else (kept,),
        )

    def loss_weights(self) -> NDArray[np.float32] | None:
        """Return the weight (K,) of each class in the loss; None if all weigh the same."""
        if self.recipe.balance != "weights":
            return None
        return class_weights(self.training.class_counts()).astype(np.float32)

    def build(self) -> tuple[MMN, str | None]:
        """Return the network, and a line about the weights it takes from ``start``; None without a start.

        New weights are drawn from torch's random state.
        """
        recipe, labels, layout = self.recipe, self.labels, self.training.layout
        landmarks = layout.landmark_places if recipe.encoding == "contact" else ()
        shape = MMNConfig(layout.num_joints, len(labels), recipe.encoding, recipe.width, recipe.depths, landmarks)
        network = MMN(shape, drop_path=recipe.drop_path, dropout=recipe.dropout)
        if self.start is None:
            return network, None
        return network, transfer(self.start, network, layout, labels, over_background=recipe.several_labels)

    def notes(self) -> list[str]:
        """See ``Job``."""
        start = [f"{self.config.start}: {self.start.read_as}"] if self.start is not None and self.start.read_as else []
        return [*start, *super().notes(), *(self.training.notes if isinstance(self.training, StoredDataset) else ())]

    def warnings(self) -> list[str]:
        """See ``Job``."""
        # Twenty minutes of corrections show few of all labels; the start knows the others.
        lines = [] if self._kind == "corrections" else super().warnings()
        if self._kind == "recordings" and not _shows_nothing(self.training):
            lines.append(
                "no training clip shows nothing happening, so the network may report events while people rest. Add "
                f"times without an action to labels.csv, with the label '{BACKGROUND_NAME}'"
            )
        if self._kind == "corrections" and (new := self._new_labels()) and self.recipe.augmentation.mirror:
            lines.append(f"clips are mirrored, too; if one of {', '.join(new)} has a side, give --no-mirror")
        if not self.recipe.several_labels and _shows_several(self.training):
            lines.append(
                "some clips show several labels, and the loss cross-entropy teaches one of them; --loss bce teaches all"
            )
        return lines

    def describe(self, step: int, scores: Scores | LabelScores) -> CheckpointInfo:
        """See ``Job``."""
        recipe, labels = self.recipe, self.labels
        accuracy = scores.figures(labels)
        training_data, licence = self.history(step, self.start, _LICENCES.get(self._kind, "that of the recordings"))
        depths = ",".join(map(str, recipe.depths))
        return CheckpointInfo(
            layout=self.training.layout.name,
            stream=recipe.stream,
            labels=labels,
            background=None if recipe.several_labels else self.training.background,
            window_s=WINDOW_S,
            name=f"MMN {recipe.stream}, depths {depths}, width {recipe.width}, {self.short_name}",
            training_data=training_data,
            accuracy={name: round(value, 4) for name, value in accuracy.items()},
            licence=licence,
            activation="sigmoid" if recipe.several_labels else "softmax",
            rates=self.rates,
            movements=stated_for(labels, combined(self.start.movements if self.start else {}, self.movements)),
            thresholds=self.thresholds,
            views_s=self.start.views_s if self.start and self._keeps_scores else (),
            trained_on=self.trained_on,
        )

    def _new_labels(self) -> list[str]:
        """Return the labels that the start does not know."""
        known = {label.name for label in self.start.labels} if self.start else set()
        return [label.name for label in self.labels if label.name not in known]


def _shows_nothing(dataset: Dataset) -> bool:
    """Return True if one of its clips is labeled as the background."""
    return dataset.background is not None and bool(dataset.class_counts()[dataset.background])


def _shows_several(dataset: Dataset) -> bool:
    """Return True if its clips may show several labels."""
    if isinstance(dataset, SyntheticDataset):
        return dataset.concurrent
    return isinstance(dataset, StoredDataset) and dataset.clip_targets is not None
