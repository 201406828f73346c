"""Options about where frames come from."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Annotated, ClassVar

import typer

from mar_edge.edge.errors import MarEdgeError
from mar_edge.streaming.choices import RtspTransport

if TYPE_CHECKING:
    from mar_edge.streaming.capture.capture_modes import CaptureMode


@dataclass(frozen=True)
class Pace:
    """How fast recordings are played."""

    PANEL: ClassVar = "Input"

    realtime: Annotated[
        bool,
        typer.Option(
            "--realtime", help="Play files at their own pace, for an audience. Frames that come too late are dropped."
        ),
    ] = False
    as_fast_as_possible: Annotated[
        bool, typer.Option("--as-fast-as-possible", hidden=True, help="The default of files; scripts still ask for it.")
    ] = False

    @property
    def is_real_time(self) -> bool:
        """Whether recordings are played at their own pace.

        Raises:
            MarEdgeError: both were asked for.
        """
        if self.realtime and self.as_fast_as_possible:
            raise MarEdgeError("--realtime and --as-fast-as-possible exclude each other; the latter is the default")
        return self.realtime


@dataclass(frozen=True)
class Cameras:
    """Which cameras, and what is asked of them."""

    PANEL: ClassVar = "Input"

    camera: Annotated[
        list[str],
        typer.Option(
            metavar="SOURCE",
            help="Camera index, video file, rtsp:// or http:// URL, csi://N, GStreamer pipeline, or demo: for the "
            "built-in video. May be repeated as NAME=SOURCE; each is a stream of that name.",
        ),
    ] = field(default_factory=lambda: ["0"])
    size: Annotated[
        str | None,
        typer.Option(metavar="WxH", help="Picture size to ask cameras for, such as 1280x720.", show_default=False),
    ] = None
    fps: Annotated[
        float | None, typer.Option(metavar="N", help="Frames per second to ask cameras for.", show_default=False)
    ] = None
    pixel_format: Annotated[
        str | None,
        typer.Option(metavar="FOURCC", help="Format to ask V4L2 cameras for, such as MJPG.", show_default=False),
    ] = None
    rtsp_transport: Annotated[RtspTransport, typer.Option(help="Transport of RTSP cameras.")] = "tcp"
    gstreamer: Annotated[bool, typer.Option("--gstreamer", help="Open devices and RTSP cameras through GStreamer.")] = (
        False
    )
    stall_s: Annotated[
        float, typer.Option(metavar="SECONDS", help="Seconds without a frame after which a camera is reopened.")
    ] = 5.0
    wait_camera: Annotated[
        bool, typer.Option("--wait-camera", help="Keep trying a camera that is missing at the start.")
    ] = False

    def mode(self) -> CaptureMode:
        """Return what is asked of cameras.

        Raises:
            MarEdgeError: a value that no camera has.
        """
        from mar_edge.streaming.capture.capture_modes import CaptureMode, parse_size

        return CaptureMode(
            size=None if self.size is None else parse_size(self.size),
            fps=self.fps,
            pixel_format=self.pixel_format,
            rtsp_transport=self.rtsp_transport,
            gstreamer=self.gstreamer,
        )
