"""Which TensorRT is here: ``tensorrt`` 10.x or 11.x, or ``tensorrt_rtx``, TensorRT for RTX. They share one interface.

``trt`` stands for the module that ``use_tensorrt`` chose, one for a process. For mypy it is the module ``tensorrt``, so
that the code that uses it is checked against whatever bindings mypy is shown; ``rtx`` is the same for what TensorRT for
RTX alone has.
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

__all__ = ["FLAVOURS", "NAMES", "Bindings", "Flavour", "installed_flavours", "rtx", "trt", "use_tensorrt"]

Flavour = Literal["tensorrt", "tensorrt_rtx"]
FLAVOURS: tuple[Flavour, ...] = ("tensorrt", "tensorrt_rtx")
NAMES = {"tensorrt": "TensorRT", "tensorrt_rtx": "TensorRT for RTX"}

_ERRORS_KEPT = 8


@dataclass(frozen=True)
class Bindings:
    """A TensorRT that was loaded, and its log: TensorRT keeps the first logger of a process, so it has one."""

    flavour: Flavour
    version: str
    log: Any

    @property
    def title(self) -> str:
        """For people."""
        return f"{NAMES[self.flavour]} {self.version}"

    def said(self) -> str:
        """What went wrong last, in TensorRT's words."""
        said: str = self.log.errors[-1] if self.log.errors else "it does not say why"
        return said


def installed_flavours() -> list[Flavour]:
    """Those that are installed, the better first; whether they can be loaded is not said."""
    return [flavour for flavour in FLAVOURS if find_spec(flavour) is not None]


def use_tensorrt(flavour: Flavour | None = None) -> Bindings:
    """Load a TensorRT; of those installed the full one before the one for RTX.

    Raises:
        MarEdgeError: it is not installed, its libraries are not there, or the process uses the other one.
    """
    installed = installed_flavours()
    wanted = flavour or _chosen.flavour or (installed[0] if installed else "tensorrt")
    if _chosen.flavour not in {None, wanted}:
        raise MarEdgeError(f"this process uses {NAMES[_chosen.flavour]} already; run what needs {NAMES[wanted]} alone")
    if wanted not in installed:
        raise MissingExtra(wanted, wanted.replace("_", "-"))
    try:
        module = importlib.import_module(wanted)
    except (ImportError, OSError) as error:
        raise MarEdgeError(
            f"{NAMES[wanted]} is installed and cannot be loaded: {str(error).strip().splitlines()[0]}; its libraries "
            "(libnvinfer) come with JetPack, or with pip install tensorrt"
        ) from None
    _chosen.module, _chosen.flavour = module, wanted
    return Bindings(wanted, module.__version__, _log(module))


class _Chosen:
    """The module that was chosen."""

    flavour: Flavour | None = None
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
        """Keeps what went wrong last; all that is said only while ``messages`` is a list."""

        def __init__(self) -> None:
            trt.ILogger.__init__(self)
            self.messages: list[str] | None = None
            self.errors: deque[str] = deque(maxlen=_ERRORS_KEPT)

        def log(self, severity: trt.ILogger.Severity, msg: str) -> None:
            """Called by TensorRT."""
            if self.messages is not None:
                self.messages.append(msg)
            if severity in {trt.ILogger.Severity.ERROR, trt.ILogger.Severity.INTERNAL_ERROR}:
                self.errors.append(msg)

    return Log()
