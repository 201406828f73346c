"""What a model says of the clips of a data set, beside what they are. Matches the two label sets; scores nothing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from edge.errors import MarEdgeError
from edge.labels import Label
from edge.model_file import ModelMetadata
from edge.progress import Progress
from edge.recognizer import Recognizer
from training.datasets.base import Dataset

UNLABELLED = -1
_NAMES_SHOWN = 3


@dataclass(frozen=True)
class Answers:
    """N clips.

    logits, probs: (N, K) float32 in the model's label order. labels: (N,) int64 likewise, ``UNLABELLED`` where the
    data does not say. names: of the clips. left_out: how many more there were, of labels that the model does not know.
    """

    logits: NDArray[np.float32]
    probs: NDArray[np.float32]
    labels: NDArray[np.int64]
    names: tuple[str, ...]
    left_out: int = 0


def ask(
    recognizer: Recognizer,
    dataset: Dataset,
    progress: Progress,
    *,
    clips: int | None = None,
    known_only: bool = False,
    batch: int = 64,
) -> Answers:
    """Show the clips of a data set to a model.

    Args:
        clips: so many of them, evenly spread; None for all.
        known_only: leave out clips of labels that the model does not know, instead of refusing them.

    Raises:
        MarEdgeError: there is no clip, the labels of the two do not match, or an answer is not a number.
    """
    indices = spread(len(dataset), clips)
    source = short_name(dataset)
    if not len(indices):
        raise MarEdgeError(f"the data set {source} holds no clip to evaluate on")
    places = match_labels(recognizer.metadata, dataset.labels, dataset.background)
    if not known_only:
        _check_known(
            recognizer.metadata, dataset, np.flatnonzero((dataset.class_counts() > 0) & (places == UNLABELLED))
        )
    logits, probs, labels = [], [], []
    for start in range(0, len(indices), batch):
        part = dataset.batch(indices[start : start + batch])
        outputs = recognizer.runtime.infer({"skeleton": part.skeleton, "index_t": part.index_t})
        if not np.isfinite(outputs["logits"]).all():
            raise MarEdgeError(f"the model's answers to {source} are not all numbers; train or export it again")
        logits.append(outputs["logits"])
        probs.append(outputs["probs"])
        labels.append(part.labels)
        progress("clips", min(start + batch, len(indices)), len(indices))
    said = np.concatenate(labels)
    known = (said == UNLABELLED) | (places[said] != UNLABELLED)
    if not known.any():
        raise MarEdgeError(f"the model knows none of the labels of the clips in {source}")
    return Answers(
        logits=np.concatenate(logits)[known],
        probs=np.concatenate(probs)[known],
        labels=np.where(said == UNLABELLED, UNLABELLED, places[said])[known],
        names=tuple(dataset.clip_name(int(index)) for index in indices[known]),
        left_out=int((~known).sum()),
    )


def short_name(dataset: Dataset) -> str:
    """For messages: the name up to its first comma."""
    return dataset.name.partition(",")[0]


def spread(length: int, count: int | None) -> NDArray[np.int64]:
    """``count`` indices evenly spread over [0, length); all of them where there are no more."""
    if count is None or count >= length:
        return np.arange(length)
    return np.arange(count) * length // count


def match_labels(metadata: ModelMetadata, labels: Sequence[Label], background: int | None) -> NDArray[np.int64]:
    """For each label of a data set its index among the model's, found by name; ``UNLABELLED`` where there is none.

    "Nothing happens" matches "nothing happens", whatever the two call it.
    """
    index_of = {label.name: index for index, label in enumerate(metadata.labels)}
    places = np.array([index_of.get(label.name, UNLABELLED) for label in labels], np.int64)
    if background is not None and metadata.background is not None:
        places[background] = metadata.background
    return places


def _check_known(metadata: ModelMetadata, dataset: Dataset, unknown: NDArray[np.intp]) -> None:
    if not len(unknown):
        return
    names = [f"'{dataset.labels[index].name}'" for index in unknown]
    ours = {label.name for label in dataset.labels}
    others = [f"'{label.name}'" for label in metadata.labels if label.name not in ours]
    theirs = f", which in turn knows {_some(others)} that the data lacks" if others else ""
    raise MarEdgeError(
        f"{short_name(dataset)} holds clips of {len(names)} label{'s' * (len(names) > 1)} that the model does not "
        f"know: {_some(names)}{theirs}; labels match by name; --known-only leaves such clips out"
    )


def _some(names: list[str]) -> str:
    more = len(names) - _NAMES_SHOWN
    return ", ".join(names[:_NAMES_SHOWN]) + (f" and {more} more" if more > 0 else "")
