"""Models to evaluate, opened as a recognizer: checkpoints on PyTorch, model files on their runtime."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from mar_edge.edge.choices import Family, RuntimeName, Stream
from mar_edge.edge.errors import MarEdgeError
from mar_edge.edge.layout import Layout
from mar_edge.edge.recognizer import WindowRecognizer
from mar_edge.edge.runtime.base import Runtime

_CHECKPOINTS = (".pt", ".pth")
_MODELS = (".onnx", ".engine")


@dataclass(frozen=True)
class ModelSource:
    """A model, and where it runs. Another process can open it, too.

    paths: one file, or checkpoints whose logits are averaged.

    stream: of a published checkpoint, which does not state it.

    device: ``cpu`` or ``cuda``, for checkpoints. runtime: for model files.

    threads: within one inference; 0 takes every core.
    """

    paths: tuple[Path, ...]
    stream: Stream = "joint"
    device: str = "cpu"
    runtime: RuntimeName = "auto"
    threads: int = 0

    def open(self, layout: Layout, family: Family = "mmn") -> WindowRecognizer:
        """Open the recognizer; the caller closes it.

        Args:
            family: that takes what the data holds: skeletons of ``layout``, or pictures.

        Raises:
            MarEdgeError: a file cannot be read, is of an unknown kind, or takes other data.
        """
        first, *others = self.paths
        if all(path.suffix in _CHECKPOINTS for path in self.paths):
            return WindowRecognizer(self._checkpoints(layout, family), " + ".join(map(str, self.paths)))
        if others:
            raise MarEdgeError(
                f"only checkpoints ({', '.join(_CHECKPOINTS)}) can be averaged, not {first} and {others[0]}; "
                "'mar-edge export --stream both' makes one model file of a pair"
            )
        if first.suffix not in _MODELS:
            raise MarEdgeError(
                f"{first} is neither a checkpoint ({', '.join(_CHECKPOINTS)}) nor a model ({', '.join(_MODELS)})"
            )
        recognizer = WindowRecognizer.open(first, self.threads, self.runtime)
        takes, holds = _input(recognizer.metadata.family, recognizer.layout), _input(family, layout)
        if takes != holds:
            with recognizer:
                raise MarEdgeError(f"{first} takes {takes}, the data holds {holds}")
        return recognizer

    def _checkpoints(self, layout: Layout, family: Family) -> Runtime:
        if family == "manet":
            from mar_edge.training.evaluation.picture_runtime import PictureRuntime

            return PictureRuntime(self.paths, self.device, self.threads)
        from mar_edge.training.evaluation.torch_runtime import TorchRuntime

        return TorchRuntime(self.paths, layout, self.stream, self.device, self.threads)


def _input(family: Family, layout: Layout) -> str:
    return "pictures" if family == "manet" else f"{layout.name} skeletons"
