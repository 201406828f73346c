"""The batches of a run, and the processes that prepare them. Batch n depends on (seed, n) alone."""

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

# Clips that a worker prepares at once. It is the chunk size of synthetic motion, so no chunk is made twice.
_BLOCK = 256
# Independent streams of one seed.
_ORDER, _AUGMENT = 1, 2


@dataclass
class BatchPlan:
    """Batches of ``batch`` out of ``clips`` clips, epoch after epoch. Each epoch drops an incomplete last batch.

    in_order: keep the order of the clips, for clips that are random already. Otherwise each epoch shuffles them.

    clip_weights: (clips,) relative frequency of each clip, drawn with replacement. None draws each once per epoch.
    """

    clips: int
    batch: int
    seed: int
    in_order: bool = False
    clip_weights: NDArray[np.float64] | None = None
    _last: tuple[int, NDArray[np.int64]] | None = field(default=None, init=False, repr=False)

    @property
    def per_epoch(self) -> int:
        """Batches per epoch, at least 1. A data set smaller than a batch makes one batch of all its clips."""
        return max(self.clips // self.batch, 1)

    def indices(self, n: int) -> NDArray[np.int64]:
        """Return the indices of the clips of batch ``n``."""
        epoch, place = divmod(n, self.per_epoch)
        if self._last is None or self._last[0] != epoch:
            self._last = epoch, self._order(epoch)
        return self._last[1][place * self.batch : (place + 1) * self.batch]

    def augmentation_rng(self, n: int) -> np.random.Generator:
        """Return the random generator that augments batch ``n``."""
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
    """Yield an iterator over the augmented batches ``first`` to ``end - 1``.

    Args:
        workers: processes that prepare them; 0 prepares them in this process.
    """
    per_block = max(_BLOCK // plan.batch, 1)
    loader: torch_data.DataLoader[list[ClipBatch]] = torch_data.DataLoader(
        _Blocks(dataset, plan, per_block, range(first, end)),
        batch_size=None,
        sampler=range(first // per_block, -(-end // per_block)),
        num_workers=workers,
        collate_fn=_as_it_is,
        worker_init_fn=_ignore_signals,
        # A generator of its own: the network's dropout must not depend on how often a run was resumed.
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
    """Blocks of ``per_block`` of the ``wanted`` batches, which the loader's workers fetch by number."""

    def __init__(self, dataset: Dataset, plan: BatchPlan, per_block: int, wanted: range) -> None:
        self._dataset, self._plan, self._per_block, self._wanted = dataset, plan, per_block, wanted

    def __getitem__(self, block: int) -> list[ClipBatch]:
        first = max(block * self._per_block, self._wanted.start)
        end = min((block + 1) * self._per_block, self._wanted.stop)
        return [self._dataset.batch(self._plan.indices(n), self._plan.augmentation_rng(n)) for n in range(first, end)]


def _as_it_is(block: list[ClipBatch]) -> list[ClipBatch]:
    # Arrays, not tensors: tensors pass through shared memory, which is small in some containers.
    return block


def _ignore_signals(_: int) -> None:
    """Ignore Ctrl-C, which reaches a worker, too. The training process decides when its workers end."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
