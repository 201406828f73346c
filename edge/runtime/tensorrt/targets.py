"""Names of GPUs to build engines for, and which of them a TensorRT can build for on this machine."""

from __future__ import annotations

import re
from dataclasses import dataclass

from mar_edge.edge.errors import MarEdgeError, did_you_mean
from mar_edge.edge.runtime.tensorrt.bindings import Bindings, rtx
from mar_edge.edge.runtime.tensorrt.device.base import DeviceError
from mar_edge.edge.runtime.tensorrt.device.choice import open_device

NATIVE = "native"
# TensorRT for RTX lists Turing, but has no FP32 product for it, and every model file has some.
_TURING = 75
# Thor is 10.1 in CUDA 12 and 11.0 in CUDA 13.
BOARDS = {"orin": ((8, 7),), "thor": ((11, 0), (10, 1))}
_ON_THE_DEVICE = (
    "full TensorRT builds engines for other GPUs on the GPU that runs them. Copy the model file there and run "
    "'mar-edge build MODEL --target native' (deploy/jetson.md)"
)


@dataclass(frozen=True)
class Gpu:
    """The GPU of this machine. capability: compute capability, as (8, 6)."""

    name: str
    capability: tuple[int, int]


@dataclass(frozen=True)
class Place:
    """The GPU of an engine. capability: as sm86. gpu: this machine's, if the engine is for it."""

    capability: str
    gpu: Gpu | None


def this_gpu() -> Gpu:
    """Return the GPU of this machine.

    Raises:
        MarEdgeError: there is none, or no library to query it is installed.
    """
    device = open_device()
    try:
        return Gpu(device.name, device.capability)
    finally:
        device.close()


def sm(capability: tuple[int, int]) -> str:
    """Return the name of a compute capability: (8, 6) -> sm86."""
    return "sm{}{}".format(*capability)


def rtx_targets() -> tuple[str, ...]:
    """Return the GPUs that the chosen TensorRT for RTX compiles a model for: sm80, sm86, ..."""
    numbers = (int(name[2:]) for name in rtx.ComputeCapability.__members__ if name.startswith("SM"))
    return tuple(f"sm{number}" for number in sorted(numbers) if number > _TURING)


def here(gpu: Gpu, tensorrt: Bindings) -> Place:
    """Return this machine's GPU as a place.

    Raises:
        MarEdgeError: this TensorRT does not build for it.
    """
    own = sm(gpu.capability)
    if tensorrt.flavor == "tensorrt_rtx" and own not in rtx_targets():
        raise MarEdgeError(
            f"{tensorrt.title} builds for {', '.join(rtx_targets())}, this GPU ({gpu.name}) is {own}; full TensorRT "
            "builds for it: pip install 'mar-edge[tensorrt]'"
        )
    return Place(own, gpu)


def resolve(target: str, tensorrt: Bindings) -> Place:
    """Return the place for a target that the user named.

    Raises:
        MarEdgeError: no such target, or this TensorRT cannot build for it here; the message says which can.
    """
    if target != NATIVE and target not in BOARDS and not re.fullmatch(r"sm\d{2,3}", target):
        close = did_you_mean(target, [NATIVE, *BOARDS])
        raise MarEdgeError(f"no target '{target}'; they are {NATIVE}, {', '.join(BOARDS)}, or a GPU as sm86{close}")
    try:
        gpu, why = this_gpu(), ""
    except MarEdgeError as error:
        gpu, why = None, str(error)
    if gpu is None and target == NATIVE:
        raise DeviceError(f"--target native is this machine's GPU: {why}")
    wanted = {sm(capability) for capability in BOARDS[target]} if target in BOARDS else {target}
    if gpu is not None and (target == NATIVE or sm(gpu.capability) in wanted):
        return here(gpu, tensorrt)
    if tensorrt.flavor == "tensorrt_rtx":
        if not wanted.intersection(rtx_targets()):
            raise MarEdgeError(
                f"{tensorrt.title} builds for {', '.join(rtx_targets())}, not for {target}: {_ON_THE_DEVICE}"
            )
        return Place(target, None)
    found = "there is no GPU here" if gpu is None else f"here {sm(gpu.capability)}"
    raise MarEdgeError(
        f"{tensorrt.title} builds for the GPU that it runs on, {found}, not for {target}: {_ON_THE_DEVICE}. "
        "TensorRT for RTX builds for RTX GPUs without one (pip install 'mar-edge[tensorrt-rtx]')"
    )
