"""``view``."""

from __future__ import annotations

import time
from contextlib import ExitStack
from pathlib import Path
from typing import Annotated

import typer

from mar_edge.cli.app import INTERRUPTED, SIGINT, command
from mar_edge.cli.browser import has_screen, open_page
from mar_edge.cli.options.publishing import ADDRESS, ClientAccess, OnlyStream
from mar_edge.cli.options.view import OpenPage, PageAccess, require_web
from mar_edge.cli.output import say
from mar_edge.edge.errors import MarEdgeError

_TURN_S = 0.1


@command(
    "Review",
    "view",
    "view --connect tcp://10.0.0.7:5557",
    "view recordings",
    "view recordings --media videos",
)
def view(
    *,
    recordings: Annotated[
        list[Path] | None, typer.Argument(help="Recordings to review, or a folder of them.", show_default=False)
    ] = None,
    media: Annotated[
        list[Path] | None,
        typer.Option(
            metavar="PATH",
            help="Video of a recording, or a folder of videos named like the recordings. May be repeated. Without it, "
            "a page that only this machine reaches shows videos next to the recordings.",
            show_default=False,
        ),
    ] = None,
    connect: Annotated[
        str | None,
        typer.Option(
            metavar="ADDRESS",
            help=f"Address of a publisher that serves with --skeletons (default: {ADDRESS}).",
            show_default=False,
        ),
    ] = None,
    stream: OnlyStream = None,
    bind: Annotated[
        str, typer.Option(metavar="HOST:PORT", help="Address of the page.", rich_help_panel="View")
    ] = "127.0.0.1:8080",
    baseline_minutes: Annotated[
        float | None,
        typer.Option(
            metavar="MINUTES",
            help="Baseline of activity profiles of recordings: first minutes of each person.",
            show_default=False,
        ),
    ] = None,
    open_it: OpenPage = True,
    page: PageAccess,
    access: ClientAccess,
) -> None:
    """Show a live stream or recordings in a browser."""
    require_web()
    from mar_edge.streaming.operations.logs import set_up_logs
    from mar_edge.streaming.operations.stop_signals import StopSignals
    from mar_edge.streaming.recognition.activity import ProfileRules
    from mar_edge.streaming.wire.file_limit import raise_file_limit
    from mar_edge.view.access import PageAddress
    from mar_edge.view.app import page_app
    from mar_edge.view.feed import Feed
    from mar_edge.view.feed_subscriber import FeedSubscriber
    from mar_edge.view.review import Recordings, review_routes
    from mar_edge.view.server import PageServer

    if recordings and connect is not None:
        raise MarEdgeError("give recordings or --connect; a page shows one or the other")
    if baseline_minutes is not None and not recordings:
        raise MarEdgeError(
            "--baseline-minutes is for recordings; 'serve --profile-baseline-minutes' is for live streams"
        )
    if media and not recordings:
        raise MarEdgeError("--media is the video of a recording; give the recording as well")
    token, hosts = page.view_token, page.view_host or ()
    set_up_logs()
    raise_file_limit()
    listener: FeedSubscriber | None = None
    found: Recordings | None = None
    with StopSignals() as stop, ExitStack() as stack:
        if recordings:
            is_local = PageAddress.parse(bind).local and not hosts
            rules = ProfileRules(baseline_minutes=baseline_minutes)
            found = Recordings(recordings, media or (), nearby=is_local, profiles=rules)
            found.get(0)  # so that a mistake in it is reported here
            server = PageServer(bind, token, lambda access: page_app(access, None, routes=review_routes(found)), hosts)
        else:
            feed = Feed()
            server = PageServer(bind, token, lambda access: page_app(access, feed), hosts)
            listener = stack.enter_context(FeedSubscriber(connect or ADDRESS, stream, access.keys(), feed))
        stack.enter_context(server)
        if found is not None and found.videos:
            count = f"{len(found.videos)} of {len(found.paths)} recordings"
            say(f"the page shows the videos of {count} to everybody who may open it")
        say(f"{server.url}  (Ctrl-C ends it)")
        if open_it and has_screen():
            open_page(server.url)
        while stop.reason is None:
            time.sleep(_TURN_S)
            if listener is not None:
                listener.check()
    if stop.signal == SIGINT:
        raise typer.Exit(INTERRUPTED)
