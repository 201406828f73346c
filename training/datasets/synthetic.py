"""Synthetic motion as a data set: clips are generated on demand. Knows nothing of how motion is generated."""

from __future__ import annotations

from collections import OrderedDict
from functools import cache

import numpy as np
from numpy.typing import NDArray

import mar_edge
from mar_edge.edge.labels import Label
from mar_edge.edge.layout import Layout, load_layout
from mar_edge.training.augment import NO_AUGMENTATION, Augmentation, network_input
from mar_edge.training.datasets.base import ClipBatch
from mar_edge.training.datasets.stored import background_of
from mar_edge.training.synth.actions import ACTIONS
from mar_edge.training.synth.chunks import CHUNK, Chunk, make_chunk
from mar_edge.training.synth.generator import BACKGROUND_WEIGHT, CLASSES
from mar_edge.training.synth.live import LIVE_LABELED, WINDOW_S, expected_targets, seen_for_s
from mar_edge.training.synth.rates import typical_s
from mar_edge.training.synth.world import TRAINING, World

LAYOUT = "ma52"
# A batch may span two chunks. Reading in order needs no more than these.
_KEPT_CHUNKS = 2
_MEASURED_RECORDINGS = 600


def _shown_of_clips() -> NDArray[np.float64]:
    """Return the share (K,) of clips of one action that shows each class, the background included."""
    weights = np.where(np.arange(len(CLASSES)) == background_of(CLASSES), BACKGROUND_WEIGHT, 1.0)
    share: NDArray[np.float64] = weights / weights.sum()
    return share


@cache
def _shown_of_windows(recordings: int) -> NDArray[np.float64]:
    """Return that share (K,) for windows of recordings with several actions at once, measured on ``recordings``."""
    return expected_targets(recordings)


def _window_ends_s() -> NDArray[np.float64]:
    """Return for how long (K,), in seconds, windows show a typical event of each class, at least in part."""
    lasts = np.full(len(CLASSES), WINDOW_S)
    for row, action in enumerate(ACTIONS):
        lasts[next(i for i, label in enumerate(CLASSES) if label.id == action.id)] = typical_s()[row]
    return seen_for_s(lasts)


class SyntheticDataset:
    """A ``Dataset`` of ``count`` clips: clip i is clip i % 256 of the seed's chunk i // 256.

    Read in order, each chunk is made once. Not thread-safe.

    Args:
        live: share of clips that are windows of recordings, as in live use (``training.synth.live``). The others show
            one action each, as data sets do.
        concurrent: the recordings show several actions at once, and clips have targets.
        lacking: names of the parts that ``world`` leaves out, for the data set's name.
    """

    def __init__(
        self,
        seed: int,
        count: int,
        *,
        live: float = 0.0,
        world: World = TRAINING,
        augmentation: Augmentation = NO_AUGMENTATION,
        concurrent: bool = False,
        lacking: tuple[str, ...] = (),
    ) -> None:
        self._seed = seed
        self._count = count
        self._live = live
        self.concurrent = concurrent
        self._lacking = lacking
        self._world = world
        self._augmentation = augmentation
        self._chunks: OrderedDict[int, Chunk] = OrderedDict()

    @property
    def name(self) -> str:
        """See ``Dataset``."""
        what = f"{self._count} clips"
        if self._live:
            several = ", several actions at once" if self.concurrent else ""
            what += f" ({self._live:.0%} of them cut from recordings{several})"
        if self._lacking:
            what += f" without {', '.join(self._lacking)}"
        elif self._world != TRAINING:
            what += " of a held-out world"
        return f"synthetic motion only, {what}, seed {self._seed}, mar-edge {mar_edge.__version__}"

    @property
    def layout(self) -> Layout:
        """See ``Dataset``."""
        return load_layout(LAYOUT)

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
        if self.concurrent:
            shown: NDArray[np.int64] = np.round(self._shown() * self._count).astype(np.int64)
            return shown
        weights = np.ones(len(CLASSES))
        weights[self.background] = BACKGROUND_WEIGHT
        share = (1 - self._live) * weights / weights.sum()
        share += self._live * np.where(weights == 1, LIVE_LABELED / (len(CLASSES) - 1), 1 - LIVE_LABELED)
        counts: NDArray[np.int64] = np.round(share * self._count).astype(np.int64)
        return counts

    def label_rates(self) -> NDArray[np.float64]:
        """See ``Dataset``; with several actions at once, events per minute that would show in as many windows."""
        if not self.concurrent:
            return self.class_counts().astype(np.float64)
        rates: NDArray[np.float64] = self._shown() / _window_ends_s()
        return rates

    def _shown(self) -> NDArray[np.float64]:
        """Return how much (K,) a clip shows of each class, on average."""
        shown: NDArray[np.float64] = (
            self._live * _shown_of_windows(_MEASURED_RECORDINGS) + (1 - self._live) * _shown_of_clips()
        )
        return shown

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
        targets = None
        if self.concurrent:
            targets = np.stack([chunk.targets[place] for chunk, place in places if chunk.targets is not None])
        return ClipBatch(skeleton, index_t, labels, targets)

    def _chunk(self, number: int) -> Chunk:
        if number not in self._chunks:
            self._chunks[number] = make_chunk(
                self._seed, number, live=self._live, world=self._world, concurrent=self.concurrent
            )
            while len(self._chunks) > _KEPT_CHUNKS:
                self._chunks.popitem(last=False)
        return self._chunks[number]
