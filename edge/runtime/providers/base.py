"""The contract of an execution provider: which one of ONNX Runtime's runs the nodes of a model, and with what options.

Each provider is a file next to this one, with a function that makes it, or raises because it cannot be had here.
"""

from __future__ import annotations

import contextlib
import io
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any

import onnxruntime as ort

from mar_edge.edge.errors import MarEdgeError

CPU_NAME = "CPUExecutionProvider"


@dataclass(frozen=True)
class Provider:
    """A provider, ready for sessions.

    name: ONNX Runtime's. title: for messages. options: as the provider's own documentation names them.
    devices: of a plugin, as ONNX Runtime lists them; empty for a built-in provider.
    behind: built-in provider for the nodes that this one does not take, before the CPU.
    largest_batch: windows in one inference; more of them run in parts. None is any number.
    remedy: what to check if it does not start.
    """

    name: str
    title: str
    options: Mapping[str, str] = field(default_factory=dict)
    devices: tuple[Any, ...] = ()
    behind: Provider | None = None
    largest_batch: int | None = None
    remedy: str = ""


CPU = Provider(CPU_NAME, "CPU")


def available_providers() -> tuple[str, ...]:
    """Return the providers that this ONNX Runtime was built with. Their devices may be missing."""
    return tuple(ort.get_available_providers())


def require_built_in(name: str) -> None:
    """Raise MarEdgeError unless this ONNX Runtime was built with a provider."""
    if name not in available_providers():
        raise MarEdgeError(
            f"this ONNX Runtime has no {name}, only {', '.join(available_providers())}; "
            "pip uninstall onnxruntime, then pip install 'onnxruntime-gpu[cuda,cudnn]'"
        )


@cache
def load_cuda() -> str:
    """Load CUDA and cuDNN from NVIDIA's wheels, else from the system, for the built-in providers.

    Return what is missing, in a few words; an empty text if nothing is. The provider's own start is what decides.
    """
    if not hasattr(ort, "preload_dlls"):  # before 1.21
        return ""
    said = io.StringIO()
    with contextlib.redirect_stdout(said):  # it prints what it does not find
        ort.preload_dlls()
    return next((line.partition(": ")[2] for line in said.getvalue().splitlines() if line.startswith("Failed")), "")
