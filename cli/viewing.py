"""``view``: a stream elsewhere, or recordings, in a browser."""

from __future__ import annotations

import time
from contextlib import ExitStack
from pathlib import Path
from typing import Annotated

import typer

from mar_edge.cli import INTERRUPTED, app
from mar_edge.cli.output import say
from mar_edge.cli.page import OpenPage, Token, ViewHost, has_screen, open_page, require_web
from mar_edge.cli.wire_options import ADDRESS, SIGINT, Key, ServerKey, client_keys
from mar_edge.edge.errors import MarEdgeError

_TURN_S = 0.1


@app.command()
def view(
    recordings: Annotated[
        list[Path] | None, typer.Argument(help="Recordings to review, or a folder of them.", show_default=False)
    ] = None,
    connect: Annotated[
        str | None,
        typer.Option(help=f"Address of a publisher; it must serve with --skeletons.  [default: {ADDRESS}]"),
    ] = None,
    stream: Annotated[str | None, typer.Option(help="Only this stream.", show_default=False)] = None,
    bind: Annotated[str, typer.Option(metavar="HOST:PORT", help="Where the page is.")] = "127.0.0.1:8080",
    token: Token = None,
    view_host: ViewHost = None,
    key: Key = None,
    server_key: ServerKey = None,
    open_it: OpenPage = True,
) -> None:
    """Look at a stream, live, or at recordings, in a browser."""
    require_web()
    from mar_edge.streaming.operations.logs import set_up_logs
    from mar_edge.streaming.operations.stop_signals import StopSignals
    from mar_edge.streaming.wire.file_limit import raise_file_limit
    from mar_edge.view.app import page_app
    from mar_edge.view.feed import Feed
    from mar_edge.view.feed_subscriber import FeedSubscriber
    from mar_edge.view.review import Recordings, review_routes
    from mar_edge.view.server import PageServer

    if recordings and connect is not None:
        raise MarEdgeError("either recordings or --connect: a page shows one or the other")
    hosts = view_host or ()
    set_up_logs()
    raise_file_limit()
    listener: FeedSubscriber | None = None
    with StopSignals() as stop, ExitStack() as stack:
        if recordings:
            found = Recordings(recordings)
            found.get(0)  # what is wrong with it is said here
            server = PageServer(bind, token, lambda access: page_app(access, None, routes=review_routes(found)), hosts)
        else:
            feed = Feed()
            server = PageServer(bind, token, lambda access: page_app(access, feed), hosts)
            keys = client_keys(key, server_key)
            listener = stack.enter_context(FeedSubscriber(connect or ADDRESS, stream, keys, feed))
        stack.enter_context(server)
        say(f"{server.url}  (Ctrl-C ends it)")
        if open_it and has_screen():
            open_page(server.url)
        while stop.reason is None:
            time.sleep(_TURN_S)
            if listener is not None:
                listener.check()
    if stop.signal == SIGINT:
        raise typer.Exit(INTERRUPTED)
