"""The batches of a run, and the processes that prepare them. Batch n depends on (seed, n) alone.

Knows nothing of what a batch holds.
"""

from __future__ import annotations

import gc
import signal
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Generic, Protocol, TypeVar

import numpy as np
import torch
from numpy.typing import NDArray
from torch.utils import data as torch_data

from mar_edge.edge.errors import MarEdgeError
from mar_edge.training.datasets.base import Batch, LabeledClips

# Clips that a worker prepares at once. It is the chunk size of synthetic motion, so no chunk is made twice.
_BLOCK = 256
# Independent streams of one seed.
_ORDER, _AUGMENT = 1, 2

B = TypeVar("B", bound=Batch)


class Plan(Protocol):
    """Which clips are in which batch."""

    @property
    def batch(self) -> int:
        """Clips of a batch."""

    @property
    def block(self) -> int:
        """Clips that a worker prepares at once, if that is more than one batch."""

    def indices(self, n: int) -> NDArray[np.int64]:
        """Return the indices of the clips of batch ``n``."""

    def augmentation_rng(self, n: int) -> np.random.Generator | None:
        """Return the random generator that augments batch ``n``; None leaves it as it is."""


@dataclass
class BatchPlan:
    """Batches of ``batch`` out of ``clips`` clips, epoch after epoch. Each epoch drops an incomplete last batch.

    in_order: keep the order of the clips, for clips that are random already. Otherwise each epoch shuffles them.

    clip_weights: (clips,) relative frequency of each clip, drawn with replacement. None draws each once per epoch.

    block: see ``Plan``.
    """

    clips: int
    batch: int
    seed: int
    in_order: bool = False
    clip_weights: NDArray[np.float64] | None = None
    block: int = _BLOCK
    _last: tuple[int, NDArray[np.int64]] | None = field(default=None, init=False, repr=False)

    @property
    def per_epoch(self) -> int:
        """Batches per epoch, at least 1. A data set smaller than a batch makes one batch of all its clips."""
        return max(self.clips // self.batch, 1)

    def indices(self, n: int) -> NDArray[np.int64]:
        """See ``Plan``."""
        epoch, place = divmod(n, self.per_epoch)
        if self._last is None or self._last[0] != epoch:
            self._last = epoch, self._order(epoch)
        return self._last[1][place * self.batch : (place + 1) * self.batch]

    def augmentation_rng(self, n: int) -> np.random.Generator:
        """See ``Plan``."""
        return np.random.default_rng([self.seed, _AUGMENT, n])

    def _order(self, epoch: int) -> NDArray[np.int64]:
        rng = np.random.default_rng([self.seed, _ORDER, epoch])
        if self.in_order:
            return np.arange(self.clips)
        if self.clip_weights is None:
            return rng.permutation(self.clips)
        return rng.choice(self.clips, self.clips, p=self.clip_weights / self.clip_weights.sum())


@dataclass(frozen=True)
class InOrder:
    """Clips by their indices ``order`` (N,), once and as they are; the last batch may be smaller. A ``Plan``."""

    order: NDArray[np.int64]
    batch: int
    block: int = _BLOCK

    @property
    def batches(self) -> int:
        """Number of batches."""
        return -(-len(self.order) // self.batch)

    def indices(self, n: int) -> NDArray[np.int64]:
        """See ``Plan``."""
        return self.order[n * self.batch : (n + 1) * self.batch]

    def augmentation_rng(self, n: int) -> None:
        """See ``Plan``."""


@contextmanager
def prepared_batches(clips: LabeledClips[B], plan: Plan, first: int, end: int, workers: int) -> Iterator[Iterator[B]]:
    """Yield an iterator over the batches ``first`` to ``end - 1`` of a plan. It raises the errors of the clips.

    Args:
        workers: processes that prepare them; 0 prepares them in this process.
    """
    per_block = max(plan.block // plan.batch, 1)
    loader: torch_data.DataLoader[list[B] | MarEdgeError] = torch_data.DataLoader(
        _Blocks(clips, plan, per_block, range(first, end)),
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


def _unpacked(loader: torch_data.DataLoader[list[B] | MarEdgeError]) -> Generator[B, None, None]:
    if loader.num_workers:
        # Video decoders have threads, which a fork does not copy: a worker that frees one of ours would wait forever.
        gc.collect()
    for block in loader:
        if isinstance(block, MarEdgeError):
            raise block
        yield from block


class _Blocks(torch_data.Dataset["list[B] | MarEdgeError"], Generic[B]):
    """Blocks of ``per_block`` of the ``wanted`` batches, which the loader's workers fetch by number."""

    def __init__(self, clips: LabeledClips[B], plan: Plan, per_block: int, wanted: range) -> None:
        self._clips, self._plan, self._per_block, self._wanted = clips, plan, per_block, wanted

    def __getitem__(self, block: int) -> list[B] | MarEdgeError:
        first = max(block * self._per_block, self._wanted.start)
        end = min((block + 1) * self._per_block, self._wanted.stop)
        try:
            return [self._clips.batch(self._plan.indices(n), self._plan.augmentation_rng(n)) for n in range(first, end)]
        except MarEdgeError as error:
            return error  # raised in a worker, it would carry the worker's traceback in its message


def _as_it_is(block: list[B] | MarEdgeError) -> list[B] | MarEdgeError:
    # Arrays, not tensors: tensors pass through shared memory, which is small in some containers.
    return block


def _ignore_signals(_: int) -> None:
    """Ignore Ctrl-C, which reaches a worker, too. The training process decides when its workers end."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
