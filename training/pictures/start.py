"""What MANet starts from: torchvision's ResNet-50, trained on ImageNet, or another MANet. PyTorch; trains nothing."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import torch
from torch import Tensor

from mar_edge.edge.errors import MarEdgeError
from mar_edge.edge.labels import Label, default_labels
from mar_edge.edge.movements import Movements
from mar_edge.edge.network.checkpoint import load_checkpoint, read_state_dict
from mar_edge.edge.network.manet import MANet
from mar_edge.edge.network.weights import check_keys
from mar_edge.training.transfer import by_name, kept_in_words, matches

# Our names of ResNet's weights -> torchvision's. Gates and heads have no counterpart there.
_RENAMED = (
    (re.compile(r"backbone\.conv1\.conv\.weight"), r"conv1.weight"),
    (re.compile(r"backbone\.conv1\.bn\.(\w+)"), r"bn1.\1"),
    (re.compile(r"backbone\.(layer\d\.\d+\.conv\d)\.conv(?:\.net)?\.weight"), r"\1.weight"),
    (re.compile(r"backbone\.(layer\d\.\d+\.)conv(\d)\.bn\.(\w+)"), r"\1bn\2.\3"),
    (re.compile(r"backbone\.(layer\d\.\d+\.downsample\.)conv\.weight"), r"\g<1>0.weight"),
    (re.compile(r"backbone\.(layer\d\.\d+\.downsample\.)bn\.(\w+)"), r"\g<1>1.\2"),
)
_STEM = "conv1.weight"
_CLASSIFIER = ("fc.weight", "fc.bias")  # of ImageNet's thousand classes
_BATCHES = "num_batches_tracked"  # of BatchNorm; not in files of old versions of torch, and not used here
_CLASS_AXIS = ("cls_head.fc_cls.weight", "cls_head.fc_cls.bias")
_WORDS = "cls_head.fc_emb"


@dataclass(frozen=True)
class PictureStart:
    """Weights to start from, and their description.

    network: a trained MANet; None for ``imagenet``, the weights of a ResNet by torchvision's names.

    labels: of ``network``. movements: by name of the label. read_as: see ``edge.network.checkpoint.Checkpoint``.
    """

    name: str
    training_data: str
    licence: str | None
    sha256: str
    read_as: str = ""
    imagenet: Mapping[str, Tensor] = field(default_factory=dict)
    network: MANet | None = None
    labels: tuple[Label, ...] = ()
    movements: Movements = field(default_factory=dict)


def open_picture_start(path: Path) -> PictureStart:
    """Open the weights to start from.

    Raises:
        MarEdgeError: the file cannot be read, or is neither a checkpoint of a MANet nor torchvision's ResNet-50.
    """
    state, sha256 = read_state_dict(path)
    if _STEM in state:
        return PictureStart(path.name, "ImageNet", None, sha256, imagenet=state)
    checkpoint = load_checkpoint(path)
    if not isinstance(checkpoint.network, MANet):
        raise MarEdgeError(
            f"{path} is a checkpoint of a network on skeletons; videos take one of a MANet, or torchvision's resnet50"
        )
    info = checkpoint.info
    if info is None:
        return PictureStart(
            name=path.name,
            training_data="a published checkpoint",
            licence=None,
            sha256=checkpoint.sha256,
            read_as=checkpoint.read_as,
            network=checkpoint.network,
            labels=default_labels("ma52", checkpoint.network.config.num_classes),
        )
    return PictureStart(
        name=info.name,
        training_data=info.training_data,
        licence=info.licence,
        sha256=checkpoint.sha256,
        network=checkpoint.network,
        labels=info.labels,
        movements=by_name(info.labels, info.movements),
    )


def start_from(start: PictureStart, network: MANet, labels: tuple[Label, ...], source: str) -> str:
    """Copy the weights of ``start`` to ``network``; return a line about what was kept.

    Labels are matched by name. All that ``start`` does not have keeps its random weights.

    Raises:
        MarEdgeError: weights of ImageNet lack a key, have another one, or one of another shape; the message names it.
    """
    state = network.state_dict()
    if start.network is None:
        _copy_imagenet(start.imagenet, state, source)
        return f"starts from {start.name}: convolutions and BatchNorm of a ResNet; gates and heads are new"
    trained = start.network.state_dict()
    here, there = matches([label.name for label in start.labels], [label.name for label in labels])
    for name, tensor in state.items():
        if name in _CLASS_AXIS:
            tensor[torch.from_numpy(here)] = trained[name][torch.from_numpy(there)]
        elif not name.startswith(_WORDS) or start.network.config.embedding == network.config.embedding:
            tensor.copy_(trained[name])
    kept = kept_in_words("class", "classes", [label.name for label in labels], {label.name for label in start.labels})
    return f"starts from {start.name}: {kept}; all other weights kept"


def _copy_imagenet(imagenet: Mapping[str, Tensor], state: Mapping[str, Tensor], source: str) -> None:
    ours = {theirs: tensor for name, tensor in state.items() if (theirs := _theirs(name)) and _is_weight(theirs)}
    given = {name: tensor for name, tensor in imagenet.items() if name not in _CLASSIFIER and _is_weight(name)}
    check_keys(given, ours, f"{source} (torchvision's resnet50)")
    for name, tensor in ours.items():
        tensor.copy_(given[name])


def _theirs(name: str) -> str | None:
    """Return torchvision's name of a weight; None if its ResNet has no such weight."""
    for pattern, theirs in _RENAMED:
        match = pattern.fullmatch(name)
        if match:
            return match.expand(theirs)
    return None


def _is_weight(name: str) -> bool:
    return not name.endswith(_BATCHES)
