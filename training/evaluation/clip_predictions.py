"""Predictions of a model for clips, with the true labels. Matches the two label sets; computes no figures."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mar_edge.edge.errors import MarEdgeError, did_you_mean
from mar_edge.edge.labels import Label, background_label
from mar_edge.edge.model_file import ModelMetadata
from mar_edge.edge.progress import Progress
from mar_edge.edge.recognizer import WindowRecognizer
from mar_edge.streaming.recognition.thresholds import DEFAULT_ON
from mar_edge.training.batches import InOrder, prepared_batches
from mar_edge.training.datasets.base import Batch, LabeledClips

UNLABELED = -1
_NAMES_SHOWN = 3


@dataclass(frozen=True)
class ClipPredictions:
    """N clips and their predictions.

    logits, probs: (N, K) float32 in the model's label order.

    labels: (N,) int64 index into ``classes``; ``UNLABELED`` if unknown. names: of the clips.

    classes: the C possible predictions: the model's labels, then "no action" if low scores mean that.

    background: index of "no action" among them, if there is one.

    deployed: (N, C) float32 scores that rank the classes as in live use.

    targets: (N, C) float32, how much of each label is shown; None if clips have one label.

    left_out: number of clips left out because the model does not know their label.
    """

    logits: NDArray[np.float32]
    probs: NDArray[np.float32]
    labels: NDArray[np.int64]
    names: tuple[str, ...]
    classes: tuple[Label, ...]
    background: int | None
    deployed: NDArray[np.float32]
    targets: NDArray[np.float32] | None = None
    left_out: int = 0


def predict_clips(
    recognizer: WindowRecognizer,
    dataset: LabeledClips[Batch],
    progress: Progress,
    *,
    clips: int | None = None,
    known_only: bool = False,
    batch: int = 64,
    workers: int = 0,
) -> ClipPredictions:
    """Run a model on the clips of a data set.

    Args:
        clips: number of clips, evenly spread; None for all.
        known_only: leave out clips of labels that the model does not know, instead of refusing them.
        batch: clips in one inference. workers: processes that prepare them; 0 prepares them in this process.

    Raises:
        MarEdgeError: there is no clip, the labels do not match, or an output is not finite.
    """
    indices = spread(len(dataset), clips)
    source = short_name(dataset)
    if not len(indices):
        raise MarEdgeError(f"the data set {source} has no clip to evaluate on")
    metadata = recognizer.metadata
    classes, background = possible_classes(metadata)
    places = match_labels(metadata, dataset.labels, dataset.background)
    if dataset.background is not None and background is not None:
        places[dataset.background] = background
    if not known_only:
        _check_known(metadata, dataset, np.flatnonzero((dataset.class_counts() > 0) & (places == UNLABELED)))
    logits, probs, labels, targets = [], [], [], []
    plan = InOrder(indices, batch, block=batch)
    done = 0
    with prepared_batches(dataset, plan, 0, plan.batches, workers) as parts:
        for part in parts:
            outputs = recognizer.runtime.infer(part.inputs)
            if not np.isfinite(outputs["logits"]).all():
                raise MarEdgeError(f"the model's outputs for {source} are not all finite; train or export it again")
            logits.append(outputs["logits"])
            probs.append(outputs["probs"])
            labels.append(part.labels)
            if part.targets is not None:
                targets.append(part.targets)
            done += len(part.labels)
            progress("clips", done, len(indices))
    true = np.concatenate(labels)
    known = (true == UNLABELED) | (places[true] != UNLABELED)
    if not known.any():
        raise MarEdgeError(f"the model knows none of the labels of the clips in {source}")
    all_logits, all_probs = np.concatenate(logits)[known], np.concatenate(probs)[known]
    return ClipPredictions(
        logits=all_logits,
        probs=all_probs,
        labels=np.where(true == UNLABELED, UNLABELED, places[true])[known],
        names=tuple(dataset.clip_name(int(index)) for index in indices[known]),
        classes=classes,
        background=background,
        deployed=_deployed(metadata, all_logits, all_probs),
        targets=_placed(np.concatenate(targets)[known], places, len(classes)) if targets else None,
        left_out=int((~known).sum()),
    )


def possible_classes(metadata: ModelMetadata) -> tuple[tuple[Label, ...], int | None]:
    """Return the labels that can be predicted for a clip, and the index of "no action" among them, if it is one."""
    if metadata.activation == "sigmoid" and metadata.background is None:
        return (*metadata.labels, background_label()), len(metadata.labels)
    return metadata.labels, metadata.background


def _deployed(metadata: ModelMetadata, logits: NDArray[np.float32], probs: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return scores (N, C) that rank labels above their thresholds first, then "no action", then the other labels."""
    if metadata.activation == "softmax" or metadata.background is not None:
        return logits
    thresholds = np.array(metadata.thresholds or [DEFAULT_ON] * len(metadata.labels), np.float32)
    nothing = np.ones((len(probs), 1), np.float32)
    return np.concatenate([probs + (probs >= thresholds), nothing], axis=1)


def _placed(targets: NDArray[np.float32], places: NDArray[np.int64], count: int) -> NDArray[np.float32]:
    """Convert targets (N, labels of the data) to (N, ``count``), in the model's order."""
    placed = np.zeros((len(targets), count), np.float32)
    known = places != UNLABELED
    placed[:, places[known]] = targets[:, known]
    return placed


def short_name(dataset: LabeledClips[Batch]) -> str:
    """Return a short name for messages: the name up to its first comma."""
    return dataset.name.partition(",")[0]


def spread(length: int, count: int | None) -> NDArray[np.int64]:
    """Return ``count`` indices evenly spread over [0, length); all of them if there are no more."""
    if count is None or count >= length:
        return np.arange(length)
    return np.arange(count) * length // count


def match_labels(metadata: ModelMetadata, labels: Sequence[Label], background: int | None) -> NDArray[np.int64]:
    """Return the index among the model's labels of each label of a data set, by name; ``UNLABELED`` if there is none.

    The backgrounds of the two match, whatever their names.
    """
    index_of = {label.name: index for index, label in enumerate(metadata.labels)}
    places = np.array([index_of.get(label.name, UNLABELED) for label in labels], np.int64)
    if background is not None and metadata.background is not None:
        places[background] = metadata.background
    return places


def _check_known(metadata: ModelMetadata, dataset: LabeledClips[Batch], unknown: NDArray[np.intp]) -> None:
    if not len(unknown):
        return
    names = [f"'{dataset.labels[index].name}'" for index in unknown]
    ours = {label.name for label in dataset.labels}
    others = [f"'{label.name}'" for label in metadata.labels if label.name not in ours]
    theirs = f" (it knows {_some(others)}, which the data does not have)" if others else ""
    raise MarEdgeError(
        f"{short_name(dataset)} has clips of {len(names)} label{'s' * (len(names) > 1)} that the model does not "
        f"know: {_some(names)}{theirs}; labels match by name; --known-only leaves such clips out"
        f"{did_you_mean(dataset.labels[unknown[0]].name, (label.name for label in metadata.labels))}"
    )


def _some(names: list[str]) -> str:
    more = len(names) - _NAMES_SHOWN
    return ", ".join(names[:_NAMES_SHOWN]) + (f" and {more} more" if more > 0 else "")
