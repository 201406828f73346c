"""What a data set is to training and evaluation, whatever it comes from. numpy only; knows nothing of networks."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from mar_edge.edge.labels import Label
from mar_edge.edge.layout import Layout


@dataclass(frozen=True)
class ClipBatch:
    """N clips as the network takes them (``edge.preprocess.clip_to_input``).

    skeleton: (N, 64, V, 2) float32 in [-1, 1], joints in layout order. index_t: (N, 64) float32 in [-1, 1).
    labels: (N,) int64 index into ``Dataset.labels``; -1 where the label is not known. Where several are shown, the one
    that is shown most.
    targets: (N, K) float32, how much of each label's event is shown, from 0 to 1, and 0 for the background; None where
    the data has one label a clip.
    """

    skeleton: NDArray[np.float32]
    index_t: NDArray[np.float32]
    labels: NDArray[np.int64]
    targets: NDArray[np.float32] | None = None


class Dataset(Protocol):
    """Labelled clips that can be asked for by index, in any order, any number of times.

    All that can be wrong with the data is found when it is opened: what is asked of an open data set does not fail.
    """

    @property
    def name(self) -> str:
        """One line that says what it is, for model metadata and reports; up to the first comma its short name."""

    @property
    def layout(self) -> Layout:
        """The skeleton's."""

    @property
    def labels(self) -> tuple[Label, ...]:
        """The K classes, in the order of a network's outputs."""

    @property
    def background(self) -> int | None:
        """Index of "nothing happens" in ``labels``, if it is one of them."""

    def __len__(self) -> int:
        """Number of clips."""

    def class_counts(self) -> NDArray[np.int64]:
        """(K,) clips of each class; of synthetic motion, which is drawn, the expected ones."""

    def label_rates(self) -> NDArray[np.float64]:
        """(K,) how often each label is done, relative to each other: of clips of one label, their numbers."""

    def clip_name(self, index: int) -> str:
        """What a person calls that clip."""

    def batch(self, indices: NDArray[np.int64], rng: np.random.Generator | None = None) -> ClipBatch:
        """These clips: as they are, or augmented with draws from ``rng``."""
