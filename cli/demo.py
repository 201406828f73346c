"""``demo``."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated

import typer

from mar_edge.cli.app import command
from mar_edge.cli.options.model import Model
from mar_edge.cli.options.pose import PoseModel
from mar_edge.cli.options.publishing import ADDRESS
from mar_edge.cli.options.view import OpenPage, PageAccess, ShowVideo, Token, ViewAt, live_view
from mar_edge.cli.service import run_service
from mar_edge.edge.errors import MissingExtra

if TYPE_CHECKING:
    from mar_edge.view.live_page import LivePage

# Any free port: a newcomer's 8080 may be taken.
_ANY_PORT = "127.0.0.1:*"


@command("Run", "demo", "demo --no-open", "demo --show-video")
def demo(
    *,
    pose: PoseModel,
    model: Model = None,
    bind: Annotated[
        str, typer.Option(metavar="ADDRESS", help="Address to publish on: tcp:// or ipc://.", rich_help_panel="Output")
    ] = ADDRESS,
    view: ViewAt = _ANY_PORT,
    view_token: Token = None,
    show_video: ShowVideo = False,
    open_it: OpenPage = True,
) -> None:
    """Recognize the actions of a built-in video; needs no camera.

    A portrait nods, shakes its head, shrugs and more. The live page opens in a browser. The verdict at the end says
    which of the actions were recognized.
    """
    from mar_edge.cli.demo_results import DemoDisplay
    from mar_edge.edge.served_models import ModelFile, ServedModels
    from mar_edge.streaming.capture.demo import DemoVideo
    from mar_edge.streaming.serve_config import ServeConfig

    video = DemoVideo()
    print(f"A portrait moves for {video.duration_s:.0f} s. Its actions, and when:")
    for segment in video.script:
        print(f"  {segment.start_s:4.1f} - {segment.end_s:4.1f} s  {segment.label}")
    print("What mar-edge recognizes, each event as it ends. The same stream in another terminal: 'mar-edge subscribe'.")
    sys.stdout.flush()
    run_service(
        ServeConfig(camera="demo:", address=bind, stream="demo", realtime=True),
        ServedModels(ModelFile(model)),
        pose.config(),
        show=("hello", "event", "end"),
        page=_page(view, PageAccess(view_token), show_video),
        open_it=open_it,
        display=DemoDisplay(sys.stdout, video.script),
    )


def _page(view: str | None, access: PageAccess, video: bool) -> LivePage | None:
    """Return the page of the demo; None where nobody asked for it and its packages are missing."""
    try:
        return live_view(view, access, video)
    except MissingExtra as error:
        if view != _ANY_PORT or video:
            raise
        print(f"No live page: {error}", file=sys.stderr, flush=True)
        return None
