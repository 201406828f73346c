"""``mar-edge export``: from one or two checkpoints to a model file. Joins the parts; prints nothing."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import msgspec

import mar_edge
from mar_edge.edge.choices import Stream
from mar_edge.edge.errors import MarEdgeError, about
from mar_edge.edge.labels import Label, default_labels, read_labels
from mar_edge.edge.layout import load_layout
from mar_edge.edge.model_file import ModelMetadata, check_views
from mar_edge.edge.movements import Movement, read_movements, stated_for
from mar_edge.edge.network.checkpoint import AnyCheckpoint, CheckpointInfo, load_checkpoint
from mar_edge.edge.network.manet import MANet
from mar_edge.edge.network.mmn import MMN
from mar_edge.edge.score_calibration import read_score_calibration
from mar_edge.export.choices import StreamChoice
from mar_edge.export.manet import deployed_manet
from mar_edge.export.mmn import deployed_mmn
from mar_edge.export.onnx_file import Deployed, write_model

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
        checkpoint: of a MANet, or that of MMN's joint stream; with ``stream`` "bone", that of the bone stream.
        bone_checkpoint: that of the bone stream, only with ``stream`` "both".
        layout_name: of the skeletons that the network is given or, for pictures, that decide when events begin and end.
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
    paths = [checkpoint] if bone_checkpoint is None else [checkpoint, bone_checkpoint]
    loaded = [load_checkpoint(path) for path in paths]
    networks = [one.network for one in loaded]
    metadata = _metadata(loaded, layout_name, labels_file, window_s)
    deploy: Callable[[ModelMetadata], Deployed]
    if isinstance(networks[0], MANet):
        if len(loaded) > 1 or stream != "joint":
            raise MarEdgeError(f"{checkpoint} is a MANet, which has no streams: name it alone, without --stream")
        if views_s:
            raise MarEdgeError(f"--view-s is for skeletons; {checkpoint} is a MANet, which learned whole clips")
        _check_layout(checkpoint, loaded[0].info, layout_name)
        metadata = msgspec.structs.replace(metadata, name=metadata.name or "MANet", family="manet")
        deploy = partial(deployed_manet, networks[0])
    else:
        streams = _streams(paths, loaded, layout_name, stream)
        names = tuple(name for name, _ in streams)
        metadata = msgspec.structs.replace(
            metadata,
            name=metadata.name or f"MMN {layout_name} {'+'.join(names)}",
            streams=names,
            encoding=streams[0][1].config.encoding,
        )
        deploy = partial(deployed_mmn, streams, load_layout(layout_name))
    if confidence_file is not None:
        confidence = read_score_calibration(confidence_file)
        thresholds = confidence.for_labels(metadata.labels, str(confidence_file))
        metadata = msgspec.structs.replace(metadata, temperature=confidence.temperature, thresholds=thresholds)
    if views_s:
        with about("--view-s"):
            check_views(views_s, metadata.window_s)
        metadata = msgspec.structs.replace(metadata, views_s=tuple(views_s))
    read_as = tuple(f"{path}: {one.read_as}" for path, one in zip(paths, loaded, strict=True) if one.read_as)
    return Exported(out, metadata, write_model(out, deploy(metadata), metadata), read_as)


def _streams(
    paths: Sequence[Path], loaded: Sequence[AnyCheckpoint], layout_name: str, stream: StreamChoice
) -> list[tuple[Stream, MMN]]:
    """Return the networks of one MMN, or of two that can be averaged, with their streams."""
    names: tuple[Stream, ...] = ("joint", "bone") if stream == "both" else (stream,)
    networks: list[tuple[Stream, MMN]] = []
    for path, one, name in zip(paths, loaded, names, strict=True):
        if isinstance(one.network, MANet):
            raise MarEdgeError(f"{path} is a MANet, which is no stream of an MMN: name it alone, without --stream")
        _check_joints(path, one.network, layout_name)
        _check_layout(path, one.info, layout_name, name)
        networks.append((name, one.network))
    first = networks[0][1].config
    if any((n.config.num_classes, n.config.encoding) != (first.num_classes, first.encoding) for _, n in networks):
        raise MarEdgeError(f"{paths[0]} and {paths[1]} differ in classes or input encoding; they cannot be averaged")
    if len({one.info.activation if one.info else "softmax" for one in loaded}) > 1:
        raise MarEdgeError(
            f"{paths[0]} and {paths[1]} have different activations, softmax and sigmoid; they cannot be averaged"
        )
    return networks


def _check_joints(path: Path, network: MMN, layout_name: str) -> None:
    V, expected = network.config.num_joints, load_layout(layout_name).num_joints
    if expected != V:
        raise MarEdgeError(f"{path}: a network of {V} joints, the layout has {expected}; another --layout?")


def _check_layout(path: Path, info: CheckpointInfo | None, layout_name: str, stream: str = "") -> None:
    if info is not None and (info.layout, info.stream) != (layout_name, stream):
        found, expected = (f"{name} " if name else "" for name in (info.stream, stream))
        raise MarEdgeError(
            f"{path} is a {found}network of the layout {info.layout}; expected a {expected}network of {layout_name}"
        )


def _metadata(
    loaded: Sequence[AnyCheckpoint], layout_name: str, labels_file: Path | None, window_s: float | None
) -> ModelMetadata:
    """Return what does not depend on the family."""
    info = loaded[0].info
    K = loaded[0].network.config.num_classes
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
        name=info.name if info else "",
        layout=layout_name,
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
