"""Skeleton clips whose classes can be learned, and the files that data sets come in."""

from __future__ import annotations

import pickle
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from mar_edge.edge.layout import load_layout
from mar_edge.training.datasets.stored import StoredDataset, checked_clip

JOINTS = {"ma52": 44, "imigue": 22}


def moving(label: int, layout: str = "imigue", frames: int = 50, seed: int = 0) -> NDArray[np.float32]:
    """Return (T, V, 2) px: a person of which a few joints swing; the label determines which."""
    V = JOINTS[layout]
    posture = np.random.default_rng(7).uniform((300, 200), (600, 900), (V, 2))
    rng = np.random.default_rng([seed, label])
    clip = posture + rng.normal(0, 1, (frames, V, 2)) + rng.uniform(-50, 50, 2)
    swing = 60 * np.sin(np.linspace(0, rng.uniform(8, 14), frames) + rng.uniform(0, 6))
    clip[:, [(5 * label + i) % V for i in range(3)], 1] += swing[:, None]
    return clip.astype(np.float32)


def labeled(layout: str, labels: Sequence[int], each: int, seed: int = 0) -> list[tuple[int, NDArray[np.float32]]]:
    """Return ``each`` clips of every label, the labels in turns, of 40 to 70 frames."""
    return [
        (label, moving(label, layout, 40 + (13 * i + label) % 31, seed * 1000 + i))
        for i in range(each)
        for label in labels
    ]


def write_authors(
    folder: Path, layout: str, split: str, labels: Sequence[int], each: int, *, seed: int = 0, with_labels: bool = True
) -> list[tuple[int, NDArray[np.float32]]]:
    """Write one split in the form of the authors of MA-52 and iMiGUE; return its clips."""
    folder.mkdir(parents=True, exist_ok=True)
    clips = labeled(layout, labels, each, seed)
    # A second person, which readers ignore.
    annotations = [
        {"frame_dir": f"{split}_{i:04}", "keypoint": np.stack([clip, clip[::-1]])} for i, (_, clip) in enumerate(clips)
    ]
    entries = [{"file_name": f"{split}_{i:04}.mp4", "label": label} for i, (label, _) in enumerate(clips)]
    (folder / f"{split}_data.pkl").write_bytes(pickle.dumps({"annotations": annotations}))
    if with_labels:
        (folder / f"{split}_label.pkl").write_bytes(pickle.dumps(entries))
    return clips


def stored(
    layout: str, labels: Sequence[int], each: int, *, classes: int | None = None, seed: int = 0
) -> StoredDataset:
    """Return such clips in memory, of labels 0 to ``classes`` - 1."""
    from mar_edge.edge.labels import Label

    clips = labeled(layout, labels, each, seed)
    skeleton = load_layout(layout)
    return StoredDataset(
        name=f"made clips, {len(clips)}",
        layout=skeleton,
        labels=tuple(Label(i, f"label {i}", "") for i in range(classes or max(labels) + 1)),
        clips=[checked_clip(clip, skeleton, "a made clip") for _, clip in clips],
        clip_labels=np.array([label for label, _ in clips]),
        clip_names=[f"clip {i}" for i in range(len(clips))],
        groups=np.arange(len(clips)) // 4,
    )


def skeleton_lines(
    clip: NDArray[np.float32], *, fps: float = 25.0, first_ns: int = 1_700_000_000_000_000_000, person: int = 0
) -> list[str]:
    """Return lines as ``mar-edge subscribe --kind skeleton --json`` prints them; NaN joints are null."""
    from mar_edge.streaming.wire.encoding import encode
    from mar_edge.streaming.wire.messages import SkeletonMessage

    lines = []
    for i, frame in enumerate(clip.tolist()):
        message = SkeletonMessage(
            stream="camera",
            run="ab12",
            seq=2 * i,
            kind_seq=i,
            t_capture_ns=first_ns + round(i * 1e9 / fps),
            t_publish_ns=first_ns + round(i * 1e9 / fps) + 40_000_000,
            frame=i,
            person=person,
            joints=tuple(None if np.isnan(joint).any() else (joint[0], joint[1]) for joint in frame),
            scores=(1.0,) * len(frame),
        )
        lines.append(encode(message).decode())
    return lines


def hello_line(layout: str, t_zero_ns: int) -> str:
    """Return a stream's ``hello``, as ``mar-edge subscribe --kind hello --json`` prints it."""
    from mar_edge.streaming.wire.encoding import encode
    from mar_edge.streaming.wire.messages import HelloMessage

    hello = HelloMessage(
        stream="camera",
        run="ab12",
        seq=0,
        kind_seq=0,
        t_zero_ns=t_zero_ns,
        layout=layout,
        joints=load_layout(layout).joints,
        source="clip.mp4",
        size=(640, 480),
        fps=25.0,
        model="",
        precision="fp32",
        labels=(),
        background=None,
        window_s=2.0,
        stride_s=0.2,
        on_thresholds=(),
        off_thresholds=(),
        pose="",
        runtime="",
        versions={},
    )
    return encode(hello).decode()
