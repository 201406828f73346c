"""Options about the model and what runs it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, ClassVar, get_args

import typer

from mar_edge.edge.choices import RuntimeName
from mar_edge.edge.errors import about

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
class ModelFile:
    """Which model file."""

    PANEL: ClassVar = "Model"

    model: Model = None
    model_sha256: Annotated[
        str | None,
        typer.Option(metavar="HEX", help="SHA-256 that the model file must have.", show_default=False),
    ] = None

    @property
    def sha256(self) -> str | None:
        """The digest that the file must have; None for any.

        Raises:
            MarEdgeError: it is not a SHA-256.
        """
        from mar_edge.edge.files.digest import parse_sha256

        with about("--model-sha256"):
            return None if self.model_sha256 is None else parse_sha256(self.model_sha256)
