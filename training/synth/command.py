"""``mar-edge synth``: clips to files, as arrays or drawn, and their statistics. Joins the parts; prints nothing."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np

from mar_edge.edge.errors import MarEdgeError, did_you_mean
from mar_edge.edge.files.outputs import write_whole
from mar_edge.edge.labels import Label
from mar_edge.training.synth.chunks import CHUNK, make_chunk
from mar_edge.training.synth.draw import write_animation
from mar_edge.training.synth.footage import generated, real
from mar_edge.training.synth.generator import CLASSES, synthesize
from mar_edge.training.synth.statistics import statistics, table
from mar_edge.training.synth.world import TRAINING, World


def write_clips(path: Path, count: int, seed: int, world: World = TRAINING, live: float = 0.0) -> None:
    """Write ``count`` clips as arrays: joints (N, 64, 44, 2) px, labels (N,), duration_s (N,), and the class names.

    Args:
        live: share of clips that are windows cut from recordings.

    Raises:
        MarEdgeError: the file cannot be written.
    """
    chunks = [make_chunk(seed, i, live=live, world=world) for i in range(-(-count // CHUNK))]
    content = io.BytesIO()  # on a full disk the archive of numpy would print its own traceback
    np.savez_compressed(
        content,
        joints=np.concatenate([chunk.joints for chunk in chunks])[:count],
        labels=np.concatenate([chunk.labels for chunk in chunks])[:count],
        duration_s=np.concatenate([chunk.duration_s for chunk in chunks])[:count],
        classes=np.array([label.name for label in CLASSES]),
    )
    write_whole(path, content.getvalue())


def write_drawing(path: Path, action: str | None, seed: int) -> str:
    """Draw a clip of an action (by name or id; any if None) as an MP4 or a GIF, and say what it shows.

    Raises:
        MarEdgeError: no such action, or the file cannot be written.
    """
    classes = CLASSES if action is None else (_class_of(action),)
    clip = synthesize(seed, 0, 1, classes=classes)
    duration_s = float(clip.duration_s[0])
    title = f"{classes[clip.labels[0]].name}, {duration_s:.1f} s"
    write_animation(path, clip.joints[0], duration_s, title)
    return title


def statistics_table(world: World, recordings: int, seed: int, folder: Path | None) -> str:
    """Return how the people of the generator move, as Markdown, next to the real people of ``folder``, if there is one.

    Raises:
        MarEdgeError: the folder's files cannot be read.
    """
    columns = {"synthetic": statistics(generated(world, recordings, seed))}
    if folder is not None:
        columns["real"] = statistics(real(folder))
    return table(columns)


def _class_of(action: str) -> Label:
    for label in CLASSES:
        if action in (label.name, str(label.id)):
            return label
    known = ", ".join(f"{label.name} ({label.id})" for label in CLASSES)
    close = did_you_mean(action, [label.name for label in CLASSES])
    raise MarEdgeError(f"no action '{action}' to synthesize; there are: {known}{close}")
