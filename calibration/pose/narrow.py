"""One network of the holistic stage in fewer bits, and its distance from FP32 on crops that it was not chosen on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import onnx

from mar_edge.calibration.choices import Method, NarrowPrecision
from mar_edge.calibration.collect import collect_ranges
from mar_edge.calibration.pose.crops import Crop
from mar_edge.calibration.pose.graph import prepared
from mar_edge.calibration.pose.keypoints import Keypoints, error_px, input_batches, predict
from mar_edge.calibration.quantize import quantizable_layers, quantize
from mar_edge.calibration.sensitivity import Attempt, choose_layers
from mar_edge.edge.pose.holistic.networks import NetworkName, network_path
from mar_edge.edge.progress import Progress
from mar_edge.export.half import to_half, with_rounding

# Crops to compare on; as many others are for ranges and the choice of layers.
FEWEST_CROPS = 8
# Consecutive crops that are used alike.
_RUN = 4
# Crops to compare the costs of layers on.
_COSTS_ON = 8
# Layers are chosen on other crops than they are judged on, so the choice aims lower.
_MARGIN = 0.5


@dataclass(frozen=True)
class Narrowed:
    """A network in fewer bits. model: of the file. emulated: computes on a CPU what ``model`` computes in FP16.

    error_px: mean distance of its keypoints from those of FP32, px of its crop. crops: number of crops compared.

    int8: convolutions in INT8. layers: number of convolutions that may be.

    Where too few crops were seen to compare on, ``model`` is the package's, and ``error_px`` is None.
    """

    name: NetworkName
    model: onnx.ModelProto
    emulated: onnx.ModelProto
    crops: int
    error_px: float | None = None
    int8: int = 0
    layers: int = 0

    @property
    def size(self) -> float:
        """Bytes as a share of the package's file, whose weights are FP16 too."""
        return float(self.model.ByteSize()) / network_path(self.name).stat().st_size


@dataclass(frozen=True)
class Aim:
    """What to make. precision: FP16, or INT8 with the rest in FP16. method: chooses the range of an INT8 tensor.

    max_error_px: largest error that is allowed, px of the crop. threads: of one inference; 0 takes every core.
    """

    precision: NarrowPrecision
    method: Method
    max_error_px: float
    threads: int


def narrowed(name: NetworkName, crops: Sequence[Crop], aim: Aim, progress: Progress) -> Narrowed:
    """Return a network in fewer bits.

    ``crops``: in the order of the frames. Every second few are for ranges and the choice of layers, the others for the
    comparison.
    """
    learnt, held_out = (_every_second_few(crops, first) for first in (0, 1))
    if len(held_out) < FEWEST_CROPS:
        packaged = onnx.load(str(network_path(name)))
        return Narrowed(name, packaged, packaged, len(held_out))
    full = prepared(name)
    model, int8 = full, 0
    if aim.precision == "int8":
        trial = _Trial(name, full, _limits(name, full, learnt, aim), aim.threads)
        chosen = trial.chosen(learnt, _MARGIN * aim.max_error_px, progress)
        model, int8 = trial.build(chosen), len(chosen)
    half = to_half(model)
    emulated = with_rounding(half)
    reference, others = (predict(name, one, held_out, aim.threads) for one in (full, emulated))
    error = error_px(reference, others, len(crops[0]))
    return Narrowed(name, half, emulated, len(held_out), error, int8, len(quantizable_layers(full)))


def _every_second_few(crops: Sequence[Crop], first: int) -> list[Crop]:
    """Return runs of consecutive crops, every second run from number ``first`` on: neighbors are much alike."""
    return [crop for number, crop in enumerate(crops) if number // _RUN % 2 == first]


def _limits(name: NetworkName, full: onnx.ModelProto, crops: Sequence[Crop], aim: Aim) -> dict[str, float]:
    inputs = quantizable_layers(full)
    histograms = collect_ranges(full, inputs.values(), input_batches(name, crops), aim.threads)
    return {layer: histograms[tensor].limit(aim.method) for layer, tensor in inputs.items()}


@dataclass(frozen=True)
class _Trial:
    """Choices of layers of a network. limits: layer -> magnitude at which its input saturates."""

    name: NetworkName
    full: onnx.ModelProto
    limits: Mapping[str, float]
    threads: int

    def build(self, int8: Sequence[str]) -> onnx.ModelProto:
        """Return the network with these layers in INT8, and the rest in FP32, which a CPU runs faster than FP16."""
        return quantize(self.full, {layer: self.limits[layer] for layer in int8})

    def chosen(self, crops: Sequence[Crop], target_px: float, progress: Progress) -> list[str]:
        """Return as many layers as stay within ``target_px``; none if the least sensitive one alone does not."""
        few = crops[:: max(1, len(crops) // _COSTS_ON)]
        of_few, of_all = (predict(self.name, self.full, some, self.threads) for some in (few, crops))
        costs = {}
        for done, layer in enumerate(self.limits):
            progress(f"layers of {self.name}", done, len(self.limits))
            costs[layer] = self._error([layer], few, of_few)
        progress(f"layers of {self.name}", len(self.limits), len(self.limits))
        errors: dict[int, float] = {}

        def attempt(int8: Sequence[str]) -> Attempt:
            error = errors[len(int8)] = self._error(int8, crops, of_all)
            return Attempt(error <= target_px, -error)

        found = choose_layers(costs, attempt)
        return found if errors[len(found)] <= target_px else []

    def _error(self, int8: Sequence[str], crops: Sequence[Crop], reference: Keypoints) -> float:
        return error_px(reference, predict(self.name, self.build(int8), crops, self.threads), len(crops[0]))
