"""The contract of a data set with training and evaluation. numpy only; knows nothing of networks."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray

from mar_edge.edge.labels import Label
from mar_edge.edge.layout import Layout
from mar_edge.edge.runtime.base import InputArray


class Batch(Protocol):
    """N clips as a network takes them, with their labels."""

    @property
    def labels(self) -> NDArray[np.int64]:
        """Index (N,) into the data set's labels; -1 if the label is unknown. Of several labels, the one shown most."""

    @property
    def targets(self) -> NDArray[np.float32] | None:
        """Share (N, K) of each label's event that is shown; None if the data has one label per clip."""

    @property
    def inputs(self) -> Mapping[str, InputArray]:
        """Name -> (N, ...), the inputs of a model file (``edge.families.base.ModelFamily.inputs``)."""


B_co = TypeVar("B_co", bound=Batch, covariant=True)


@dataclass(frozen=True)
class ClipBatch:
    """N clips as MMN takes them (``edge.preprocess.clip_to_input``); a ``Batch``.

    skeleton: (N, 64, V, 2) float32 in [-1, 1], joints in layout order. index_t: (N, 64) float32 in [-1, 1).

    labels: (N,) int64 index into ``Dataset.labels``; -1 if the label is unknown. Of several labels, the one shown most.

    targets: (N, K) float32, share of each label's event that is shown, from 0 to 1, and 0 for the background; NaN where
    that is not known. None if the data has one label per clip.
    """

    skeleton: NDArray[np.float32]
    index_t: NDArray[np.float32]
    labels: NDArray[np.int64]
    targets: NDArray[np.float32] | None = None

    @property
    def inputs(self) -> Mapping[str, InputArray]:
        """See ``Batch``."""
        return {"skeleton": self.skeleton, "index_t": self.index_t}


class LabeledClips(Protocol[B_co]):
    """Labeled clips, read by index, in any order, any number of times.

    The data is checked when it is opened. Reading from an open data set does not fail, unless its files change.
    """

    @property
    def name(self) -> str:
        """One line of description, for model metadata and reports; up to the first comma the short name."""

    @property
    def layout(self) -> Layout:
        """Layout of the skeletons, and of the body that visibility and events are about."""

    @property
    def labels(self) -> tuple[Label, ...]:
        """The K classes, in the order of a network's outputs."""

    @property
    def background(self) -> int | None:
        """Index of the background, "no action", in ``labels``, if it is one of them."""

    def __len__(self) -> int:
        """Number of clips."""

    def class_counts(self) -> NDArray[np.int64]:
        """Return the number of clips (K,) of each class; the expected one for synthetic motion."""

    def label_rates(self) -> NDArray[np.float64]:
        """Return the relative frequency (K,) of each label; of clips with one label, their numbers."""

    def clip_name(self, index: int) -> str:
        """Return a readable name of a clip."""

    def batch(self, indices: NDArray[np.int64], rng: np.random.Generator | None = None) -> B_co:
        """Return these clips, augmented with draws from ``rng`` if given."""


class Dataset(LabeledClips[ClipBatch], Protocol):
    """Labeled clips of skeletons."""
