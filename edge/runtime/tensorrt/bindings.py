"""The installed TensorRT: ``tensorrt`` 10.x or 11.x, or ``tensorrt_rtx``, TensorRT for RTX. They share one interface.

``trt`` is the module that ``use_tensorrt`` chose, one per process. For mypy it is the module ``tensorrt``, so code that
uses it is checked against the bindings that mypy finds. ``rtx`` is the same module, for members that only TensorRT for
RTX has.
"""

from __future__ import annotations

import importlib
from collections import deque
from dataclasses import dataclass
from functools import cache
from importlib.util import find_spec
from types import ModuleType
from typing import TYPE_CHECKING, Any, Literal

from mar_edge.edge.errors import MarEdgeError, MissingExtra

if TYPE_CHECKING:
    import tensorrt as trt

__all__ = ["FLAVORS", "NAMES", "Bindings", "Flavor", "installed_flavors", "rtx", "trt", "use_tensorrt"]

Flavor = Literal["tensorrt", "tensorrt_rtx"]
FLAVORS: tuple[Flavor, ...] = ("tensorrt", "tensorrt_rtx")
NAMES = {"tensorrt": "TensorRT", "tensorrt_rtx": "TensorRT for RTX"}

_ERRORS_KEPT = 8


@dataclass(frozen=True)
class Bindings:
    """A loaded TensorRT and its log. TensorRT keeps the first logger of a process, so there is only one."""

    flavor: Flavor
    version: str
    log: Any

    @property
    def title(self) -> str:
        """Name and version, for messages."""
        return f"{NAMES[self.flavor]} {self.version}"

    def last_error(self) -> str:
        """Return TensorRT's last error message."""
        message: str = self.log.errors[-1] if self.log.errors else "it gives no reason"
        return message


def installed_flavors() -> list[Flavor]:
    """Return the installed ones, full TensorRT first. They may still fail to load."""
    return [flavor for flavor in FLAVORS if find_spec(flavor) is not None]


def use_tensorrt(flavor: Flavor | None = None) -> Bindings:
    """Load a TensorRT. By default that is full TensorRT where it is installed, else TensorRT for RTX.

    Raises:
        MarEdgeError: it is not installed, its libraries are missing, or the process already uses the other one.
    """
    installed = installed_flavors()
    wanted = flavor or _chosen.flavor or (installed[0] if installed else "tensorrt")
    if _chosen.flavor not in {None, wanted}:
        raise MarEdgeError(f"this process already uses {NAMES[_chosen.flavor]}; use {NAMES[wanted]} in another process")
    if wanted not in installed:
        raise MissingExtra(wanted, wanted.replace("_", "-"))
    try:
        module = importlib.import_module(wanted)
    except (ImportError, OSError) as error:
        raise MarEdgeError(
            f"{NAMES[wanted]} is installed but cannot be loaded: {str(error).strip().splitlines()[0]}; its libraries "
            "(libnvinfer) come with JetPack, or with pip install tensorrt"
        ) from None
    _chosen.module, _chosen.flavor = module, wanted
    return Bindings(wanted, module.__version__, _log(module))


class _Chosen:
    """Forwards attributes to the chosen module."""

    flavor: Flavor | None = None
    module: ModuleType | None = None

    def __getattr__(self, name: str) -> Any:
        return getattr(self.module, name)


_chosen = _Chosen()
rtx: Any = _chosen
if not TYPE_CHECKING:
    trt = _chosen


@cache
def _log(module: ModuleType) -> Any:
    class Log(trt.ILogger):  # type: ignore[misc]  # the bindings ship no types
        """Keeps the last errors, and every message while ``messages`` is a list."""

        def __init__(self) -> None:
            trt.ILogger.__init__(self)
            self.messages: list[str] | None = None
            self.errors: deque[str] = deque(maxlen=_ERRORS_KEPT)

        def log(self, severity: trt.ILogger.Severity, msg: str) -> None:
            """Take a message (TensorRT calls this)."""
            if self.messages is not None:
                self.messages.append(msg)
            if severity in {trt.ILogger.Severity.ERROR, trt.ILogger.Severity.INTERNAL_ERROR}:
                self.errors.append(msg)

    return Log()
