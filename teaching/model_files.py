"""Model files with taught labels: added, replaced and removed. One ONNX file stays one ONNX file; without ``onnx``."""

from __future__ import annotations

import hashlib
from pathlib import Path

import msgspec
import numpy as np

from mar_edge.edge.body_groups import body_groups
from mar_edge.edge.errors import MarEdgeError, about, did_you_mean
from mar_edge.edge.files.onnx_parts import check_whole, with_metadata
from mar_edge.edge.files.outputs import write_whole
from mar_edge.edge.labels import Label
from mar_edge.edge.model_file import METADATA_KEY, ModelMetadata, parse_metadata
from mar_edge.edge.movements import Movement
from mar_edge.edge.runtime.onnxruntime import read_metadata
from mar_edge.edge.taught import MOST_HEADS, Head, Taught
from mar_edge.teaching.lesson import NEW_THRESHOLD, Lesson

_LONGEST_NAME = 100
_FIRST_ID = 1000
"""Ids of new labels count from here, away from those of data sets."""


def check_teachable(metadata: ModelMetadata) -> None:
    """Raise MarEdgeError if the model looks at pictures."""
    if metadata.family != "mmn":
        raise MarEdgeError(
            f"'{metadata.name}' looks at pictures, and labels are taught from skeletons; teach a model of family mmn"
        )


def label_to_teach(metadata: ModelMetadata, name: str, body: str | None, *, person: bool) -> Label:
    """Return the label of that name: one of the model's with ``person``, else a new one.

    Raises:
        MarEdgeError: the name is known without ``person`` or unknown with it, or the body group does not exist. Or the
            model looks at pictures.
    """
    check_teachable(metadata)
    known = {label.name: label for k, label in enumerate(metadata.labels) if k != metadata.background}
    if person:
        if name not in known:
            raise MarEdgeError(f"--person adapts a label that the model knows, not '{name}'{did_you_mean(name, known)}")
        return known[name]
    if known.get(name) in _new(metadata):
        return known[name]  # taught again
    if name in known:
        raise MarEdgeError(f"the model knows '{name}' already; --person adapts it to a person")
    groups = [group for group in body_groups() if group != "none"]
    if body not in groups:
        raise MarEdgeError(f"a new label needs --body, one of {', '.join(groups)}{did_you_mean(body or '', groups)}")
    plain = name.strip() == name and name.isprintable() and "," not in name and not name.startswith("-")
    if not (plain and 0 < len(name) <= _LONGEST_NAME and name not in groups and not name.isdecimal()):
        raise MarEdgeError(
            f"a label's name has 1 to {_LONGEST_NAME} characters, no comma, no '-' in front, and is neither a number "
            f"nor a body group; given was {name!r}"
        )
    return Label(max([_FIRST_ID - 1, *(label.id for label in metadata.labels)]) + 1, name, body)


def write_taught(model: Path, out: Path, lesson: Lesson) -> ModelMetadata:
    """Write the model file with one more taught label, or with another head for it. ``out`` may be ``model``.

    Raises:
        MarEdgeError: a file cannot be read or written, or the model cannot have more taught labels.
    """
    content, metadata = _read(model)
    with about(str(model)):
        taught = with_taught(metadata, lesson.label, lesson.head, hashlib.sha256(content).hexdigest())
    return _write(content, out, taught)


def remove_taught(model: Path, out: Path, name: str) -> ModelMetadata:
    """Write the model file without what was taught of a label: a new one is gone, a known one is as it was.

    Raises:
        MarEdgeError: nothing was taught of it, or a file cannot be read or written.
    """
    content, metadata = _read(model)
    with about(str(model)):
        left = without_taught(metadata, name)
    return _write(content, out, left)


def with_taught(metadata: ModelMetadata, label: Label, head: Head, sha256: str) -> ModelMetadata:
    """Return the description with one more taught label, or with another head for it.

    Args:
        sha256: hash of the model file, which is the base of an untaught one.

    Raises:
        MarEdgeError: it cannot have more taught labels.
    """
    before = metadata.taught
    heads = [one for one in (before.heads if before else ()) if one.label != label.name]
    new = before.new if before else 0
    if label not in metadata.labels:
        new += 1
        metadata = _with_label(metadata, label)
    if len(heads) >= MOST_HEADS:
        raise MarEdgeError(f"it has {MOST_HEADS} taught labels, the most that a file can have; remove one")
    taught = Taught(base_sha256=before.base_sha256 if before else sha256, new=new, heads=(*heads, head))
    return msgspec.structs.replace(metadata, taught=taught)


def without_taught(metadata: ModelMetadata, name: str) -> ModelMetadata:
    """Return the description without what was taught of a label.

    Raises:
        MarEdgeError: nothing was taught of it.
    """
    taught = metadata.taught
    names = sorted(taught.names) if taught else []
    if taught is None or name not in names:
        listed = f"; taught labels: {', '.join(names)}" if names else "; it has no taught labels"
        raise MarEdgeError(f"'{name}' was not taught{did_you_mean(name, names)}{listed}")
    is_new = name in {label.name for label in _new(metadata)}
    if is_new:
        metadata = _without_label(metadata, [label.name for label in metadata.labels].index(name))
    heads = tuple(head for head in taught.heads if head.label != name)
    left = msgspec.structs.replace(taught, new=taught.new - is_new, heads=heads) if heads else None
    return msgspec.structs.replace(metadata, taught=left)


def base_of(metadata: ModelMetadata) -> ModelMetadata:
    """Return the description of the model file before anything was taught."""
    for name in metadata.taught.names if metadata.taught else ():
        metadata = without_taught(metadata, name)
    return metadata


def knows(metadata: ModelMetadata, name: str) -> bool:
    """Return whether a label is one of the model's own, which can be adapted to a person."""
    own = metadata.labels[: len(metadata.labels) - len(_new(metadata))]
    return name in {label.name for k, label in enumerate(own) if k != metadata.background}


def _new(metadata: ModelMetadata) -> tuple[Label, ...]:
    new = metadata.taught.new if metadata.taught else 0
    return metadata.labels[len(metadata.labels) - new :]


def _read(model: Path) -> tuple[bytes, ModelMetadata]:
    metadata = parse_metadata(read_metadata(model), str(model))
    check_whole(model)
    return model.read_bytes(), metadata


def _write(content: bytes, out: Path, metadata: ModelMetadata) -> ModelMetadata:
    checked = parse_metadata(metadata.to_json(), str(out))
    write_whole(out, with_metadata(content, METADATA_KEY, checked.to_json()))
    return checked


def _with_label(metadata: ModelMetadata, label: Label) -> ModelMetadata:
    """Return the metadata with a label at the end, in every field that has a value for each label."""
    rates, thresholds, movements = metadata.rates, metadata.thresholds, metadata.movements
    return msgspec.structs.replace(
        metadata,
        labels=(*metadata.labels, label),
        rates=(*rates, float(np.mean(rates))) if rates else (),
        thresholds=(*thresholds, NEW_THRESHOLD) if thresholds else (),
        movements=(*movements, Movement()) if movements else (),
    )


def _without_label(metadata: ModelMetadata, k: int) -> ModelMetadata:
    return msgspec.structs.replace(
        metadata,
        labels=metadata.labels[:k] + metadata.labels[k + 1 :],
        rates=metadata.rates[:k] + metadata.rates[k + 1 :],
        thresholds=metadata.thresholds[:k] + metadata.thresholds[k + 1 :],
        movements=metadata.movements[:k] + metadata.movements[k + 1 :],
    )
