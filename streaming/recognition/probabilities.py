"""Windows -> the probability of each label: network, frequencies where it is used, visibility.

Knows nothing of time, people's past or events.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from mar_edge.edge.choices import Family
from mar_edge.edge.data import Window
from mar_edge.edge.labels import Label
from mar_edge.edge.prior import Prior, default_prior, shift_of
from mar_edge.edge.recognizer import WindowRecognizer
from mar_edge.edge.scores import adjusted
from mar_edge.edge.visibility import detectable, visible_regions
from mar_edge.streaming.timing import Timer


@dataclass(frozen=True)
class Said:
    """What one of several models says of a window.

    labels: its own. probs: (L,) float32 in their order, prior and visibility applied.
    age_s: how much older the end of what it saw is than the end of the window.
    """

    family: Family
    labels: tuple[Label, ...]
    probs: NDArray[np.float32]
    age_s: float = 0.0


@dataclass(frozen=True)
class Inference:
    """What came of one window.

    probs: (K,) float32 in label order, prior and visibility applied; None where nothing moved, ``invalid`` or
    ``waiting``.
    visible: regions of the body that the window shows (``edge.visibility``). invalid: the answer was not a number.
    waiting: nothing is known yet, since the model of pictures has not answered.
    said: what each model says where one looks at pictures; empty for a model of skeletons alone.
    """

    window: Window
    probs: NDArray[np.float32] | None
    visible: tuple[str, ...] = ()
    invalid: bool = False
    waiting: bool = False
    said: tuple[Said, ...] = ()


class Scorer(Protocol):
    """Gives the probabilities of windows: ``WindowScorer``, and those of ``streaming.recognition.answers``."""

    prior: Prior

    def score(self, windows: Sequence[Window], moving: Sequence[Window]) -> list[Inference]:
        """Return what came of each of the ``windows``, in order; only the ``moving`` ones have probabilities."""
        ...


class WindowScorer:
    """Asks the network about windows, all of them in one inference. ``prior`` is the one in use.

    Args:
        recognizer: used from the calling thread.
        prior: how often each label happens here; None for what suits the model (``edge.prior.default_prior``).
        timer: gets the section ``infer``.

    Raises:
        MarEdgeError: the prior lacks one of the model's labels.
    """

    def __init__(self, recognizer: WindowRecognizer, prior: Prior | None, timer: Timer) -> None:
        self._recognizer, self._timer = recognizer, timer
        self.prior = default_prior(recognizer.metadata) if prior is None else prior
        self._shift = shift_of(self.prior, recognizer.metadata)

    def score(self, windows: Sequence[Window], moving: Sequence[Window]) -> list[Inference]:
        """Return what came of each of the ``windows``, in order; the network is asked about the ``moving`` ones."""
        scores: dict[int, NDArray[np.float32]] = {}
        if moving:
            with self._timer.section("infer"):
                predictions = self._recognizer.predict(moving)
            scores = {prediction.person: prediction.probs for prediction in predictions}
        return [self._concluded(window, scores.get(window.person)) for window in windows]

    def _concluded(self, window: Window, scores: NDArray[np.float32] | None) -> Inference:
        if scores is not None and not np.isfinite(scores).all():
            return Inference(window, None, invalid=True)
        visible = visible_regions(window, self._recognizer.layout)
        if scores is None:
            return Inference(window, None, visible)
        metadata = self._recognizer.metadata
        (probs,) = adjusted(scores[None], self._shift, detectable(metadata.labels, visible)[None], metadata)
        return Inference(window, probs, visible)
