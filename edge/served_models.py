"""Which model files recognize together: one of skeletons, one of pictures, or one of each. Opens each by itself."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from mar_edge.edge.choices import Family, RuntimeName
from mar_edge.edge.errors import MarEdgeError
from mar_edge.edge.model_file import default_model_path, parse_metadata
from mar_edge.edge.progress import Progress, silent
from mar_edge.edge.recognizer import WindowRecognizer

_OF_PICTURES: tuple[Family, ...] = ("manet",)


@dataclass(frozen=True)
class ModelFile:
    """A model file. path: None for the package's. sha256: that it must have; None for any."""

    path: Path | None = None
    sha256: str | None = None

    @property
    def file(self) -> Path:
        """The path, of the package's model as well."""
        return self.path or default_model_path()

    def open(self, threads: int = 0, runtime: RuntimeName = "auto", progress: Progress = silent) -> WindowRecognizer:
        """Open it (see ``WindowRecognizer.open``)."""
        return WindowRecognizer.open(self.path, threads, runtime, self.sha256, progress)


@dataclass(frozen=True)
class ServedModels:
    """The models of a stream.

    main: gives labels, thresholds and layout: the model of skeletons, or one of pictures that is alone.
    pictures: another one, of pictures, whose scores are joined with its own by label name.
    """

    main: ModelFile = field(default_factory=ModelFile)
    pictures: ModelFile | None = None

    @classmethod
    def of(cls, files: Sequence[ModelFile]) -> ServedModels:
        """Return one or two files by what they look at. None is the package's model. Of one, nothing is read yet.

        Raises:
            MarEdgeError: there are more than two, or two look at the same; or one of two cannot be read.
        """
        if len(files) <= 1:
            return cls(*files)
        by_sight: dict[bool, list[ModelFile]] = {False: [], True: []}
        for file in files:
            by_sight[_family_of(file.file) in _OF_PICTURES].append(file)
        if len(files) > 2 or not all(by_sight.values()):
            names = ", ".join(str(file.file) for file in files)
            raise MarEdgeError(
                "--model: one model of skeletons (family mmn), one of pictures (family manet), or one of each; given "
                f"were {len(by_sight[False])} of skeletons and {len(by_sight[True])} of pictures: {names}"
            )
        return cls(by_sight[False][0], by_sight[True][0])

    @contextmanager
    def opened(
        self, threads: int = 0, runtime: RuntimeName = "auto"
    ) -> Iterator[tuple[WindowRecognizer, WindowRecognizer | None]]:
        """Open the main model, and the one that looks at pictures: the other, the main one itself, or None.

        Raises:
            MarEdgeError: as ``WindowRecognizer.open``.
        """
        with ExitStack() as stack:
            main, *others = [stack.enter_context(file.open(threads, runtime)) for file in self.files]
            yield main, next((model for model in (main, *others) if model.family.pictures is not None), None)

    @property
    def files(self) -> tuple[ModelFile, ...]:
        """One or both."""
        return (self.main,) if self.pictures is None else (self.main, self.pictures)


def _family_of(path: Path) -> Family:
    """Return the family that a model file, or an engine, names."""
    from mar_edge.edge.runtime.onnxruntime import read_metadata
    from mar_edge.edge.runtime.tensorrt.store import SUFFIX, read_engine

    document = read_engine(path).info.metadata if path.suffix == SUFFIX else read_metadata(path)
    return parse_metadata(document, str(path)).family
