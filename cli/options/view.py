"""Options of the page in a browser."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, ClassVar

import typer

from mar_edge.cli.extras import require
from mar_edge.edge.errors import MarEdgeError, about

if TYPE_CHECKING:
    from mar_edge.edge.labels import Label
    from mar_edge.edge.model_file import ModelMetadata
    from mar_edge.streaming.recognition.pipeline import PipelineRules
    from mar_edge.view.live_page import LivePage
    from mar_edge.view.teaching import Teaching

ViewAt = Annotated[
    str | None,
    typer.Option(
        "--view",
        metavar="HOST:PORT",
        help="Address of a live page for browsers, such as 127.0.0.1:8080.",
        show_default=False,
        rich_help_panel="View",
    ),
]
Token = Annotated[
    str | None,
    typer.Option(
        "--view-token",
        metavar="TOKEN",
        envvar="MAR_EDGE_VIEW_TOKEN",
        help="Token that a browser must show (default: a random one where other machines reach the page).",
        show_default=False,
        rich_help_panel="View",
    ),
]
ShowVideo = Annotated[
    bool,
    typer.Option(
        "--show-video",
        help="Show camera pictures on the page as well: pixels leave the process.",
        rich_help_panel="View",
    ),
]
OpenPage = Annotated[
    bool,
    typer.Option("--open/--no-open", help="Open the page in a browser, if there is a screen.", rich_help_panel="View"),
]


@dataclass(frozen=True)
class PageAccess:
    """Who may open a page, and under which names."""

    PANEL: ClassVar = "View"

    view_token: Token = None
    view_host: Annotated[
        list[str] | None,
        typer.Option(
            "--view-host",
            metavar="HOST",
            help="Name or origin by which a proxy or other machines reach the page, such as box.local or "
            "https://mar.example.org. May be repeated. The page then asks for a token.",
            show_default=False,
        ),
    ] = None


def require_web() -> None:
    """Raise MissingExtra unless the page can be served."""
    require("web", "starlette", "uvicorn", "websockets")


@dataclass(frozen=True)
class PageTeaching:
    """What a page may teach."""

    PANEL: ClassVar = "View"

    teach_to: Annotated[
        Path | None,
        typer.Option(
            "--teach-to",
            metavar="FILE",
            help="Model file for movements that are taught on the page. If it is there, its labels are used at once.",
            show_default=False,
        ),
    ] = None
    teach_token: Annotated[
        str | None,
        typer.Option(
            "--teach-token",
            metavar="TOKEN",
            envvar="MAR_EDGE_TEACH_TOKEN",
            help="Token of those who may teach (default: a random one where the page asks for a token).",
            show_default=False,
        ),
    ] = None

    def config(self, model: Path, rules: PipelineRules) -> Teaching | None:
        """Return what a service of that model and those rules may teach; None for nothing.

        Raises:
            MarEdgeError: the file cannot be written, or is missing.
        """
        if self.teach_to is None:
            if self.teach_token is not None:
                raise MarEdgeError("--teach-token needs a file to teach to: --teach-to taught.onnx")
            return None
        from mar_edge.api.teaching import check_taught_file
        from mar_edge.cli.lesson_process import LessonProcess
        from mar_edge.streaming.recognition.pipeline import check_rules
        from mar_edge.view.teaching import Teaching

        def check(metadata: ModelMetadata, label: Label | None) -> None:
            wanted = check_rules(rules, metadata).wanted
            if label is not None and not wanted[metadata.labels.index(label)]:
                raise MarEdgeError(f"--labels of the service leaves '{label.name}' out, so it would never be reported")

        with about("--teach-to"):
            check_taught_file(self.teach_to)
            return Teaching(model, self.teach_to, LessonProcess, check)


def live_view(
    address: str | None,
    access: PageAccess,
    video: bool,
    teaching: Teaching | None = None,
    teach_token: str | None = None,
) -> LivePage | None:
    """Return the page that ``--view`` asks for, bound; None where it does not.

    Raises:
        MarEdgeError: the address is not available, a token is not valid, or an option needs a page that is missing.
    """
    if address is None:
        if video:
            raise MarEdgeError("--show-video needs a page to show it on: --view 127.0.0.1:8080")
        if access.view_host:
            raise MarEdgeError("--view-host needs a page: --view 127.0.0.1:8080")
        if teaching is not None:
            raise MarEdgeError("--teach-to needs a page to teach on: --view 127.0.0.1:8080")
        return None
    require_web()
    from mar_edge.view.live_page import LivePage

    with about("--view"):
        hosts = access.view_host or ()
        return LivePage(address, access.view_token, video, hosts, teaching=teaching, teach_token=teach_token)
