"""Options of the page in a browser."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, ClassVar

import typer

from mar_edge.cli.extras import require
from mar_edge.edge.errors import MarEdgeError, about

if TYPE_CHECKING:
    from mar_edge.view.live_page import LivePage

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


def live_view(address: str | None, access: PageAccess, video: bool) -> LivePage | None:
    """Return the page that ``--view`` asks for, bound; None where it does not.

    Raises:
        MarEdgeError: the address is not available, the token is not valid, or an option needs a page that is missing.
    """
    if address is None:
        if video:
            raise MarEdgeError("--show-video needs a page to show it on: --view 127.0.0.1:8080")
        if access.view_host:
            raise MarEdgeError("--view-host needs a page: --view 127.0.0.1:8080")
        return None
    require_web()
    from mar_edge.view.live_page import LivePage

    with about("--view"):
        return LivePage(address, access.view_token, video, access.view_host or ())
