"""MMN's learner: the network, its optimizer and its averaged weights. PyTorch only."""

from __future__ import annotations

from collections.abc import Callable
from typing import cast

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional as F

from mar_edge.edge.network.inputs import stream_input
from mar_edge.edge.network.mmn import MMN
from mar_edge.training.datasets.base import ClipBatch, Dataset
from mar_edge.training.losses import label_losses
from mar_edge.training.metrics import Scores
from mar_edge.training.multilabel import LabelScores
from mar_edge.training.recipe import Recipe
from mar_edge.training.run_folder import Stateful
from mar_edge.training.schedule import Pace
from mar_edge.training.targets import targets_of, without_background
from mar_edge.training.validation import ValidationClips


class MmnLearner:
    """See ``training.base.Learner``.

    Args:
        clips: the data set that is trained on; ``validation`` has the same labels and skeletons.
        class_weights: (K,) weight of each class in the loss; None if all weigh the same.
    """

    def __init__(
        self,
        network: MMN,
        recipe: Recipe,
        device: torch.device,
        *,
        clips: Dataset,
        validation: Dataset,
        class_weights: NDArray[np.float32] | None = None,
        notes: tuple[str, ...] = (),
    ) -> None:
        self.notes = notes
        self._recipe, self._layout, self._device = recipe, clips.layout, device
        self._num_labels, self._background = len(clips.labels), clips.background
        self._validation = ValidationClips(validation, recipe.several_labels)
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
        self._class_weights = None if class_weights is None else torch.from_numpy(class_weights).to(device)

    @property
    def kept(self) -> MMN:
        """See ``Learner``."""
        return self._network if self._average is None else cast(MMN, self._average.module)

    def learn(self, batch: ClipBatch, at: Pace) -> Tensor:
        """See ``Learner``."""
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

    def scores(self, should_stop: Callable[[], bool]) -> Scores | LabelScores | None:
        """See ``Learner``."""
        return self._validation.scores(self.kept, self._recipe.stream, should_stop)

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
