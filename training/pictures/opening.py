"""Videos by their names on the command line: ``videos:LIST``, ``videos:FOLDER``, ``videos-test:FOLDER``."""

from __future__ import annotations

from dataclasses import replace

from mar_edge.edge.errors import MarEdgeError
from mar_edge.edge.labels import Label
from mar_edge.training.datasets.opening import DataSpec, parse_spec
from mar_edge.training.datasets.stored import hold_out
from mar_edge.training.pictures.dataset import VideoDataset, open_videos


def open_video_dataset(spec: str, *, labels: tuple[Label, ...] | None = None) -> VideoDataset:
    """Open videos for evaluation: of a folder, the validation split unless ``spec`` names another.

    The test split may lack labels.

    Raises:
        MarEdgeError: there are no such videos, or they are invalid.
    """
    parsed = parse_spec(spec)
    return open_videos(parsed.path, parsed.split or "val", labels=labels, labels_required=parsed.split != "test")


def open_video_training(
    spec: str,
    validation: str | None,
    *,
    seed: int,
    mirror: float,
    validation_share: float,
    labels: tuple[Label, ...] | None = None,
) -> tuple[VideoDataset, VideoDataset]:
    """Open videos for training, augmented, and others for validation.

    Without ``validation``, the second are the validation split of a folder. Of a single list, ``validation_share`` of
    the videos is held out from training.

    Args:
        mirror: probability that a training clip is mirrored.

    Raises:
        MarEdgeError: there are no such videos, or they are invalid.
    """
    parsed = parse_spec(spec)
    if validation is None and parsed.split == "val":
        raise MarEdgeError(f"'{spec}' is the default validation set; name another one with --validation")
    training = open_videos(parsed.path, parsed.split or "train", labels=labels, mirror=mirror)
    if validation is not None:
        other = _videos(validation)
        return training, open_videos(other.path, other.split or "val", labels=labels)
    if parsed.path.is_dir():
        return training, open_videos(parsed.path, "val", labels=labels)
    learned, held = hold_out(training, validation_share, seed)
    return learned, replace(held, mirror=0.0)


def _videos(spec: str) -> DataSpec:
    parsed = parse_spec(spec)
    if parsed.kind != "videos":
        raise MarEdgeError(f"cannot validate a network on videos with {spec}; name videos:LIST or videos:FOLDER")
    return parsed
