"""Checkpoints: the authors' flat state_dicts, those of training programs, and our own, which describe themselves.

Unpickles tensors only.
"""

from __future__ import annotations

import io
import pickle
import re
import struct
import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Generic, Literal, TypeAlias, TypeVar

import msgspec
import torch
from torch import Tensor

from mar_edge.edge.choices import Family
from mar_edge.edge.errors import MarEdgeError
from mar_edge.edge.files.digest import sha256_of
from mar_edge.edge.files.outputs import write_whole
from mar_edge.edge.labels import Label
from mar_edge.edge.movements import Movement
from mar_edge.edge.network import manet_weights, mmn_weights
from mar_edge.edge.network.manet import MANet
from mar_edge.edge.network.mmn import MMN
from mar_edge.edge.network.weights import with_weights

_FORMAT = "mar-edge checkpoint"
# Keys under which training programs keep the state_dict; the first one present holds the network.
_WRAPPERS = ("state_dict", "model_state_dict", "model", "network", "net")
# Parameters by which a family is recognized: their prefix ("module.", "_orig_mod.", Lightning's own) is that of all.
_ANCHORS: Mapping[Family, tuple[str, ...]] = {"mmn": mmn_weights.ANCHORS, "manet": manet_weights.ANCHORS}
_NAMES: Mapping[Family, str] = {"mmn": "MMN (skeletons)", "manet": "MANet (pictures)"}
# Entries that profilers of operations leave in a network.
_COUNTERS = ("total_ops", "total_params")
_UNPICKLES = re.compile(r"GLOBAL ([\w.]+)")
# Errors of torch's unpickler on bytes that are no checkpoint, or a damaged one.
NOT_READABLE = (
    pickle.UnpicklingError,
    struct.error,
    RuntimeError,
    EOFError,
    LookupError,
    ValueError,
    TypeError,
    AttributeError,
    AssertionError,
)


class CheckpointInfo(msgspec.Struct, frozen=True, kw_only=True):
    """The description in our own checkpoints; a published one has none.

    family: kind of network, as in a model file.
    layout: of the skeletons that it is given or, for pictures, that decide when events begin and end.
    stream: of MMN, ``joint`` or ``bone``; empty for other families.
    activation: turns the outputs into probabilities: one ``softmax``, or a ``sigmoid`` for each label.
    movements, thresholds, views_s, trained_on: as in a model file (``edge.model_file``).
    rates: how often each label occurred in training, relative to the others (mean 1); empty where it is not known.
    """

    family: Family = "mmn"
    layout: str
    stream: str = ""
    labels: tuple[Label, ...]
    background: int | None
    window_s: float
    name: str
    training_data: str
    accuracy: dict[str, float]
    licence: str
    activation: Literal["softmax", "sigmoid"] = "softmax"
    rates: tuple[float, ...] = ()
    movements: tuple[Movement, ...] = ()
    thresholds: tuple[float, ...] = ()
    views_s: tuple[float, ...] = ()
    trained_on: tuple[str, ...] = ()


N = TypeVar("N", MMN, MANet)


@dataclass(frozen=True)
class Checkpoint(Generic[N]):
    """A network in eval mode, the SHA-256 of its file, and the description of one of our own.

    read_as: one line on what was unwrapped or left out; empty for a flat state_dict or one of our own.
    """

    network: N
    sha256: str
    info: CheckpointInfo | None
    read_as: str = ""


AnyCheckpoint: TypeAlias = Checkpoint[MMN] | Checkpoint[MANet]


def load_checkpoint(path: Path) -> AnyCheckpoint:
    """Read a checkpoint of any family. The network's family and shape follow from its weights.

    Raises:
        MarEdgeError: the file is missing, is no checkpoint, or holds something other than tensors. Or a key, which
            the message names, is missing, unexpected or of another shape.
    """
    content = _read(path)
    return _mmn(content) if content.family == "mmn" else _manet(content)


def load_mmn(path: Path) -> Checkpoint[MMN]:
    """Read a checkpoint of an MMN.

    Raises:
        MarEdgeError: see ``load_checkpoint``; or it is of another family.
    """
    return _mmn(_of_family(_read(path), "mmn"))


def load_manet(path: Path) -> Checkpoint[MANet]:
    """Read a checkpoint of a MANet.

    Raises:
        MarEdgeError: see ``load_checkpoint``; or it is of another family.
    """
    return _manet(_of_family(_read(path), "manet"))


def read_state_dict(path: Path) -> tuple[dict[str, Tensor], str]:
    """Return the flat state_dict of any network, which may be wrapped, and the SHA-256 of its file.

    Raises:
        MarEdgeError: the file is missing, is no checkpoint, or holds something other than tensors.
    """
    content, sha256 = _saved(path)
    if isinstance(content, dict) and content.get("format") == _FORMAT:
        content = content.get("state_dict")
    return _flat_state(_unwrapped(content, []), path), sha256


def save_checkpoint(path: Path, network: MMN | MANet, info: CheckpointInfo) -> None:
    """Write one of our own: weights and description, whole or not at all.

    Raises:
        MarEdgeError: it cannot be written. A file that was there stays.
    """
    state = {name: tensor.detach().cpu() for name, tensor in network.state_dict().items()}
    content = io.BytesIO()  # if torch wrote the file, a full disk would be a RuntimeError
    torch.save({"format": _FORMAT, "info": msgspec.json.encode(info).decode(), "state_dict": state}, content)
    write_whole(path, content.getvalue())


@dataclass(frozen=True)
class _Content:
    """What a file holds: the tensors of one network, without prefix, and what ``Checkpoint`` says of it."""

    source: str
    family: Family
    state: dict[str, Tensor]
    sha256: str
    info: CheckpointInfo | None
    notes: list[str]

    def checkpoint(self, network: N) -> Checkpoint[N]:
        read_as = f"read {'; '.join(self.notes)}" if self.notes else ""
        return Checkpoint(network, self.sha256, self.info, read_as)


def _mmn(content: _Content) -> Checkpoint[MMN]:
    config = mmn_weights.mmn_config(content.state, content.source)
    return content.checkpoint(with_weights(lambda: MMN(config), content.state, content.source))


def _manet(content: _Content) -> Checkpoint[MANet]:
    state = manet_weights.without_unused(content.state, content.notes)
    config = manet_weights.manet_config(state, content.source)
    return content.checkpoint(with_weights(lambda: MANet(config), state, content.source))


def _of_family(content: _Content, family: Family) -> _Content:
    if content.family != family:
        raise MarEdgeError(
            f"{content.source} is a checkpoint of {_NAMES[content.family]}; expected one of {_NAMES[family]}"
        )
    return content


def _read(path: Path) -> _Content:
    content, sha256 = _saved(path)
    info: CheckpointInfo | None = None
    if isinstance(content, dict) and content.get("format") == _FORMAT:
        info = _read_info(content, path)
        content = content.get("state_dict")
    notes: list[str] = []
    state = _flat_state(content if info else _unwrapped(content, notes), path)
    family, prefix = _recognized(state, path)
    if info is not None and info.family != family:
        raise MarEdgeError(f"{path} says that it is of the family {info.family}; its keys are those of {family}")
    return _Content(str(path), family, _network_alone(state, prefix, notes), sha256, info, notes)


def _saved(path: Path) -> tuple[object, str]:
    """Return what torch saved in a file, and its SHA-256."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # torch warns about how the file was pickled
            return torch.load(path, map_location="cpu", weights_only=True), sha256_of(path)
    except OSError as error:
        raise MarEdgeError(f"cannot read checkpoint {path}: {error.strerror}") from None
    except NOT_READABLE as error:
        raise MarEdgeError(f"{path} is not a checkpoint of tensors saved by torch: {_why_not(error)}") from None


def _read_info(content: dict[str, Any], path: Path) -> CheckpointInfo:
    try:
        return msgspec.json.decode(content.get("info", ""), type=CheckpointInfo)
    except (msgspec.DecodeError, TypeError, RecursionError) as error:
        raise MarEdgeError(f"{path}: the checkpoint's description is not readable: {error}") from None


def _flat_state(content: object, path: Path) -> dict[str, Tensor]:
    if not isinstance(content, dict) or not content:
        raise MarEdgeError(f"{path} holds a {type(content).__name__}; expected a flat state_dict (name -> tensor)")
    for name, value in content.items():
        if not isinstance(name, str) or not isinstance(value, Tensor):
            raise MarEdgeError(
                f"{path}: entry '{name}' is a {type(value).__name__}; expected a flat state_dict (name -> tensor)"
            )
        if not _is_whole(value):
            raise MarEdgeError(f"{path}: key '{name}' is not a plain tensor with a number for each place of its shape")
    return dict(content)


def _is_whole(tensor: Tensor) -> bool:
    """Return False where few bytes in the file claim a large tensor, or the tensor is of another kind."""
    if tensor.layout is not torch.strided or tensor.is_quantized or tensor.device.type != "cpu":
        return False
    return tensor.untyped_storage().nbytes() >= tensor.numel() * tensor.element_size()


def _why_not(error: BaseException) -> str:
    """Describe an error of torch's unpickler, without torch's advice."""
    named = _UNPICKLES.search(str(error))
    if named:
        return (
            f"it holds {named[1]}, and reading that would run code. If you trust the file, save its tensors alone: "
            "torch.save(torch.load(FILE, weights_only=False)['state_dict'], NEW)"
        )
    if "TorchScript" in str(error):
        return "it is a TorchScript program; save the network's state_dict() instead"
    return "it is damaged or another kind of file; expected a state_dict"


def _unwrapped(content: object, notes: list[str]) -> object:
    """Return the state_dict inside a training program's file, and add to ``notes`` where it was."""
    if not isinstance(content, dict):
        return content
    for key in _WRAPPERS:
        inner = content.get(key)
        if isinstance(inner, dict) and inner:
            notes.append(f"from its '{key}'")
            return inner
    return content


def _recognized(state: dict[str, Tensor], path: Path) -> tuple[Family, str]:
    """Return the family of the one network in ``state``, and the prefix of its keys."""
    found: dict[tuple[Family, str], str] = {}
    for family, anchors in _ANCHORS.items():
        for anchor in anchors:
            for name in state:
                if f".{name}".endswith(f".{anchor}"):
                    found.setdefault((family, name.removesuffix(anchor)), name)
    if len(found) > 1:
        raise MarEdgeError(
            f"{path} holds {len(found)} networks ({', '.join(found.values())}); save the state_dict of one of them"
        )
    if not found:
        missing = " and of ".join(f"{_NAMES[family]}, '{anchors[0]}'," for family, anchors in _ANCHORS.items())
        raise MarEdgeError(f"{path}: the keys of {missing} are missing; is this a checkpoint of either?")
    return next(iter(found))


def _network_alone(state: dict[str, Tensor], prefix: str, notes: list[str]) -> dict[str, Tensor]:
    """Return the network's entries without prefix, and add to ``notes`` what was left out."""
    counted = {name for name in state if name.rpartition(".")[2] in _COUNTERS}
    own = {name.removeprefix(prefix): state[name] for name in state if name.startswith(prefix) and name not in counted}
    others = [name for name in state if not name.startswith(prefix) and name not in counted]
    if prefix:
        notes.append(f"without '{prefix}' before its keys")
    if counted:
        notes.append(f"{len(counted)} counters of operations left out")
    if others:
        more = f" and {len(others) - 1} more" if len(others) > 1 else ""
        notes.append(f"'{others[0]}'{more} left out, not under '{prefix}'")
    return own
