"""Which labels may be events, and at what probability: from the model's own thresholds and the user's choice."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from mar_edge.edge.errors import MarEdgeError, about, did_you_mean
from mar_edge.edge.labels import Label
from mar_edge.edge.model_file import ModelMetadata
from mar_edge.streaming.recognition.event_rules import EventRules

DEFAULT_ON = 0.5


@dataclass(frozen=True)
class LabelChoice:
    """The labels that the user wants, named by action, id or body group ("nodding", "9", "head").

    only: these and no others; empty for all. never: not these, even if ``only`` has them.
    on: thresholds of some labels; that of an action wins over that of its group.

    Raises:
        MarEdgeError: a threshold is out of range.
    """

    only: tuple[str, ...] = ()
    never: tuple[str, ...] = ()
    on: Mapping[str, float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for name, value in self.on.items():
            if not 0.0 < value <= 1.0:
                raise MarEdgeError(f"[thresholds]: that of '{name}' is more than 0 and at most 1, not {value}")

    @classmethod
    def parse(cls, text: str, on: Mapping[str, float] | None = None) -> LabelChoice:
        """Parse "head, nodding, -shaking head": names to allow, and names to deny with a minus.

        Raises:
            MarEdgeError: a name is empty.
        """
        words = [word.strip() for word in text.split(",")] if text.strip() else []
        if any(not word.lstrip("-").strip() for word in words):
            raise MarEdgeError(f"--labels is a list such as 'head,-nodding' (a minus denies); given was '{text}'")
        return cls(
            only=tuple(word for word in words if not word.startswith("-")),
            never=tuple(word[1:].strip() for word in words if word.startswith("-")),
            on=dict(on or {}),
        )


@dataclass(frozen=True)
class Thresholds:
    """Per output of the network, (K,) float64 each: the smoothed probability at which an event begins, and below which
    it ends. Infinite where there is never one.
    """

    on: NDArray[np.float64]
    off: NDArray[np.float64]

    @property
    def wanted(self) -> NDArray[np.bool_]:
        """(K,) which labels may be events."""
        return np.isfinite(self.on)

    def only(self, mask: NDArray[np.bool_]) -> Thresholds:
        """Return the thresholds of the labels in ``mask`` (K,), infinite for all others."""
        return Thresholds(np.where(mask, self.on, math.inf), np.where(mask, self.off, math.inf))


def resolve(
    metadata: ModelMetadata,
    on: float | None,
    off: float | None,
    choice: LabelChoice,
    off_share: float = EventRules.off_share,
) -> Thresholds:
    """Return the thresholds of a model's labels.

    Args:
        on: for all labels; None for the model's own, or 0.5 where it has none.
        off: for all labels, at most each label's ``on``; None for ``off_share`` of that.

    Raises:
        MarEdgeError: a name that the model does not know, a threshold out of range, or nothing is left.
    """
    labels, K = metadata.labels, len(metadata.labels)
    own = np.array(metadata.thresholds or [DEFAULT_ON] * K, np.float64)
    begins = own if on is None else np.full(K, on, np.float64)
    with about("[thresholds]"):
        narrow_last = sorted(choice.on.items(), key=lambda item: -len(_matching(labels, item[0])))
    for name, value in narrow_last:
        begins[_matching(labels, name)] = value
    ends = off_share * begins if off is None else np.minimum(off, begins)

    wanted = chosen(labels, metadata.background, choice)
    return Thresholds(np.where(wanted, begins, math.inf), np.where(wanted, ends, math.inf))


def chosen(labels: Sequence[Label], background: int | None, choice: LabelChoice) -> NDArray[np.bool_]:
    """Return (K,) which of ``labels`` the user wants; never the one at ``background``.

    Raises:
        MarEdgeError: a name that is none of theirs, or nothing is left.
    """
    wanted = np.zeros(len(labels), np.bool_) if choice.only else np.ones(len(labels), np.bool_)
    with about("--labels"):
        for name in choice.only:
            wanted[_matching(labels, name)] = True
        for name in choice.never:
            wanted[_matching(labels, name)] = False
    if background is not None:
        wanted[background] = False
    if not wanted.any():
        raise MarEdgeError("--labels leaves none; see 'mar-edge models' for those of the model")
    return wanted


def _matching(labels: Sequence[Label], name: str) -> list[int]:
    """Return the outputs of the label with that name or id, or of the labels of that body group."""
    for matches in (
        [i for i, label in enumerate(labels) if name in (label.name, str(label.id))],
        [i for i, label in enumerate(labels) if name == label.body],
    ):
        if matches:
            return matches
    groups = sorted({label.body for label in labels if label.body})
    close = did_you_mean(name, [*groups, *(label.name for label in labels)])
    raise MarEdgeError(
        f"the model has no label or body group '{name}'; body groups: {', '.join(groups) or 'none'}; "
        f"labels: see 'mar-edge models'{close}"
    )
