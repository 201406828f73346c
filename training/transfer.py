"""Fine-tuning: start a network from a trained one, whose classes and joints may differ. Trains nothing."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, TypeVar

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from mar_edge.edge.choices import Stream
from mar_edge.edge.errors import MarEdgeError
from mar_edge.edge.labels import Label, default_labels
from mar_edge.edge.layout import Layout, layout_with
from mar_edge.edge.model_file import ModelMetadata, default_checkpoint_path, default_model_path, parse_metadata
from mar_edge.edge.movements import Movements
from mar_edge.edge.network.checkpoint import load_mmn
from mar_edge.edge.network.mmn import MMN
from mar_edge.edge.runtime.onnxruntime import read_metadata

PACKAGE = Path("package")

# Axes over joints in network order, by the end of a parameter's name.
_JOINT_AXES = {"STPE": (1,), "gconv": (1, 2), "adj": (0, 1)}
_CLASS_AXES = {"head.weight": (0,), "head.bias": (0,)}
# The layers that a richer encoding widens, and the landmarks that it measures from, which the layout sets.
_ENCODING, _LANDMARKS = "projection.", "landmarks"
_NAMES_SHOWN = 3


@dataclass(frozen=True)
class Start:
    """A trained network and its description, which is short for a published checkpoint.

    read_as: see ``Checkpoint``. rates, thresholds, movements: by name of the label; empty where the start has none.
    views_s: as in a model file.
    """

    network: MMN
    layout: Layout
    labels: tuple[Label, ...]
    stream: Stream | None
    name: str
    training_data: str
    licence: str | None
    sha256: str
    read_as: str = ""
    background: int | None = None
    activation: Literal["softmax", "sigmoid"] = "softmax"
    rates: Mapping[str, float] = field(default_factory=dict)
    thresholds: Mapping[str, float] = field(default_factory=dict)
    views_s: tuple[float, ...] = ()
    movements: Movements = field(default_factory=dict)
    trained_on: tuple[str, ...] = ()


def open_start(path: Path) -> Start:
    """Open the checkpoint to start from; ``PACKAGE`` is that of the model in the package.

    Raises:
        MarEdgeError: it cannot be read, or is not a checkpoint of a known layout.
    """
    checkpoint = load_mmn(default_checkpoint_path() if path == PACKAGE else path)
    config, info = checkpoint.network.config, checkpoint.info
    layout = layout_with(config.num_joints)
    if layout is None:
        raise MarEdgeError(f"{path} is a network for {config.num_joints} joints; no known layout has that number")
    if info is None:
        labels = default_labels(layout.name, config.num_classes)
        published = "a published checkpoint"
        return Start(
            checkpoint.network, layout, labels, None, path.name, published, None, checkpoint.sha256, checkpoint.read_as
        )
    used = _package_metadata() if path == PACKAGE else info
    return Start(
        network=checkpoint.network,
        layout=layout,
        labels=info.labels,
        stream="bone" if info.stream == "bone" else "joint",
        name=info.name,
        training_data=info.training_data,
        licence=info.licence,
        sha256=checkpoint.sha256,
        read_as=checkpoint.read_as,
        background=info.background,
        activation=info.activation,
        rates=by_name(info.labels, info.rates),
        thresholds=by_name(info.labels, used.thresholds),
        views_s=used.views_s,
        movements=by_name(info.labels, info.movements),
        trained_on=info.trained_on,
    )


T = TypeVar("T")


def by_name(labels: Sequence[Label], values: Sequence[T]) -> dict[str, T]:
    """Return one value for each label, by its name; empty without values."""
    return {label.name: value for label, value in zip(labels, values, strict=False)}


def _package_metadata() -> ModelMetadata:
    """Return the description of the package's model: its thresholds and views are only in the model file."""
    path = default_model_path()
    return parse_metadata(read_metadata(path), str(path))


def transfer(
    start: Start, network: MMN, layout: Layout, labels: tuple[Label, ...], *, over_background: bool = False
) -> str:
    """Copy the weights of ``start`` to ``network``; return a line about what was kept.

    Classes and joints are matched by name. Weights of classes and joints that ``start`` does not know stay as they are.
    All others are copied; the two networks have the same width and depths. If ``network`` has a richer encoding, it is
    the same function at first, and learns to use the new channels.

    Args:
        over_background: the outputs of ``network`` are sigmoids. If ``start`` has a softmax with a background, an
            output becomes the difference between its label and the background.
    """
    classes = matches([label.name for label in start.labels], [label.name for label in labels])
    joints = matches(_joint_names(start.layout), _joint_names(layout))
    trained = start.network.state_dict()
    if over_background and start.activation == "softmax" and start.background is not None:
        heads = {name: trained[name] - trained[name][start.background] for name in _CLASS_AXES}
        trained = {**trained, **heads}
    state = {name: tensor.clone() for name, tensor in network.state_dict().items()}
    for name, tensor in state.items():
        if name == _LANDMARKS:
            continue
        if name.startswith(_ENCODING):
            _widen(tensor, trained[name])
            continue
        ours: list[NDArray[np.intp]] = [np.arange(size) for size in tensor.shape]
        theirs = list(ours)
        axes = [(axis, joints) for axis in _JOINT_AXES.get(name.rpartition(".")[2], ())]
        axes += [(axis, classes) for axis in _CLASS_AXES.get(name, ())]
        for axis, (here, there) in axes:
            ours[axis], theirs[axis] = here, there
        if tensor.ndim:
            tensor.numpy()[np.ix_(*ours)] = trained[name].numpy()[np.ix_(*theirs)]
        else:
            tensor.copy_(trained[name])
    with torch.no_grad():
        network.load_state_dict(state)
    encoding = network.config.encoding
    return (
        f"starts from {start.name}: "
        + kept_in_words("class", "classes", [label.name for label in labels], {label.name for label in start.labels})
        + ", "
        + kept_in_words("joint", "joints", layout.joints, start.layout.joints)
        + (f"; {encoding} encoding new" if encoding != start.network.config.encoding else "")
        + "; all other weights kept"
    )


def _widen(tensor: Tensor, trained: Tensor) -> None:
    """Copy the weights of a smaller layer to one of the same kind, (out, in, ..) or (out,).

    The first outputs are the trained ones and ignore the new inputs. The other outputs keep their random weights. The
    next layer ignores those at first, but learns to use them.
    """
    tensor[: len(trained)] = 0
    tensor[tuple(slice(size) for size in trained.shape)] = trained


def _joint_names(layout: Layout) -> list[str]:
    return [layout.joints[joint] for joint in layout.network_order]


def matches(theirs: list[str], ours: list[str]) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Return the places in ``ours`` of names that are in ``theirs``, too, and their places there."""
    pairs = [(here, theirs.index(name)) for here, name in enumerate(ours) if name in theirs]
    here, there = np.array(pairs, np.intp).reshape(-1, 2).T
    return here, there


def kept_in_words(one: str, many: str, ours: Sequence[str], theirs: Collection[str]) -> str:
    """Return in words how many of our classes or joints a start has, and which are new."""
    new = [name for name in ours if name not in theirs]
    kept = len(ours) - len(new)
    if not new:
        return f"all {kept} {many} kept"
    more = f" and {len(new) - _NAMES_SHOWN} more" if len(new) > _NAMES_SHOWN else ""
    added = f"{len(new)} {one if len(new) == 1 else many}"
    return f"{kept} {many} kept and {added} new ({', '.join(new[:_NAMES_SHOWN])}{more})"
