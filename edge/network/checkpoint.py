"""Checkpoints: the authors' flat state_dicts, those of training programs, and our own, which describe themselves.

Unpickles tensors only.
"""

from __future__ import annotations

import hashlib
import io
import pickle
import re
import struct
import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import msgspec
import torch
from torch import Tensor

from mar_edge.edge.choices import Encoding
from mar_edge.edge.errors import MarEdgeError
from mar_edge.edge.files.outputs import write_whole
from mar_edge.edge.labels import Label
from mar_edge.edge.movements import Movement
from mar_edge.edge.network.mmn import MMN, SCALES, MMNConfig

_FORMAT = "mar-edge checkpoint"
# Keys under which training programs keep the state_dict; the first one present holds the network.
_WRAPPERS = ("state_dict", "model_state_dict", "model", "network", "net")
# A parameter of every MMN: its prefix ("module.", "_orig_mod.", Lightning's own) is the prefix of all of them.
_ANCHOR = "STPE"
# Entries that profilers of operations leave in a network.
_COUNTERS = ("total_ops", "total_params")
_BATCHES = "num_batches_tracked"
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

    activation: turns the outputs into probabilities: one ``softmax``, or a ``sigmoid`` for each label.
    movements, thresholds, trained_on: as in a model file (``edge.model_file``).
    rates: how often each label occurred in training, relative to the others (mean 1); empty where it is not known.
    """

    layout: str
    stream: str
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
    trained_on: tuple[str, ...] = ()


@dataclass(frozen=True)
class Checkpoint:
    """A network in eval mode, the SHA-256 of its file, and the description of one of our own.

    read_as: one line on what was unwrapped or left out; empty for a flat state_dict or one of our own.
    """

    network: MMN
    sha256: str
    info: CheckpointInfo | None
    read_as: str = ""


def load_checkpoint(path: Path, num_joints: int | None = None) -> Checkpoint:
    """Read a checkpoint. The network's shape follows from its weights.

    Args:
        num_joints: V that the network must have; None accepts any.

    Raises:
        MarEdgeError: the file is missing, is no checkpoint, or holds something other than tensors. Or a key, which
            the message names, is missing, unexpected or of another shape.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # torch warns about how the file was pickled
            content = torch.load(path, map_location="cpu", weights_only=True)
        sha256 = hashlib.sha256(path.read_bytes()).hexdigest()
    except OSError as error:
        raise MarEdgeError(f"cannot read checkpoint {path}: {error.strerror}") from None
    except NOT_READABLE as error:
        raise MarEdgeError(f"{path} is not a checkpoint of tensors saved by torch: {_why_not(error)}") from None
    info: CheckpointInfo | None = None
    if isinstance(content, dict) and content.get("format") == _FORMAT:
        info = _read_info(content, path)
        content = content.get("state_dict")
    notes: list[str] = []
    state = _flat_state(content if info else _unwrapped(content, notes), path)
    state = _network_alone(state, path, notes)
    config = _infer_config(state, num_joints, path)
    network = MMN(config)
    expected = network.state_dict()
    for name, tensor in expected.items():
        if name.endswith(_BATCHES):  # missing in files of old versions of torch, and not used here
            state.setdefault(name, tensor)
    _check_keys(state, expected, path)
    network.load_state_dict(state)
    return Checkpoint(network.eval(), sha256, info, f"read {'; '.join(notes)}" if notes else "")


def save_checkpoint(path: Path, network: MMN, info: CheckpointInfo) -> None:
    """Write one of our own: weights and description, whole or not at all.

    Raises:
        MarEdgeError: it cannot be written. A file that was there stays.
    """
    state = {name: tensor.detach().cpu() for name, tensor in network.state_dict().items()}
    content = io.BytesIO()  # if torch wrote the file, a full disk would be a RuntimeError
    torch.save({"format": _FORMAT, "info": msgspec.json.encode(info).decode(), "state_dict": state}, content)
    write_whole(path, content.getvalue())


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
    return dict(content)


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


def _network_alone(state: dict[str, Tensor], path: Path, notes: list[str]) -> dict[str, Tensor]:
    """Return the network's entries without prefix, and add to ``notes`` what was left out."""
    counted = {name for name in state if name.rpartition(".")[2] in _COUNTERS}
    anchors = [name for name in state if name == _ANCHOR or name.endswith(f".{_ANCHOR}")]
    if len(anchors) > 1:
        raise MarEdgeError(
            f"{path} holds {len(anchors)} networks ({', '.join(anchors)}); save the state_dict of one of them"
        )
    prefix = anchors[0].removesuffix(_ANCHOR) if anchors else ""
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


def _infer_config(state: dict[str, Tensor], num_joints: int | None, path: Path) -> MMNConfig:
    """Return the shape of the network, from the tensors that determine it."""

    def shape(name: str, dims: int) -> tuple[int, ...]:
        if name not in state:
            raise MarEdgeError(f"{path}: key '{name}' is missing; is this an MMN checkpoint?")
        if state[name].ndim != dims:
            raise MarEdgeError(f"{path}: key '{name}' has the shape {tuple(state[name].shape)}, expected {dims} axes")
        return tuple(state[name].shape)

    C, V = shape("STPE", 2)
    if num_joints not in {None, V}:
        raise MarEdgeError(
            f"{path}: key 'STPE' has the shape {(C, V)}: a network of {V} joints, the layout has {num_joints}; "
            "another --layout?"
        )
    channels = shape("projection.0.weight", 4)[1]
    landmarks: tuple[int, ...] = ()
    if "landmarks" in state and shape("landmarks", 1):
        landmarks = tuple(state["landmarks"].tolist())
        if state["landmarks"].dtype != torch.int64:
            raise MarEdgeError(f"{path}: key 'landmarks' is {state['landmarks'].dtype}, expected indices of joints")
    encoding: Encoding = "contact" if landmarks else "raw" if channels == 2 else "motion"
    blocks = [re.match(r"MFM\.(\d+)\.blocks\.(\d+)\.", name) for name in state]
    depths = [0] * SCALES
    for match in filter(None, blocks):
        scale, block = int(match[1]), int(match[2])
        if scale >= SCALES:
            raise MarEdgeError(f"{path}: unexpected key '{match[0]}...': MMN has {SCALES} temporal scales")
        depths[scale] = max(depths[scale], block + 1)
    if min(depths) == 0:
        raise MarEdgeError(f"{path}: key 'MFM.{depths.index(0)}.blocks.0.gconv' is missing; is this an MMN checkpoint?")
    try:
        config = MMNConfig(
            num_joints=V,
            num_classes=shape("head.weight", 2)[0],
            encoding=encoding,
            width=C,
            depths=(depths[0], depths[1], depths[2], depths[3]),
            landmarks=landmarks,
        )
    except ValueError as error:
        raise MarEdgeError(f"{path}: not an MMN checkpoint: {error}") from None
    if channels != config.channels:
        raise MarEdgeError(
            f"{path}: key 'projection.0.weight' takes {channels} channels; expected 2 (raw), 6 (motion) or, with "
            "'landmarks', 6 and two for each landmark (contact)"
        )
    return config


def _check_keys(state: dict[str, Tensor], expected: dict[str, Tensor], path: Path) -> None:
    problems = [f"key '{name}' is missing" for name in expected if name not in state]
    problems += [f"key '{name}' is unexpected" for name in state if name not in expected]
    problems += [
        f"key '{name}' has the shape {tuple(state[name].shape)}, expected {tuple(tensor.shape)}"
        for name, tensor in expected.items()
        if name in state and state[name].shape != tensor.shape
    ]
    if problems:
        more = f" (and {len(problems) - 1} more)" if len(problems) > 1 else ""
        raise MarEdgeError(f"{path}: {problems[0]}{more}")
    for name, tensor in state.items():
        if tensor.is_floating_point() and not torch.isfinite(tensor).all():
            raise MarEdgeError(f"{path}: key '{name}' holds NaN or infinite weights")
