"""Clips in one ``.npz`` file, as ``mar-edge synth --out clips.npz`` writes it: joints, labels, duration_s, classes."""

from __future__ import annotations

import zipfile
import zlib
from pathlib import Path

import numpy as np

from mar_edge.edge.errors import MarEdgeError
from mar_edge.edge.labels import Label
from mar_edge.edge.layout import layout_with
from mar_edge.training.augment import NO_AUGMENTATION, Augmentation
from mar_edge.training.datasets.recordings import known_labels
from mar_edge.training.datasets.stored import StoredDataset, checked_clip, shows_nobody

_ARRAYS = ("joints", "labels", "duration_s", "classes")
_MAX_BYTES = 16 << 30


def open_archive(path: Path, *, augmentation: Augmentation = NO_AUGMENTATION) -> StoredDataset:
    """Read the clips of an archive: joints (N, T, V, 2) px, labels (N,) index into classes (K,) of names.

    Raises:
        MarEdgeError: the file is missing or not such an archive, or its arrays do not fit together.
    """
    try:
        with zipfile.ZipFile(path) as parts:  # sizes first: a small archive may unpack to much more
            if sum(part.file_size for part in parts.infolist()) > _MAX_BYTES:
                raise MarEdgeError(f"{path} unpacks to more than {_MAX_BYTES >> 30} GiB")
        with np.load(path, allow_pickle=False) as arrays:
            if not set(_ARRAYS) <= set(arrays.files):
                raise MarEdgeError(f"{path} has the arrays {', '.join(arrays.files)}; expected {', '.join(_ARRAYS)}")
            joints, indices, duration_s, classes = (arrays[name] for name in _ARRAYS)
    except OSError as error:
        raise MarEdgeError(f"cannot read {path}: {error.strerror or error}") from None
    except (zipfile.BadZipFile, zlib.error, ValueError, EOFError, KeyError) as error:
        raise MarEdgeError(f"{path} is not a whole .npz archive of arrays ({error})") from None
    N, K = len(joints) if joints.ndim else 0, len(classes) if classes.ndim else 0
    if not N or joints.dtype.kind != "f" or classes.dtype.kind != "U" or indices.dtype.kind not in "iu":
        raise MarEdgeError(f"{path}: expected joints (N, T, V, 2) of floats, labels (N,) of integers, classes of names")
    if not indices.shape == duration_s.shape == (N,) or not (indices >= 0).all() or not (indices < K).all():
        raise MarEdgeError(f"{path}: {N} clips of {K} classes do not have one label and one duration each")
    layout = layout_with(joints.shape[2]) if joints.ndim == 4 else None
    if layout is None:
        raise MarEdgeError(f"{path}: joints have the shape {joints.shape}; expected (N, T, V, 2), V of a known layout")
    by_name = {label.name: label for label in known_labels()}
    names = [str(name) for name in classes]
    known = all(name in by_name for name in names) and len(set(names)) == K
    clips = [checked_clip(clip, layout, f"{path}, clip {i}") for i, clip in enumerate(joints)]
    seen = np.array([i for i, clip in enumerate(joints) if not shows_nobody(clip)], np.int64)
    if not len(seen):
        raise MarEdgeError(f"{path}: none of its {N} clips shows a joint")
    left_out = f" ({N - len(seen)} clips without any joint left out)" if len(seen) < N else ""
    return StoredDataset(
        name=f"{path.name}{left_out}, {len(seen)} clips",
        layout=layout,
        labels=tuple(by_name[name] if known else Label(i, name, "") for i, name in enumerate(names)),
        clips=[clips[i] for i in seen],
        clip_labels=indices[seen].astype(np.int64),
        clip_names=[f"{path.stem} {i}" for i in seen],
        groups=np.arange(len(seen)),
        augmentation=augmentation,
    )
