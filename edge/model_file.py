"""The model file describes itself: one JSON document in the ONNX metadata. Schema and checks; runs nothing."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from importlib import resources
from pathlib import Path
from typing import Literal, NamedTuple

import msgspec

from mar_edge.edge.choices import Encoding, Family, Stream
from mar_edge.edge.errors import MarEdgeError, about
from mar_edge.edge.labels import Label
from mar_edge.edge.layout import LAYOUT_NAMES
from mar_edge.edge.movements import Movement
from mar_edge.edge.taught import FEATURES, Taught, check_taught

METADATA_KEY = "mar_edge"
SCHEMA_VERSION = 1
MOST_VIEWS = 4
"""Views of one window: each costs an inference."""

Precision = Literal["fp32", "fp16", "int8"]
Activation = Literal["softmax", "sigmoid"]


class Fidelity(msgspec.Struct, frozen=True, kw_only=True):
    """How a file in fewer bits compares with its FP32 original on the same windows.

    windows: how many. data: what they were cut from.
    agreement: share of windows, in [0, 1], with the same most probable label. Of sigmoid networks: with the same labels
        above their thresholds (``calibration.comparison``).
    probability_error: the largest difference among a window's probabilities, mean over the windows.
    largest_probability_error: the same, maximum over the windows.
    worst_class, worst_drop: the label whose windows lost most accuracy, and how much, in [0, 1]; None without labels.
    """

    windows: int
    data: str
    agreement: float
    probability_error: float
    largest_probability_error: float
    worst_class: str | None = None
    worst_drop: float | None = None


class ModelMetadata(msgspec.Struct, frozen=True, kw_only=True):
    """The description in a model file.

    family: kind of network, which decides its inputs (``edge.families``).
    layout: of the skeletons that it is given or, for pictures, that decide when events begin and end.
    streams: of MMN, whose logits are averaged; empty for other families.
    labels: one per output, in output order. background: output index of "nothing happens", if the network has one.
    activation: turns logits into the graph's probs: softmax, one label per window, or sigmoid, each label by itself.
    rates: one per label, its frequency in training, in any one unit; empty for equal ones.
    movements: one per label, which way it leads and its opposite; empty for those of MA-52's actions, by name.
    encoding: of MMN: ``raw`` coordinates (the authors' networks), or channels that the graph computes from them:
        ``motion``, or motion and ``contact`` (``edge.network.mmn``).
    window_s: seconds of video in one window.
    views_s: seconds of the newest parts of a window whose scores are averaged; empty for the whole window alone.
    temperature: the graph's probs are activation(logits / temperature); fitted on held-out clips, else 1.
    thresholds: one per label, the probability at which its events begin; fitted on held-out clips, else empty.
    fidelity: of a file that is not FP32, how it compares with the FP32 one.
    sources_sha256: hash of each checkpoint that the file was made from, in stream order.
    trained_on: fingerprints of the recordings that it was trained on (``streaming.recording.skeletons``).
        ``evaluate`` recognizes them. They name neither files nor people.
    taught: labels learned from a few examples (``edge.taught``). Added ones are no outputs of the graph.
    training_data, accuracy, ``licence``: for people; accuracy holds named scores in [0, 1].
    """

    schema_version: int = SCHEMA_VERSION
    name: str
    family: Family = "mmn"
    layout: str
    streams: tuple[Stream, ...] = ()
    encoding: Encoding = "raw"
    labels: tuple[Label, ...]
    background: int | None = None
    activation: Activation = "softmax"
    rates: tuple[float, ...] = ()
    movements: tuple[Movement, ...] = ()
    window_s: float = 2.0
    views_s: tuple[float, ...] = ()
    temperature: float = 1.0
    thresholds: tuple[float, ...] = ()
    precision: Precision = "fp32"
    fidelity: Fidelity | None = None
    sources_sha256: tuple[str, ...] = ()
    trained_on: tuple[str, ...] = ()
    taught: Taught | None = None
    training_data: str = "unknown"
    accuracy: dict[str, float] = {}
    licence: str = "unknown"
    mar_edge_version: str = ""

    def to_json(self) -> str:
        """Return the JSON document."""
        return msgspec.json.encode(self).decode()


class ModelVersion(NamedTuple):
    """What identifies a model file: its description and its hash."""

    metadata: ModelMetadata
    sha256: str


def default_model_path() -> Path:
    """Return the path of the package's model."""
    return Path(str(resources.files("mar_edge.edge").joinpath("models", "mmn_synthetic.onnx")))


def default_checkpoint_path() -> Path:
    """Return the path of the checkpoint that model was exported from, for fine-tuning."""
    return default_model_path().with_suffix(".pt")


def parse_metadata(document: str | None, source: str) -> ModelMetadata:
    """Read and check the document of the model file ``source``.

    Raises:
        MarEdgeError: there is none, or it is not what this version understands.
    """
    if document is None:
        raise MarEdgeError(
            f"{source} is an ONNX file without mar-edge's metadata (labels, layout, window); "
            "write one from a checkpoint with 'mar-edge export'"
        )
    try:
        metadata = msgspec.json.decode(document, type=ModelMetadata)
    except (msgspec.DecodeError, RecursionError) as error:
        raise MarEdgeError(f"{source}: its metadata is not readable: {error}") from None
    if metadata.schema_version != SCHEMA_VERSION:
        raise MarEdgeError(
            f"{source}: metadata schema {metadata.schema_version}, this version reads {SCHEMA_VERSION}; "
            "export the model again or update mar-edge"
        )
    if metadata.layout not in LAYOUT_NAMES:
        raise MarEdgeError(f"{source}: unknown skeleton layout '{metadata.layout}'; known: {', '.join(LAYOUT_NAMES)}")
    K = len(metadata.labels)
    if K == 0 or metadata.window_s <= 0 or not (metadata.background is None or 0 <= metadata.background < K):
        raise MarEdgeError(
            f"{source}: inconsistent metadata: {K} labels, background {metadata.background}, "
            f"window of {metadata.window_s} s"
        )
    with about(f"{source}: inconsistent metadata"):
        check_views(metadata.views_s, metadata.window_s)
    if not (0 < metadata.temperature < math.inf and all(0 < value <= 1 for value in metadata.thresholds)) or (
        metadata.thresholds and len(metadata.thresholds) != K
    ):
        raise MarEdgeError(
            f"{source}: inconsistent metadata: temperature {metadata.temperature}, "
            f"{len(metadata.thresholds)} thresholds in (0, 1] for {K} labels"
        )
    if metadata.rates and not (
        len(metadata.rates) == K and all(0 <= rate < math.inf for rate in metadata.rates) and any(metadata.rates)
    ):
        raise MarEdgeError(
            f"{source}: inconsistent metadata: {len(metadata.rates)} rates for {K} labels; expected one each, of 0 or "
            "more, not all 0"
        )
    if len(metadata.movements) not in (0, K):
        raise MarEdgeError(f"{source}: inconsistent metadata: {len(metadata.movements)} movements for {K} labels")
    if metadata.activation == "sigmoid" and metadata.background is not None:
        raise MarEdgeError(
            f"{source}: inconsistent metadata: a sigmoid network with a background class; nothing happening is all of "
            "its labels being low"
        )
    if metadata.taught is not None:
        check_taught(metadata.taught, tuple(label.name for label in metadata.labels), metadata.background, source)
    return metadata


def check_views(views_s: Sequence[float], window_s: float) -> None:
    """Raise MarEdgeError unless ``views_s`` can be views of a window of ``window_s`` seconds."""
    if len(views_s) > MOST_VIEWS or not all(0 < view_s <= window_s for view_s in views_s):
        given = ", ".join(f"{view_s:g}" for view_s in views_s)
        raise MarEdgeError(
            f"views of {given} s; expected at most {MOST_VIEWS}, each above 0 s and at most a window, {window_s:g} s"
        )


def check_inputs(
    metadata: ModelMetadata,
    expected: Mapping[str, tuple[int, ...]],
    input_shapes: Mapping[str, tuple[int | None, ...]],
    source: str,
) -> None:
    """Raise MarEdgeError unless the graph's ``input_shapes`` are those of its family, behind a batch axis.

    Args:
        expected: name -> shape of one window's input (``edge.families.base.ModelFamily.input_shapes``).
    """
    if {name: shape[1:] for name, shape in input_shapes.items()} != expected:
        takes = " and ".join(f"{name} (B, {', '.join(map(str, shape))})" for name, shape in expected.items())
        raise MarEdgeError(f"{source}: a {metadata.layout} model takes {takes}, this one takes {dict(input_shapes)}")


def check_outputs(metadata: ModelMetadata, output_shapes: dict[str, tuple[int, ...]], source: str) -> None:
    """Raise MarEdgeError unless one window's outputs are logits and probs, one for each label.

    Features (1, D), of any D, may come with them.
    """
    K = len(metadata.labels)
    shapes = {name: shape for name, shape in output_shapes.items() if name != FEATURES}
    if shapes != {"logits": (1, K), "probs": (1, K)} or len(output_shapes.get(FEATURES, (1, 1))) != 2:
        raise MarEdgeError(
            f"{source}: a model of {K} labels gives logits (B, {K}) and probs (B, {K}), this one gives {output_shapes}"
        )
