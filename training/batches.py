"""Which clips make up batch n of a run, and the processes that prepare them. A function of (seed, n) alone."""

from __future__ import annotations

import signal
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import numpy as np
import torch
from numpy.typing import NDArray
from torch.utils import data as torch_data

from mar_edge.training.datasets.base import ClipBatch, Dataset

# What a worker prepares at once, clips: the chunk in which synthetic motion is made, so that no two workers make one.
_BLOCK = 256
# Independent streams of one seed.
_ORDER, _AUGMENT = 1, 2


@dataclass
class BatchPlan:
    """Batches of ``batch`` of ``clips`` clips, epoch after epoch; what does not fill a batch is left to the next epoch.

    in_order: one clip after the other instead of a new random order each epoch, for clips that are drawn at random
    already. clip_weights: (clips,) how often each is drawn, with replacement; None gives each once an epoch.
    """

    clips: int
    batch: int
    seed: int
    in_order: bool = False
    clip_weights: NDArray[np.float64] | None = None
    _last: tuple[int, NDArray[np.int64]] | None = field(default=None, init=False, repr=False)

    @property
    def per_epoch(self) -> int:
        """Batches in an epoch; one of all clips where they do not fill one."""
        return max(self.clips // self.batch, 1)

    def indices(self, n: int) -> NDArray[np.int64]:
        """The clips of batch ``n``."""
        epoch, place = divmod(n, self.per_epoch)
        if self._last is None or self._last[0] != epoch:
            self._last = epoch, self._order(epoch)
        return self._last[1][place * self.batch : (place + 1) * self.batch]

    def augmentation_rng(self, n: int) -> np.random.Generator:
        """What batch ``n`` is augmented with."""
        return np.random.default_rng([self.seed, _AUGMENT, n])

    def _order(self, epoch: int) -> NDArray[np.int64]:
        rng = np.random.default_rng([self.seed, _ORDER, epoch])
        if self.in_order:
            return np.arange(self.clips)
        if self.clip_weights is None:
            return rng.permutation(self.clips)
        return rng.choice(self.clips, self.clips, p=self.clip_weights / self.clip_weights.sum())


@contextmanager
def training_batches(
    dataset: Dataset, plan: BatchPlan, first: int, end: int, workers: int
) -> Iterator[Iterator[ClipBatch]]:
    """Batches ``first`` to ``end - 1``, augmented; made by so many processes beside this one, or here if 0."""
    per_block = max(_BLOCK // plan.batch, 1)
    loader: torch_data.DataLoader[list[ClipBatch]] = torch_data.DataLoader(
        _Blocks(dataset, plan, per_block, range(first, end)),
        batch_size=None,
        sampler=range(first // per_block, -(-end // per_block)),
        num_workers=workers,
        collate_fn=_as_it_is,
        worker_init_fn=_ignore_signals,
        # Its own: what the network's dropout draws must not depend on how often a run was begun again.
        generator=torch.Generator(),
    )
    batches = _unpacked(loader)
    try:
        yield batches
    finally:
        batches.close()  # the workers end


def _unpacked(loader: torch_data.DataLoader[list[ClipBatch]]) -> Generator[ClipBatch, None, None]:
    for block in loader:
        yield from block


class _Blocks(torch_data.Dataset[list[ClipBatch]]):
    """What the loader's workers are asked for by number: ``per_block`` of the ``wanted`` batches."""

    def __init__(self, dataset: Dataset, plan: BatchPlan, per_block: int, wanted: range) -> None:
        self._dataset, self._plan, self._per_block, self._wanted = dataset, plan, per_block, wanted

    def __getitem__(self, block: int) -> list[ClipBatch]:
        first = max(block * self._per_block, self._wanted.start)
        end = min((block + 1) * self._per_block, self._wanted.stop)
        return [self._dataset.batch(self._plan.indices(n), self._plan.augmentation_rng(n)) for n in range(first, end)]


def _as_it_is(block: list[ClipBatch]) -> list[ClipBatch]:
    # Arrays, not tensors: tensors pass through shared memory, of which a container may have little.
    return block


def _ignore_signals(_: int) -> None:
    """Ctrl-C reaches a worker too; when to stop is for the process that trains to say, which ends its workers."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
