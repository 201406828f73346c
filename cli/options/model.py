"""Options about the model and what runs it."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import zip_longest
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, ClassVar, get_args

import typer

from mar_edge.edge.choices import RuntimeName
from mar_edge.edge.errors import MarEdgeError, about

if TYPE_CHECKING:
    from mar_edge.edge.served_models import ModelFile, ServedModels

Runtime = Annotated[
    RuntimeName,
    typer.Option(
        metavar="NAME",
        help=f"Runtime of the model: {', '.join(get_args(RuntimeName))}. A named one that cannot run is an error.",
        rich_help_panel="Performance",
    ),
]
PoseRuntime = Annotated[
    RuntimeName,
    typer.Option(
        metavar="NAME",
        help="Runtime of the networks of the pose stage, as --runtime.",
        rich_help_panel="Performance",
    ),
]
Threads = Annotated[
    int,
    typer.Option(
        metavar="N",
        help="Threads of one inference on a CPU; 0 takes every core, shared among cameras or videos.",
        min=0,
        max=1024,
        rich_help_panel="Performance",
    ),
]
Model = Annotated[
    Path | None,
    typer.Option(
        metavar="FILE",
        help="Model file (default: the one in the package).",
        show_default=False,
        rich_help_panel="Model",
    ),
]


@dataclass(frozen=True)
class ModelFiles:
    """Which model files: of skeletons, of pictures, or one of each."""

    PANEL: ClassVar = "Model"

    model: Annotated[
        list[Path] | None,
        typer.Option(
            metavar="FILE",
            help="Model file (default: the one in the package). Twice for a model of skeletons and one of pictures.",
            show_default=False,
        ),
    ] = None
    model_sha256: Annotated[
        list[str] | None,
        typer.Option(
            metavar="HEX",
            help="SHA-256 that the model file must have. Twice for two, in their order.",
            show_default=False,
        ),
    ] = None

    def files(self) -> list[ModelFile]:
        """Return the files, unread; none for the package's model.

        Raises:
            MarEdgeError: a digest is not a SHA-256, or there are more or fewer of them than files.
        """
        from mar_edge.edge.files.digest import parse_sha256
        from mar_edge.edge.served_models import ModelFile

        paths: list[Path | None] = list(self.model) if self.model else [None]
        with about("--model-sha256"):
            digests = [parse_sha256(text) for text in self.model_sha256 or ()]
            if digests and len(digests) != len(paths):
                raise MarEdgeError(
                    f"one SHA-256 for each --model, in their order; given were {len(digests)} for {len(paths)}"
                )
        return [ModelFile(path, sha256) for path, sha256 in zip_longest(paths, digests)]

    def served(self) -> ServedModels:
        """Return the files by what they look at.

        Raises:
            MarEdgeError: as ``files``; or they are not one of skeletons, one of pictures, or one of each.
        """
        from mar_edge.edge.served_models import ServedModels

        return ServedModels.of(self.files())
