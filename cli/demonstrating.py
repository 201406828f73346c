"""``demo``."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from mar_edge.cli import app
from mar_edge.cli.page import OpenPage, ShowVideo, Token, ViewAt, live_view
from mar_edge.cli.posing import HOLISTIC, Detector, MinScore, Mirror, Pose, PoseOptions
from mar_edge.cli.running import Model, run_service
from mar_edge.cli.wire_options import ADDRESS, Bind
from mar_edge.edge.errors import MissingExtra

if TYPE_CHECKING:
    from mar_edge.view.live_page import LivePage

# Any free port: a newcomer's 8080 may be taken.
_ANY_PORT = "127.0.0.1:*"


@app.command()
def demo(
    model: Model = None,
    bind: Bind = ADDRESS,
    pose: Pose = HOLISTIC,
    detector: Detector = None,
    min_score: MinScore = None,
    mirror: Mirror = None,
    view: ViewAt = _ANY_PORT,
    view_token: Token = None,
    show_video: ShowVideo = False,
    open_it: OpenPage = True,
) -> None:
    """The main job on a built-in input: a portrait that nods, shakes its head, shrugs... No camera needed."""
    from mar_edge.cli.verdict import DemoDisplay
    from mar_edge.streaming.capture.demo import DemoVideo
    from mar_edge.streaming.serve_config import ServeConfig

    video = DemoVideo()
    print(f"A portrait comes alive for {video.duration_s:.0f} s; what it will do, and when:")
    for segment in video.script:
        print(f"  {segment.start_s:4.1f} - {segment.end_s:4.1f} s  {segment.label}")
    print("What mar-edge recognizes, each event as it ends. The same stream in another terminal: 'mar-edge subscribe'.")
    sys.stdout.flush()
    run_service(
        ServeConfig(camera="demo:", address=bind, stream="demo", realtime=True),
        model,
        PoseOptions(pose, detector, min_score=min_score, mirror=mirror),
        show=("hello", "event", "end"),
        page=_page(view, view_token, show_video),
        open_it=open_it,
        display=DemoDisplay(sys.stdout, video.script),
    )


def _page(view: str | None, token: str | None, video: bool) -> LivePage | None:
    """The page of the demo; it goes without where it has not been asked for and cannot be had."""
    try:
        return live_view(view, token, video)
    except MissingExtra as error:
        if view != _ANY_PORT or video:
            raise
        print(f"Without a page to look at: {error}", file=sys.stderr, flush=True)
        return None
