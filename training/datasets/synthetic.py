"""Synthetic motion as a data set: clips that are made when they are asked for. Knows nothing of how motion is made."""

from __future__ import annotations

from collections import OrderedDict

import numpy as np
from numpy.typing import NDArray

import edge
from edge.labels import Label
from edge.layout import Layout, load_layout
from training.augment import NO_AUGMENTATION, Augmentation, network_input
from training.datasets.base import ClipBatch
from training.datasets.stored import background_of
from training.synth.chunks import CHUNK, Chunk, make_chunk
from training.synth.generator import BACKGROUND_WEIGHT, CLASSES
from training.synth.live import LIVE_LABELLED
from training.synth.world import TRAINING, World

# A batch may straddle two chunks; whoever asks in order needs no more than these.
_KEPT_CHUNKS = 2


class SyntheticDataset:
    """A ``Dataset`` of ``count`` clips: clip i is clip i % 256 of the seed's chunk i // 256.

    Asked for in order, each chunk is made once. Not for use from several threads.

    Args:
        live: share of them that are windows cut from recordings, as a service sees them (``training.synth.live``);
            the others are clips of one action, as data sets hold them.
    """

    def __init__(
        self,
        seed: int,
        count: int,
        *,
        live: float = 0.0,
        world: World = TRAINING,
        augmentation: Augmentation = NO_AUGMENTATION,
    ) -> None:
        self._seed = seed
        self._count = count
        self._live = live
        self._world = world
        self._augmentation = augmentation
        self._chunks: OrderedDict[int, Chunk] = OrderedDict()

    @property
    def name(self) -> str:
        """See ``Dataset``."""
        what = f"{self._count} clips"
        if self._live:
            what += f" ({self._live:.0%} of them cut from recordings)"
        if self._world != TRAINING:
            what += " of a world not trained on"
        return f"synthetic motion only, {what}, seed {self._seed}, mar-edge {edge.__version__}"

    @property
    def layout(self) -> Layout:
        """See ``Dataset``."""
        return load_layout("ma52")

    @property
    def labels(self) -> tuple[Label, ...]:
        """See ``Dataset``."""
        return CLASSES

    @property
    def background(self) -> int | None:
        """See ``Dataset``."""
        return background_of(CLASSES)

    def __len__(self) -> int:
        return self._count

    def class_counts(self) -> NDArray[np.int64]:
        """See ``Dataset``."""
        weights = np.ones(len(CLASSES))
        weights[self.background] = BACKGROUND_WEIGHT
        share = (1 - self._live) * weights / weights.sum()
        share += self._live * np.where(weights == 1, LIVE_LABELLED / (len(CLASSES) - 1), 1 - LIVE_LABELLED)
        counts: NDArray[np.int64] = np.round(share * self._count).astype(np.int64)
        return counts

    def clip_name(self, index: int) -> str:
        """See ``Dataset``."""
        return f"synthetic {self._seed}-{index}"

    def batch(self, indices: NDArray[np.int64], rng: np.random.Generator | None = None) -> ClipBatch:
        """See ``Dataset``."""
        places = [(self._chunk(int(i) // CHUNK), int(i) % CHUNK) for i in indices]
        skeleton, index_t = network_input(
            [chunk.joints[place] for chunk, place in places], self.layout, self._augmentation, rng
        )
        labels = np.array([chunk.labels[place] for chunk, place in places], np.int64)
        return ClipBatch(skeleton, index_t, labels)

    def _chunk(self, number: int) -> Chunk:
        if number not in self._chunks:
            self._chunks[number] = make_chunk(self._seed, number, live=self._live, world=self._world)
            while len(self._chunks) > _KEPT_CHUNKS:
                self._chunks.popitem(last=False)
        return self._chunks[number]
