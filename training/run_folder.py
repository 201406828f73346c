"""A run on disk, which resumes after a process was killed at any moment.

The folder holds:

- ``config.json``: the configuration, and ``labels.json``
- ``metrics.jsonl``: a line for each validation
- ``state.pt``: all that a resume needs
- ``best.pt`` and ``last.pt``: checkpoints
- ``tensorboard``: curves, and ``lock``: one process at a time

Files are replaced atomically. ``state.pt`` decides: what was written after it is discarded on resuming and made again.
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
from mar_edge.edge.files.lock import locked
from mar_edge.edge.files.outputs import remove_drafts, write_whole
from mar_edge.edge.labels import Label
from mar_edge.edge.network.checkpoint import NOT_READABLE
from mar_edge.training.datasets.opening import parse_spec
from mar_edge.training.pictures.recipe import ManetRecipe
from mar_edge.training.recipe import Recipe

_CONTENT = {
    "data_digest": "the data has changed",
    "start_sha256": "the checkpoint it started from has changed",
    "words_digest": "the word vectors have changed",
}
_STATE_FORMAT = "mar-edge training state 1"


class RunConfig(msgspec.Struct, frozen=True, kw_only=True):
    """Configuration of a run. It determines the checkpoint, on the same machine with the same number of threads.

    data, validation: specs of data sets (``training.datasets.opening``). Without ``validation``, ``data`` implies it.

    participants: whose corrections to train on; empty for everybody's.

    labels_file: names of the classes. start: the checkpoint to start from. words: file of the labels' word vectors.

    data_digest, start_sha256, words_digest: digests of what was read when the run started, wherever the files are now.
    """

    recipe: Recipe | ManetRecipe
    seed: int = 1
    data: str = "synth"
    validation: str | None = None
    participants: tuple[str, ...] = ()
    labels_file: str | None = None
    start: str | None = None
    words: str | None = None
    data_digest: str = ""
    start_sha256: str = ""
    words_digest: str = ""
    mar_edge_version: str = mar_edge.__version__


class ValidationRecord(msgspec.Struct, frozen=True, kw_only=True):
    """Result of a validation; a line of ``metrics.jsonl``.

    loss: mean since the previous validation. mean_ap: of a network that predicts several labels at once.
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
class RunState:
    """State of a run.

    step: optimizer steps done. validated: step of the last validation. best: highest score so far.

    loss_sum, loss_steps: of the steps since the last validation. elapsed_s: training time, over all processes.
    """

    step: int = 0
    validated: int = 0
    best: float = -1.0
    loss_sum: float = 0.0
    loss_steps: int = 0
    elapsed_s: float = 0.0


class Stateful(Protocol):
    """A network or an optimizer."""

    def state_dict(self) -> dict[str, Any]:
        """Return the complete state."""

    def load_state_dict(self, state_dict: dict[str, Any], /) -> object:
        """Take over a state."""


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
        """The files that a run writes, without TensorBoard's curves."""
        return [self.best, self.last, self._config, self._labels, self._metrics, self._state, self._lock]

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Create the folder, and lock it against other processes. The lock ends with the process, however it ends.

        A new folder in which no run started is removed again. Systems without ``fcntl`` have no lock.

        Raises:
            MarEdgeError: another process trains there, or the folder cannot be written.
        """
        is_new = not self.path.exists()
        try:
            self.path.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise MarEdgeError(f"cannot write to the run folder {self.path}: {error.strerror}") from None
        busy = f"another process is training in {self.path}; wait until it ends, or name another folder"
        try:
            with locked(self._lock, busy):
                remove_drafts(self.path)
                yield
        finally:
            if is_new and {path.name for path in self.path.iterdir()} == {self._lock.name}:
                self._lock.unlink()
                self.path.rmdir()

    def read_config(self) -> RunConfig | None:
        """Return the configuration of the run in this folder; None in a new folder.

        Raises:
            MarEdgeError: the file is not a configuration of this version.
        """
        try:
            return _read_config(self._config.read_bytes())
        except (FileNotFoundError, NotADirectoryError):
            return None  # a file in place of the folder is reported when the folder is created
        except (OSError, msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            raise MarEdgeError(f"{self._config} is not the configuration of a run: {error}") from None

    def claim(self, config: RunConfig, labels: tuple[Label, ...]) -> None:
        """Start the run in a new folder, or check that the run in the folder is this one.

        Raises:
            MarEdgeError: it is another run (the message lists the differences), or the folder cannot be written.
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

    def save(self, config: RunConfig, state: RunState, parts: Mapping[str, Stateful], device: torch.device) -> None:
        """Save all that a resume needs.

        Raises:
            MarEdgeError: it cannot be written; the previous state stays.
        """
        content: dict[str, Any] = {
            "format": _STATE_FORMAT,
            "config": msgspec.json.encode(config).decode(),
            "standing": asdict(state),
            "parts": {name: part.state_dict() for name, part in parts.items()},
            "torch_rng": torch.get_rng_state(),
            "cuda_rng": torch.cuda.get_rng_state(device) if device.type == "cuda" else None,
        }
        written = io.BytesIO()  # torch would raise a RuntimeError on a full disk
        torch.save(content, written)
        write_whole(self._state, written.getvalue())
        # After the state: its predecessor may be identified by the hash of the old config.
        there = self.read_config()
        if there is not None and there != config:
            self._write_config(msgspec.structs.replace(config, mar_edge_version=there.mar_edge_version))

    def resume(self, config: RunConfig, parts: Mapping[str, Stateful], device: torch.device) -> RunState:
        """Restore ``parts`` and the random states, and return the state of the run; a new run keeps its own.

        Raises:
            MarEdgeError: ``state.pt`` is damaged, or belongs to another run.
        """
        state = RunState()
        if self._state.exists():
            content = self._load_state()
            if not self._is_of(content, config):
                raise MarEdgeError(f"{self._state} belongs to another run; remove it to restart this run")
            for name, part in parts.items():
                part.load_state_dict(content["parts"][name])
            state = RunState(**content["standing"])
            torch.set_rng_state(content["torch_rng"])
            if device.type == "cuda" and content["cuda_rng"] is not None:
                torch.cuda.set_rng_state(content["cuda_rng"], device)
        self._cut_metrics(state.validated)
        return state

    def append(self, record: ValidationRecord) -> None:
        """Append a line of metrics.

        Raises:
            MarEdgeError: it cannot be written; a partial line is removed on resuming.
        """
        try:
            with self._metrics.open("ab") as file:
                file.write(msgspec.json.encode(record) + b"\n")
                file.flush()
                os.fsync(file.fileno())
        except OSError as error:
            raise MarEdgeError(f"cannot write {self._metrics}: {error.strerror}") from None

    def _write_config(self, config: RunConfig) -> None:
        write_whole(self._config, msgspec.json.format(msgspec.json.encode(config)))

    def _is_of(self, state: Mapping[str, Any], config: RunConfig) -> bool:
        """Return True if it is the state of this run."""
        if "config" in state:
            try:
                saved = _read_config(state["config"])
            except (msgspec.DecodeError, TypeError, RecursionError):
                return False
            return _identity(saved) == _identity(config)
        return state.get("run") in self._older_fingerprints()

    def _load_state(self) -> dict[str, Any]:
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # torch warns about the file's pickle format
                content = torch.load(self._state, map_location="cpu", weights_only=True)
        except OSError as error:
            raise MarEdgeError(f"cannot read {self._state}: {error.strerror}") from None
        except NOT_READABLE:
            content = None
        if not isinstance(content, dict) or content.get("format") != _STATE_FORMAT:
            raise MarEdgeError(
                f"{self._state} is damaged or not a training state of this version; remove it to restart the run"
            )
        return content

    def _cut_metrics(self, validated: int) -> None:
        """Remove lines of later validations, and an incomplete line."""
        if not self._metrics.exists():
            return
        content = self._metrics.read_bytes()
        kept = b""
        for line in content.splitlines(keepends=True):
            try:
                if not line.endswith(b"\n") or msgspec.json.decode(line, type=ValidationRecord).step > validated:
                    break
            except msgspec.DecodeError:
                break
            kept += line
        if kept != content:
            write_whole(self._metrics, kept)

    def _older_fingerprints(self) -> set[str]:
        """Return the hashes of the config's JSON, paths included. States without a config are identified by them.

        There is one for the file's text and one for the decoded config: 10 in the text is decoded as 10.0.
        """
        text = self._config.read_bytes()
        written: dict[str, Any] = msgspec.json.decode(text)
        forms = (written, _in_form_of(written, msgspec.to_builtins(_read_config(text))))
        return {hashlib.sha256(msgspec.json.encode(form | {"mar_edge_version": ""})).hexdigest() for form in forms}


def _read_config(text: bytes | str) -> RunConfig:
    """Read a configuration; those of old versions name no family, and are of MMN.

    Raises:
        msgspec.DecodeError: it is not one.
    """
    content = msgspec.json.decode(text)
    if isinstance(content, dict) and isinstance(content.get("recipe"), dict):
        content["recipe"].setdefault("family", "mmn")
    return msgspec.convert(content, RunConfig)


def _in_form_of(form: Mapping[str, Any], values: Mapping[str, Any]) -> dict[str, Any]:
    """Return the values of the fields that ``form`` has, in its order."""
    return {
        name: _in_form_of(inner, values[name]) if isinstance(inner, dict) else values[name]
        for name, inner in form.items()
        if name in values
    }


def _identity(config: RunConfig) -> RunConfig:
    """Return what identifies a run: its config without paths, length and version."""
    return msgspec.structs.replace(
        config,
        recipe=msgspec.structs.replace(config.recipe, epochs=None, steps=1, least_steps=0),
        data=_kind(config.data),
        validation=None if config.validation is None else _kind(config.validation),
        labels_file=None,
        start=None,
        words=None,
        mar_edge_version="",
    )


def _kind(spec: str) -> str:
    """Return the spec of synthetic motion, which identifies it; data in files is identified by its digest."""
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
