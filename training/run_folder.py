"""A run on disk, and how it goes on after it was killed at any moment.

``config.json`` (what is being trained, on what), ``labels.json``, ``metrics.jsonl`` (a line a validation), ``state.pt``
(all that a resume needs), ``best.pt`` and ``last.pt`` (checkpoints), ``tensorboard`` and ``lock`` (one process at a
time). Whatever is replaced is replaced whole. ``state.pt`` is the truth: what was written after it is undone on
resuming, and happens again.
"""

from __future__ import annotations

import hashlib
import io
import os
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Protocol

import msgspec
import torch

import mar_edge
from mar_edge.edge.errors import MarEdgeError
from mar_edge.edge.files.outputs import remove_drafts, write_whole
from mar_edge.edge.labels import Label
from mar_edge.edge.network.checkpoint import NOT_READABLE
from mar_edge.training.datasets.opening import parse_spec
from mar_edge.training.recipe import Recipe

_CONTENT = {
    "data_digest": "the data has changed since",
    "start_sha256": "the checkpoint it began from has changed since",
}
_STATE_FORMAT = "mar-edge training state 1"


class RunConfig(msgspec.Struct, frozen=True, kw_only=True):
    """A run, whole: the same config gives the same checkpoint on the same machine with the same number of threads.

    data, validation: specs of data sets (``training.datasets.opening``); without the latter, what ``data`` implies.
    labels_file: names of the classes. start: the checkpoint it begins from.
    data_digest, start_sha256: of what these held when the run began, wherever they lie now.
    """

    recipe: Recipe
    seed: int = 1
    data: str = "synth"
    validation: str | None = None
    labels_file: str | None = None
    start: str | None = None
    data_digest: str = ""
    start_sha256: str = ""
    mar_edge_version: str = mar_edge.__version__


class Progress(msgspec.Struct, frozen=True, kw_only=True):
    """What a validation found; a line of ``metrics.jsonl``.

    loss: mean since the validation before. mean_ap: of a network that says several labels at once.
    """

    step: int
    epoch: float
    loss: float
    lr: float
    top1: float
    f1_macro: float
    elapsed_s: float
    mean_ap: float | None = None


@dataclass
class Standing:
    """How far a run is.

    step: optimiser steps done. validated: how many there were at the last validation. best: its highest score so far.
    loss_sum, loss_steps: of the steps since then. elapsed_s: training time, of all processes that worked on it.
    """

    step: int = 0
    validated: int = 0
    best: float = -1.0
    loss_sum: float = 0.0
    loss_steps: int = 0
    elapsed_s: float = 0.0


class Stateful(Protocol):
    """A network or an optimiser."""

    def state_dict(self) -> dict[str, Any]:
        """All that it is."""

    def load_state_dict(self, state_dict: dict[str, Any], /) -> object:
        """Become what another one was."""


class RunFolder:
    """The files of one run."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.best = path / "best.pt"
        self.last = path / "last.pt"
        self.tensorboard = path / "tensorboard"
        self._config = path / "config.json"
        self._labels = path / "labels.json"
        self._metrics = path / "metrics.jsonl"
        self._state = path / "state.pt"
        self._lock = path / "lock"

    @property
    def files(self) -> list[Path]:
        """What a run writes, TensorBoard's curves left out."""
        return [self.best, self.last, self._config, self._labels, self._metrics, self._state, self._lock]

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Make the folder, and keep other processes out of it; the lock ends with the process, however that ends.

        A new folder in which no run began is removed again. Systems without ``fcntl`` do without the lock.

        Raises:
            MarEdgeError: another process trains there, or the folder cannot be written.
        """
        is_new = not self.path.exists()
        try:
            self.path.mkdir(parents=True, exist_ok=True)
            lock = os.open(self._lock, os.O_RDWR | os.O_CREAT, 0o644)
        except OSError as error:
            raise MarEdgeError(f"cannot write to the run folder {self.path}: {error.strerror}") from None
        try:
            _lock_or_raise(lock, self.path)
            remove_drafts(self.path)
            yield
        finally:
            os.close(lock)
            if is_new and {path.name for path in self.path.iterdir()} == {self._lock.name}:
                self._lock.unlink()
                self.path.rmdir()

    def read_config(self) -> RunConfig | None:
        """What is being trained here; None in a new folder.

        Raises:
            MarEdgeError: the file is not one of this version.
        """
        try:
            return msgspec.json.decode(self._config.read_bytes(), type=RunConfig)
        except (FileNotFoundError, NotADirectoryError):
            return None  # what stands in the way of a folder is said where it is made
        except (OSError, msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            raise MarEdgeError(f"{self._config} is not the configuration of a run: {error}") from None

    def claim(self, config: RunConfig, labels: tuple[Label, ...]) -> None:
        """Make the folder, or see that the run in it is this one.

        Raises:
            MarEdgeError: it is another one (the message says in what), or the folder cannot be written.
        """
        there = self.read_config()
        if there is None:
            write_whole(self._labels, msgspec.json.format(msgspec.json.encode(labels)))
            self._write_config(config)
        elif _identity(there) != _identity(config):
            raise MarEdgeError(
                f"{self.path} holds a run with another configuration ({_differences(there, config)}); name another "
                "folder, or remove this one"
            )

    def save(self, config: RunConfig, standing: Standing, parts: Mapping[str, Stateful], device: torch.device) -> None:
        """Put down all that going on needs.

        Raises:
            MarEdgeError: it cannot be written; what was saved before stays.
        """
        content: dict[str, Any] = {
            "format": _STATE_FORMAT,
            "config": msgspec.json.encode(config).decode(),
            "standing": asdict(standing),
            "parts": {name: part.state_dict() for name, part in parts.items()},
            "torch_rng": torch.get_rng_state(),
            "cuda_rng": torch.cuda.get_rng_state(device) if device.type == "cuda" else None,
        }
        written = io.BytesIO()  # written by torch itself, a full disk would be a RuntimeError
        torch.save(content, written)
        write_whole(self._state, written.getvalue())
        # Only now: with the config that an older state was begun with, its fingerprint would be lost.
        there = self.read_config()
        if there is not None and there != config:
            self._write_config(msgspec.structs.replace(config, mar_edge_version=there.mar_edge_version))

    def resume(self, config: RunConfig, parts: Mapping[str, Stateful], device: torch.device) -> Standing:
        """Where the run is, with ``parts`` and the random states as they were then; a new one is at its beginning.

        Raises:
            MarEdgeError: ``state.pt`` is damaged, or that of another run.
        """
        standing = Standing()
        if self._state.exists():
            content = self._load_state()
            if not self._is_of(content, config):
                raise MarEdgeError(f"{self._state} belongs to another run; remove it to begin this one again")
            for name, part in parts.items():
                part.load_state_dict(content["parts"][name])
            standing = Standing(**content["standing"])
            torch.set_rng_state(content["torch_rng"])
            if device.type == "cuda" and content["cuda_rng"] is not None:
                torch.cuda.set_rng_state(content["cuda_rng"], device)
        self._cut_metrics(standing.validated)
        return standing

    def append(self, progress: Progress) -> None:
        """One line more of metrics.

        Raises:
            MarEdgeError: it cannot be written; what there is of it is taken out on resuming.
        """
        try:
            with self._metrics.open("ab") as file:
                file.write(msgspec.json.encode(progress) + b"\n")
                file.flush()
                os.fsync(file.fileno())
        except OSError as error:
            raise MarEdgeError(f"cannot write {self._metrics}: {error.strerror}") from None

    def _write_config(self, config: RunConfig) -> None:
        write_whole(self._config, msgspec.json.format(msgspec.json.encode(config)))

    def _is_of(self, state: Mapping[str, Any], config: RunConfig) -> bool:
        """Whether it is the state of this run."""
        if "config" in state:
            try:
                begun = msgspec.json.decode(state["config"], type=RunConfig)
            except (msgspec.DecodeError, TypeError, RecursionError):
                return False
            return _identity(begun) == _identity(config)
        return state.get("run") in self._older_fingerprints()

    def _load_state(self) -> dict[str, Any]:
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # torch's, about how the file was pickled
                content = torch.load(self._state, map_location="cpu", weights_only=True)
        except OSError as error:
            raise MarEdgeError(f"cannot read {self._state}: {error.strerror}") from None
        except NOT_READABLE:
            content = None
        if not isinstance(content, dict) or content.get("format") != _STATE_FORMAT:
            raise MarEdgeError(
                f"{self._state} is damaged or no training state of this version; remove it to begin the run again"
            )
        return content

    def _cut_metrics(self, validated: int) -> None:
        """Take out lines of later validations, and one that broke off."""
        if not self._metrics.exists():
            return
        content = self._metrics.read_bytes()
        kept = b""
        for line in content.splitlines(keepends=True):
            try:
                if not line.endswith(b"\n") or msgspec.json.decode(line, type=Progress).step > validated:
                    break
            except msgspec.DecodeError:
                break
            kept += line
        if kept != content:
            write_whole(self._metrics, kept)

    def _older_fingerprints(self) -> set[str]:
        """What states were known by before they held their config: the hash of its JSON, paths and all.

        As it stands in the file and as it was read: a number that is configured as 10 is read as 10.0.
        """
        text = self._config.read_bytes()
        forms = (msgspec.json.decode(text), msgspec.to_builtins(msgspec.json.decode(text, type=RunConfig)))
        return {hashlib.sha256(msgspec.json.encode(form | {"mar_edge_version": ""})).hexdigest() for form in forms}


def _identity(config: RunConfig) -> RunConfig:
    """What makes two runs the same: not where their files lie, how long they are to go on, and under which version."""
    return msgspec.structs.replace(
        config,
        recipe=msgspec.structs.replace(config.recipe, epochs=None, steps=1, least_steps=0),
        data=_kind(config.data),
        validation=None if config.validation is None else _kind(config.validation),
        labels_file=None,
        start=None,
        mar_edge_version="",
    )


def _kind(spec: str) -> str:
    """Synthetic motion is what its spec says; what lies in files is what its digest says."""
    return spec if parse_spec(spec).kind == "synth" else "files"


def _differences(there: RunConfig, here: RunConfig) -> str:
    before, now = (_flat(msgspec.to_builtins(_identity(config))) for config in (there, here))
    changed = [name for name in now if before[name] != now[name]]
    return ", ".join(_CONTENT.get(name) or f"{name} {before[name]} there, {now[name]} here" for name in changed)


def _flat(tree: Mapping[str, Any]) -> dict[str, Any]:
    flat: dict[str, Any] = {}
    for name, value in tree.items():
        flat |= _flat(value) if isinstance(value, dict) else {name: value}
    return flat


def _lock_or_raise(lock: int, folder: Path) -> None:
    try:
        import fcntl
    except ImportError:  # Windows
        return
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise MarEdgeError(
            f"another process trains in {folder} now; wait until it has ended, or name another folder"
        ) from None
    except OSError as error:
        raise MarEdgeError(f"cannot lock the run folder {folder}: {error.strerror}") from None
