"""Options of the page that people look at, and how it is opened."""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from mar_edge.cli.extras import require
from mar_edge.edge.errors import MarEdgeError, about

if TYPE_CHECKING:
    from mar_edge.view.live_page import LivePage

ViewAt = Annotated[
    str | None,
    typer.Option(
        "--view", metavar="HOST:PORT", help="Show it in a browser there, as 127.0.0.1:8080.", show_default=False
    ),
]
Token = Annotated[
    str | None,
    typer.Option(
        "--view-token",
        envvar="MAR_EDGE_VIEW_TOKEN",
        help="What a browser must show; made up where other machines reach the page.",
        show_default=False,
    ),
]
ViewHost = Annotated[
    list[str] | None,
    typer.Option(
        "--view-host",
        metavar="HOST",
        help="Name or origin by which a proxy or other machines reach the page, as box.local or "
        "https://mar.example.org; may be repeated. A token is asked for then.",
        show_default=False,
    ),
]
ShowVideo = Annotated[
    bool, typer.Option("--show-video", help="Show the camera's pictures on the page, too: pixels leave the process.")
]
OpenPage = Annotated[bool, typer.Option("--open/--no-open", help="Open the page, where there is a screen.")]


def require_web() -> None:
    """Raise MissingExtra unless the page can be served."""
    require("web", "starlette", "uvicorn", "websockets")


def live_view(
    address: str | None, token: str | None, video: bool, hosts: Sequence[str] | None = None
) -> LivePage | None:
    """The page that ``--view`` and its companions ask for, bound; None where they do not.

    Raises:
        MarEdgeError: the address cannot be had, the token is none, or there is video without a page to show it.
    """
    if address is None:
        if video:
            raise MarEdgeError("--show-video needs a page to show it on: --view 127.0.0.1:8080")
        if hosts:
            raise MarEdgeError("--view-host is of a page, which is not asked for: --view 127.0.0.1:8080")
        return None
    require_web()
    from mar_edge.view.live_page import LivePage

    with about("--view"):
        return LivePage(address, token, video, hosts or ())


def has_screen() -> bool:
    """Whether a browser that is opened here is seen by somebody."""
    if os.environ.get("BROWSER"):
        return True
    if sys.platform in ("darwin", "win32"):
        return "SSH_CONNECTION" not in os.environ
    return bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))


def open_page(url: str) -> threading.Thread:
    """Open the user's browser, on a thread: some hold up whoever calls them."""
    import webbrowser

    opening = threading.Thread(target=webbrowser.open, args=(url,), name="browser", daemon=True)
    opening.start()
    return opening
