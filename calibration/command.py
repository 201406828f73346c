"""``calibrate`` and ``export --precision fp16``: from an FP32 model file to one in fewer bits, compared before writing.

Joins the parts; prints nothing.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import msgspec
import onnx
import onnxruntime as ort
from google.protobuf.message import DecodeError

from mar_edge.calibration.choices import Method
from mar_edge.calibration.collect import collect_ranges
from mar_edge.calibration.comparison import Comparison, compare, predict
from mar_edge.calibration.data import EFFORTS, data_files, open_sources
from mar_edge.calibration.quantize import quantizable_layers, quantize
from mar_edge.calibration.report import Layers, report_text
from mar_edge.calibration.sensitivity import Allowed, Build, Trial
from mar_edge.calibration.stored import Calibration, calibration_key, keep_calibration, read_calibration
from mar_edge.calibration.windows import FEWEST_WINDOWS, Source, Windows
from mar_edge.edge.errors import MarEdgeError, about
from mar_edge.edge.files.cache import cache_folder
from mar_edge.edge.files.outputs import check_outputs, write_whole
from mar_edge.edge.model_file import METADATA_KEY, ModelMetadata, Precision, parse_metadata
from mar_edge.edge.progress import Progress
from mar_edge.export.half import half_regions, to_half

_LAYERS_NAMED = 5
# Layers are chosen on other windows than they are judged on, so the choice aims higher.
_MARGIN = 0.5
_ROUNDING = 1e-9  # error of a quotient


@dataclass(frozen=True)
class Guard:
    """The comparison with FP32 before anything is written.

    data: names data (``open_sources``). windows: number of windows to compare on.

    min_agreement: lowest share of windows with the same most probable label.

    max_class_drop: largest drop of the accuracy of a label, in [0, 1]. Labels of fewer than 20 windows do not count.

    force: write the file in any case. threads: of one inference; 0 takes every core.
    """

    data: str = "synth"
    windows: int = 2000
    min_agreement: float = 0.98
    max_class_drop: float = 0.03
    force: bool = False
    threads: int = 0

    @property
    def fewest(self) -> int:
        """Fewest windows on which one disagreement is within ``min_agreement``; at most 64."""
        disagreement = max(1 - self.min_agreement, 1 / FEWEST_WINDOWS)
        return max(math.ceil(1 / disagreement - _ROUNDING), 2)

    @property
    def allowed(self) -> Allowed:
        """Limits of the comparison."""
        return Allowed(self.min_agreement, self.max_class_drop)


@dataclass(frozen=True)
class _Narrowed:
    """A model in fewer bits, its original, its layers, and a function that builds others."""

    original: onnx.ModelProto
    metadata: ModelMetadata
    model: onnx.ModelProto
    precision: Precision
    layers: Layers
    build: Build


@dataclass(frozen=True)
class Written:
    """The file, its report, its metadata, and whether it passed the comparison."""

    path: Path
    report: Path
    metadata: ModelMetadata
    passed: bool
    size: float
    """Bytes as a share of the FP32 file."""


def write_half(source: Path, out: Path, guard: Guard, progress: Progress) -> Written:
    """Write an FP32 model file in mixed FP16, and its report.

    Raises:
        MarEdgeError: the source is not an FP32 model file of this version, the file cannot be written, or it is too far
            from FP32.
    """
    model, metadata = _read(source, out, guard.data)
    regions = half_regions(model)
    _, held_out = open_sources(guard.data, metadata, guard.windows, guard.windows)

    def build(half: Sequence[str]) -> onnx.ModelProto:
        return to_half(model, [region for region in regions if region not in half])

    layers = Layers(
        costs={},
        chosen=frozenset(regions),
        how="Layers that the graph marks as tolerating FP16 are FP16; all others are FP32.",
    )
    return _write(_Narrowed(model, metadata, build(regions), "fp16", layers, build), held_out, out, guard, progress)


def write_int8(
    source: Path, out: Path, guard: Guard, progress: Progress, *, calibrate_on: int = 512, method: Method = "percentile"
) -> Written:
    """Write an FP32 model file with INT8 products, the rest in mixed FP16, and its report.

    Raises:
        MarEdgeError: as ``write_half``; or the data is not enough for calibration (``Source.check_worth``).
    """
    model, metadata = _read(source, out, guard.data)
    folder = cache_folder("calibration")
    inputs = quantizable_layers(model)
    effort = EFFORTS[metadata.family]
    choose_on = max(calibrate_on, effort.choose_on)
    learnt, held_out = open_sources(guard.data, metadata, choose_on, guard.windows)
    many = learnt.read(choose_on)
    windows = many.first(calibrate_on)
    learnt.check_worth(windows, "calibrate")
    key = calibration_key(model, windows, method, effort.costs_on)
    found = read_calibration(folder, key)
    if found is None or found.limits.keys() != inputs.keys():
        found = _measure(model, metadata, windows, method, threads=guard.threads, progress=progress)
        keep_calibration(folder, key, found)
    limits = found.limits

    def build(int8: Sequence[str]) -> onnx.ModelProto:
        return to_half(quantize(model, {layer: limits[layer] for layer in int8}, store_int8=True))

    target = 1 - _MARGIN * (1 - guard.min_agreement)
    reference = predict(model, many, progress, "FP32", guard.threads)
    trial = Trial(build, metadata, many, reference, progress, guard.threads)
    chosen = trial.choose(found.costs, Allowed(target, guard.max_class_drop))
    layers = Layers(
        costs=found.costs,
        chosen=frozenset(chosen),
        how=f"Ranges by {method} over {len(windows)} windows of: {windows.name}. A cost is the mean of the largest "
        f"probability error with that layer alone in INT8, over {effort.costs_on} of them. The most sensitive layers "
        f"stay in FP16, until it agrees on {100 * target:.1f} % of {len(many)} windows and loses at most "
        f"{100 * guard.max_class_drop:g} points of any label.",
    )
    return _write(_Narrowed(model, metadata, build(chosen), "int8", layers, build), held_out, out, guard, progress)


def read_full(source: Path) -> tuple[onnx.ModelProto, ModelMetadata]:
    """Return an FP32 model file and its metadata.

    Raises:
        MarEdgeError: it is not a model file, is not FP32, or does not mark the layers that tolerate fewer bits.
    """
    try:
        model = onnx.load(str(source))
    except OSError as error:
        raise MarEdgeError(f"cannot read {source}: {error.strerror}") from None
    except DecodeError:
        raise MarEdgeError(
            f"{source} is not a model file; expected an .onnx file written by 'mar-edge export'"
        ) from None
    document = next((entry.value for entry in model.metadata_props if entry.key == METADATA_KEY), None)
    metadata = parse_metadata(document, str(source))
    if metadata.precision != "fp32":
        raise MarEdgeError(f"{source} is {metadata.precision} already; start from the FP32 file")
    if metadata.taught is not None:
        raise MarEdgeError(
            f"{source} has taught labels, which need its FP32 features; convert the file that they were taught to, "
            "then teach them again"
        )
    if not half_regions(model) or not quantizable_layers(model):
        raise MarEdgeError(
            f"{source} does not mark the layers that tolerate less than FP32; write it again with 'mar-edge export'"
        )
    return model, metadata


def report_of(out: Path) -> Path:
    """Return the path of the report of a model file in fewer bits."""
    return out.with_suffix(".md")


def _read(source: Path, out: Path, data: str) -> tuple[onnx.ModelProto, ModelMetadata]:
    """Return the model of ``source``, if ``out`` and its report can be written and replace nothing that is read."""
    if out.suffix != ".onnx":
        raise MarEdgeError(f"a model file's name ends in .onnx, by which commands know it; not {out.name}")
    written = [out, report_of(out)]
    check_outputs(written, [source])
    model, metadata = read_full(source)
    check_outputs(written, data_files(data, metadata))
    return model, metadata


def _measure(
    model: onnx.ModelProto,
    metadata: ModelMetadata,
    windows: Windows,
    method: Method,
    *,
    threads: int,
    progress: Progress,
) -> Calibration:
    few = windows.first(EFFORTS[metadata.family].costs_on)
    inputs = quantizable_layers(model)
    done = 0

    def count(batch: int) -> None:
        nonlocal done
        done += batch
        progress("ranges", done, len(windows))

    histograms = collect_ranges(model, inputs.values(), windows.batches(), threads, count)
    limits = {layer: histograms[tensor].limit(method) for layer, tensor in inputs.items()}

    def build(int8: Sequence[str]) -> onnx.ModelProto:
        return to_half(quantize(model, {layer: limits[layer] for layer in int8}))

    trial = Trial(build, metadata, few, predict(model, few, threads=threads), progress, threads)
    return Calibration(limits=limits, costs=trial.costs(list(inputs)))


def _write(narrowed: _Narrowed, held_out: Source, out: Path, guard: Guard, progress: Progress) -> Written:
    """Compare with FP32; write the file and its report, or refuse."""
    original, metadata = narrowed.original, narrowed.metadata
    windows = held_out.read(guard.windows)
    if not guard.force:
        with about("--windows and --data"):
            held_out.check_worth(windows, "compare", guard.fewest)
    reference = predict(original, windows, progress, "FP32", guard.threads)
    probs = predict(narrowed.model, windows, progress, narrowed.precision.upper(), guard.threads)
    comparison = compare(reference, probs, windows, metadata)
    passed = guard.allowed.by(comparison.fidelity)
    layers = narrowed.layers
    if not passed and not layers.costs:
        few = windows.first(EFFORTS[metadata.family].costs_on)
        few_reference = predict(original, few, threads=guard.threads)
        trial = Trial(narrowed.build, metadata, few, few_reference, progress, guard.threads)
        layers = replace(layers, costs=trial.costs(sorted(layers.chosen)))
    if not passed and not guard.force:
        raise MarEdgeError(_refusal(out, comparison, layers, guard))
    described = msgspec.structs.replace(metadata, precision=narrowed.precision, fidelity=comparison.fidelity)
    for entry in narrowed.model.metadata_props:
        if entry.key == METADATA_KEY:
            entry.value = described.to_json()
    sizes = original.ByteSize(), narrowed.model.ByteSize()
    report = report_of(out)
    text = report_text(described, comparison, layers, sizes, f"ONNX Runtime {ort.__version__} (CPU)")
    write_whole(report, text.encode())
    write_whole(out, narrowed.model.SerializeToString())
    return Written(out, report, described, passed, sizes[1] / sizes[0])


def _refusal(out: Path, comparison: Comparison, layers: Layers, guard: Guard) -> str:
    hurting = sorted(layers.chosen, key=lambda layer: -layers.costs[layer])[:_LAYERS_NAMED]
    named = ", ".join(f"{layer} ({layers.costs[layer]:.4f})" for layer in hurting)
    fidelity = comparison.fidelity
    if fidelity.agreement < guard.min_agreement:
        wrong = (
            f"it agrees with FP32 on {100 * fidelity.agreement:.2f} % of {fidelity.windows} windows, less than "
            f"--min-agreement {100 * guard.min_agreement:g} %"
        )
    else:
        windows = next(change.windows for change in comparison.classes if change.name == fidelity.worst_class)
        wrong = (
            f"on {windows} windows of '{fidelity.worst_class}' accuracy is "
            f"{100 * (fidelity.worst_drop or 0):.1f} points "
            f"below FP32, more than --max-class-drop {100 * guard.max_class_drop:g}"
        )
    return f"{out} not written: {wrong}; most error comes from {named}; --force writes it anyway"
