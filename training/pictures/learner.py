"""MANet's learner: the network and its optimizer. PyTorch only."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional as F

from mar_edge.edge.network.inputs import picture_input
from mar_edge.edge.network.manet import MANet, joint_embedding_loss
from mar_edge.training.batches import InOrder, prepared_batches
from mar_edge.training.metrics import Scores, score
from mar_edge.training.pictures.dataset import PictureBatch, VideoDataset
from mar_edge.training.pictures.recipe import ManetRecipe
from mar_edge.training.run_folder import Stateful
from mar_edge.training.schedule import Pace

# Factors of the learning rate: of biases, and of the last Linear's weight and bias. The authors' code means the
# classifier by the last Linear, but finds the second layer of the embedding; the published weights were trained so.
_BIAS, _LAST_WEIGHT, _LAST_BIAS = 2.0, 5.0, 10.0
_VALIDATION_BATCH = 16


class ManetLearner:
    """See ``training.base.Learner``.

    Args:
        word_vectors: (K, E) of the labels; None leaves out the part of the loss that points at them.
        workers: processes that decode the clips of a validation.
    """

    def __init__(
        self,
        network: MANet,
        recipe: ManetRecipe,
        device: torch.device,
        *,
        validation: VideoDataset,
        workers: int,
        word_vectors: NDArray[np.float32] | None = None,
        notes: tuple[str, ...] = (),
    ) -> None:
        self.notes = notes
        # Channels last, like the frames: a step takes a third less time on a CPU.
        self.kept: MANet = network.to(device).to(memory_format=torch.channels_last)  # type: ignore[call-overload]  # torch's stubs do not know it
        self._recipe, self._device = recipe, device
        self._validation, self._workers = validation, workers
        self._words = None if word_vectors is None else torch.from_numpy(word_vectors).to(device)
        self._optimizer = torch.optim.SGD(parameter_groups(network, recipe.weight_decay), recipe.lr, recipe.momentum)
        self.parts: dict[str, Stateful] = {"network": network, "optimizer": self._optimizer}

    def learn(self, batch: PictureBatch, at: Pace) -> Tensor:
        """See ``Learner``."""
        for group in self._optimizer.param_groups:
            group["lr"] = at.lr * group["factor"]
        self.kept.train()
        with torch.autocast(self._device.type, torch.bfloat16, enabled=self._device.type == "cuda"):
            logits, embedding = self.kept(self._input(batch))
        labels = torch.from_numpy(batch.labels).to(self._device)
        if self._words is None:
            loss = F.cross_entropy(logits.float(), labels)
        else:
            loss = joint_embedding_loss(logits.float(), embedding.float(), labels, self._words)
        self._optimizer.zero_grad()
        loss.backward()
        if self._recipe.clip_norm is not None:
            nn.utils.clip_grad_norm_(self.kept.parameters(), self._recipe.clip_norm)
        self._optimizer.step()
        return loss.detach()

    @torch.no_grad()
    def scores(self, should_stop: Callable[[], bool]) -> Scores | None:
        """See ``Learner``."""
        self.kept.eval()
        plan = InOrder(np.arange(len(self._validation)), _VALIDATION_BATCH, block=_VALIDATION_BATCH)
        logits, labels = [], []
        with prepared_batches(self._validation, plan, 0, plan.batches, self._workers) as batches:
            for batch in batches:
                if should_stop():
                    return None
                logits.append(self.kept(self._input(batch))[0].float().cpu().numpy())
                labels.append(batch.labels)
        return score(np.concatenate(logits), np.concatenate(labels))

    def _input(self, batch: PictureBatch) -> Tensor:
        """Return the normalized frames (B, 8, 3, 224, 224); they are normalized on the device."""
        return picture_input(torch.from_numpy(batch.frames).to(self._device))


def parameter_groups(network: MANet, weight_decay: float) -> list[dict[str, Any]]:
    """Return the groups of the optimizer, each with the ``factor`` of its learning rate.

    Weights decay; biases and BatchNorm do not.
    """
    last = network.cls_head.fc_emb_t
    norms = {id(p) for module in network.modules() if isinstance(module, nn.BatchNorm2d) for p in module.parameters()}
    weights: list[nn.Parameter] = []
    biases: list[nn.Parameter] = []
    for name, parameter in network.named_parameters():
        if id(parameter) not in norms and parameter is not last.weight and parameter is not last.bias:
            (biases if name.endswith("bias") else weights).append(parameter)
    groups = (
        (weights, 1.0, weight_decay),
        (biases, _BIAS, 0.0),
        ([parameter for parameter in network.parameters() if id(parameter) in norms], 1.0, 0.0),
        ([last.weight], _LAST_WEIGHT, weight_decay),
        ([last.bias], _LAST_BIAS, 0.0),
    )
    return [{"params": params, "factor": factor, "weight_decay": decay} for params, factor, decay in groups]
