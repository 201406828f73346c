"""``mar-edge export``: from one or two checkpoints to a model file. Joins the parts; prints nothing."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import msgspec

import mar_edge
from mar_edge.edge.choices import Stream
from mar_edge.edge.errors import MarEdgeError, about
from mar_edge.edge.labels import Label, default_labels, read_labels
from mar_edge.edge.layout import load_layout
from mar_edge.edge.model_file import ModelMetadata, check_views
from mar_edge.edge.movements import Movement, read_movements, stated_for
from mar_edge.edge.network.checkpoint import Checkpoint, load_mmn
from mar_edge.edge.network.mmn import MMN
from mar_edge.edge.score_calibration import read_score_calibration
from mar_edge.export.choices import StreamChoice
from mar_edge.export.onnx_file import write_model

_WINDOW_S = 2.0  # the average length of MA-52's clips


@dataclass(frozen=True)
class Exported:
    """The file that was written, and its largest difference from PyTorch.

    read_as: how each wrapped checkpoint was read (``Checkpoint.read_as``), after its name.
    """

    path: Path
    metadata: ModelMetadata
    difference: float
    read_as: tuple[str, ...] = ()


def export_model(
    checkpoint: Path,
    bone_checkpoint: Path | None,
    *,
    layout_name: str,
    stream: StreamChoice,
    out: Path,
    labels_file: Path | None = None,
    window_s: float | None = None,
    views_s: Sequence[float] = (),
    confidence_file: Path | None = None,
) -> Exported:
    """Write the model file of a published checkpoint or of one of ours.

    Args:
        checkpoint: that of the joint stream; with ``stream`` "bone", that of the bone stream.
        bone_checkpoint: that of the bone stream, only with ``stream`` "both".
        labels_file: names of the classes; None takes those of the checkpoint, else those of the layout.
        window_s: seconds that a window spans; None takes that of the checkpoint, else 2.
        views_s: lengths of the parts of a window whose scores are averaged; empty takes those of the checkpoint.
        confidence_file: score calibration (temperature and thresholds) of ``evaluate`` for these checkpoints.

    Raises:
        MarEdgeError: a checkpoint is not what the arguments say, or the file would differ from the network.
    """
    if (bone_checkpoint is not None) != (stream == "both"):
        raise MarEdgeError("--stream both takes two checkpoints, joint then bone; --stream joint or bone takes one")
    if window_s is not None and not 0 < window_s < math.inf:
        raise MarEdgeError(f"--window-s is more than 0 seconds, not {window_s}")
    layout = load_layout(layout_name)
    streams: tuple[Stream, ...] = ("joint", "bone") if stream == "both" else (stream,)
    paths = [checkpoint] if bone_checkpoint is None else [checkpoint, bone_checkpoint]
    loaded = [load_mmn(path, layout.num_joints) for path in paths]
    for path, one, name in zip(paths, loaded, streams, strict=True):
        _check_fits(path, one, layout_name, name)
    networks: list[tuple[Stream, MMN]] = [(s, one.network) for s, one in zip(streams, loaded, strict=True)]
    first = networks[0][1].config
    if any((n.config.num_classes, n.config.encoding) != (first.num_classes, first.encoding) for _, n in networks):
        raise MarEdgeError(f"{paths[0]} and {paths[1]} differ in classes or input encoding; they cannot be averaged")
    if len({one.info.activation if one.info else "softmax" for one in loaded}) > 1:
        raise MarEdgeError(
            f"{paths[0]} and {paths[1]} have different activations, softmax and sigmoid; they cannot be averaged"
        )
    metadata = _metadata(loaded, layout_name, streams, labels_file, window_s)
    if confidence_file is not None:
        confidence = read_score_calibration(confidence_file)
        thresholds = confidence.for_labels(metadata.labels, str(confidence_file))
        metadata = msgspec.structs.replace(metadata, temperature=confidence.temperature, thresholds=thresholds)
    if views_s:
        with about("--view-s"):
            check_views(views_s, metadata.window_s)
        metadata = msgspec.structs.replace(metadata, views_s=tuple(views_s))
    read_as = tuple(f"{path}: {one.read_as}" for path, one in zip(paths, loaded, strict=True) if one.read_as)
    return Exported(out, metadata, write_model(out, networks, layout, metadata), read_as)


def _check_fits(path: Path, checkpoint: Checkpoint[MMN], layout_name: str, stream: Stream) -> None:
    info = checkpoint.info
    if info is not None and (info.layout, info.stream) != (layout_name, stream):
        raise MarEdgeError(
            f"{path} is a {info.stream} network of the layout {info.layout}; expected {stream} of {layout_name}"
        )


def _metadata(
    loaded: list[Checkpoint[MMN]],
    layout_name: str,
    streams: tuple[Stream, ...],
    labels_file: Path | None,
    window_s: float | None,
) -> ModelMetadata:
    info = loaded[0].info
    config = loaded[0].network.config
    K = config.num_classes
    labels: tuple[Label, ...]
    movements: tuple[Movement, ...]
    if labels_file is not None:
        labels = read_labels(labels_file)
        movements = stated_for(labels, read_movements(labels_file))
    else:
        movements = info.movements if info else ()
        labels = info.labels if info else default_labels(layout_name, K)
    if len(labels) != K:
        raise MarEdgeError(f"{len(labels)} labels for a network of {K} classes; name a --labels file of {K}")
    # The scores of one stream are not those of the pair.
    accuracy = info.accuracy if info and len(loaded) == 1 else {}
    return ModelMetadata(
        name=info.name if info else f"MMN {layout_name} {'+'.join(streams)}",
        family="mmn",
        layout=layout_name,
        streams=streams,
        encoding=config.encoding,
        labels=labels,
        background=info.background if info else None,
        activation=info.activation if info else "softmax",
        rates=info.rates if info else (),
        movements=movements,
        thresholds=info.thresholds if info else (),
        views_s=info.views_s if info else (),
        window_s=window_s or (info.window_s if info else _WINDOW_S),
        sources_sha256=tuple(one.sha256 for one in loaded),
        trained_on=tuple(sorted({one for each in loaded if each.info for one in each.info.trained_on})),
        training_data=info.training_data if info else f"unknown: a published checkpoint of the layout {layout_name}",
        accuracy=accuracy,
        licence=info.licence if info else "that of the checkpoint",
        mar_edge_version=mar_edge.__version__,
    )
