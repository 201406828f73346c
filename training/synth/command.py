"""``mar-edge synth``: clips to files, as arrays or drawn. Joins the parts; prints nothing."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from edge.errors import MarEdgeError
from training.synth.draw import write_animation
from training.synth.generator import CLASSES, synthesise

_CHUNK = 256
# A class that is 1 in 13 clips is missing from 20 chunks with a chance of 10^-178.
_CHUNKS_TO_SEARCH = 20


def write_clips(path: Path, count: int, seed: int) -> None:
    """Write ``count`` clips as arrays: joints (N, 64, 44, 2) px, labels (N,), duration_s (N,), and the class names.

    Raises:
        MarEdgeError: the file cannot be written.
    """
    chunks = [synthesise(seed, i, _CHUNK) for i in range(-(-count // _CHUNK))]
    try:
        np.savez_compressed(
            path,
            joints=np.concatenate([chunk.joints for chunk in chunks])[:count],
            labels=np.concatenate([chunk.labels for chunk in chunks])[:count],
            duration_s=np.concatenate([chunk.duration_s for chunk in chunks])[:count],
            classes=np.array([label.name for label in CLASSES]),
        )
    except OSError as error:
        raise MarEdgeError(f"cannot write {path}: {error.strerror}") from None


def write_drawing(path: Path, action: str | None, seed: int) -> str:
    """Draw the first clip of an action (by name or id; any if None) as an MP4, and say what it shows.

    Raises:
        MarEdgeError: no such action, or the file cannot be written.
    """
    wanted = None if action is None else _class_index(action)
    for i in range(_CHUNKS_TO_SEARCH):
        chunk = synthesise(seed, i, _CHUNK)
        fitting = np.flatnonzero(chunk.labels == wanted) if wanted is not None else np.arange(_CHUNK)
        if len(fitting):
            n = int(fitting[0])
            title = f"{CLASSES[chunk.labels[n]].name}, {chunk.duration_s[n]:.1f} s"
            write_animation(path, chunk.joints[n], float(chunk.duration_s[n]), title)
            return title
    raise RuntimeError(f"no clip of class {wanted} in {_CHUNKS_TO_SEARCH} chunks")


def _class_index(action: str) -> int:
    for index, label in enumerate(CLASSES):
        if action in (label.name, str(label.id)):
            return index
    known = ", ".join(f"{label.name} ({label.id})" for label in CLASSES)
    raise MarEdgeError(f"no action '{action}' that can be synthesised; there are: {known}")
