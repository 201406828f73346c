"""Predictions for MA-52's test clips in the form of its challenge: a zip that holds ``prediction.csv``.

Each clip is a row: its name, its five most probable actions in order, and the body labels of these actions. The id of
an action determines its body label, so body labels may repeat.

"No action" is not a label of MA-52 and is left out.
"""

from __future__ import annotations

import csv
import io
import zipfile
from bisect import bisect_right
from collections import Counter
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from mar_edge.edge.errors import MarEdgeError
from mar_edge.edge.files.outputs import write_whole
from mar_edge.edge.labels import ma52_labels
from mar_edge.edge.model_file import ModelMetadata
from mar_edge.training.evaluation.clip_predictions import ClipPredictions
from mar_edge.training.metrics import rank

MEMBER = "prediction.csv"
GUESSES = 5
COLUMNS = (
    "vid",
    *(f"action_pred_{i}" for i in range(1, GUESSES + 1)),
    *(f"body_pred_{i}" for i in range(1, GUESSES + 1)),
)
# First action id of each body label.
_FIRST_ACTION = (0, 5, 11, 24, 32, 38, 48)
_EPOCH = (1980, 1, 1, 0, 0, 0)  # the earliest time of a zip: the same predictions give the same bytes


def write_submission(path: Path, metadata: ModelMetadata, predictions: ClipPredictions) -> None:
    """Write the zip.

    Raises:
        MarEdgeError: a clip's name occurs twice, the model's labels are not MA-52's, or the file cannot be written.
    """
    repeated = [name for name, count in Counter(predictions.names).items() if count > 1]
    if repeated:
        raise MarEdgeError(f"a submission names each clip once; '{repeated[0]}' occurs in the data more than once")
    ids = action_ids(metadata)
    logits = predictions.logits.copy()
    logits[:, ids < 0] = -np.inf
    best = ids[rank(logits)[:, :GUESSES]]  # (N, 5)
    text = io.StringIO(newline="")
    rows = csv.writer(text, lineterminator="\n")
    rows.writerow(COLUMNS)
    rows.writerows(
        [name, *actions, *map(body_of, actions)] for name, actions in zip(predictions.names, best.tolist(), strict=True)
    )
    write_zip(path, text.getvalue())


def write_zip(path: Path, text: str) -> None:
    """Write a zip that holds ``prediction.csv`` alone.

    Raises:
        MarEdgeError: the file cannot be written.
    """
    member = zipfile.ZipInfo(MEMBER, _EPOCH)
    member.compress_type = zipfile.ZIP_DEFLATED
    member.external_attr = 0o644 << 16
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        archive.writestr(member, text)
    write_whole(path, content.getvalue())


def action_ids(metadata: ModelMetadata) -> NDArray[np.int64]:
    """Return MA-52's ids (K,) of a model's labels, by name; -1 for "no action".

    Raises:
        MarEdgeError: another label is not one of MA-52's, or there are fewer than five.
    """
    known = {label.name: label.id for label in ma52_labels()}
    ids = np.array([known.get(label.name, -1) for label in metadata.labels], np.int64)
    foreign = [k for k in np.flatnonzero(ids < 0) if k != metadata.background]
    if foreign:
        raise MarEdgeError(
            f"a submission holds MA-52's actions; the model's '{metadata.labels[foreign[0]].name}' is not one of them"
        )
    if (ids >= 0).sum() < GUESSES:
        raise MarEdgeError(f"a submission holds {GUESSES} actions per clip; the model knows {(ids >= 0).sum()}")
    return ids


def body_of(action: int) -> int:
    """Return the body label, 0 to 6, of an action's id."""
    return bisect_right(_FIRST_ACTION, action) - 1
