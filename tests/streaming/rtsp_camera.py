"""A real RTSP camera: GStreamer's own server in a separate process, which can be killed, frozen and restarted."""

from __future__ import annotations

import shutil
import signal
import subprocess
from functools import cache

import pytest

# The Python of the system, since GStreamer's bindings come with the system, not from pip.
PYTHON = shutil.which("python3", path="/usr/bin")
_IMPORTS = """
import gi
gi.require_version("Gst", "1.0")
gi.require_version("GstRtspServer", "1.0")
from gi.repository import GLib, Gst, GstRtspServer
Gst.init(None)
"""
_SERVER = (
    _IMPORTS
    + """
import sys
server = GstRtspServer.RTSPServer()
server.set_address("127.0.0.1")
server.set_service(sys.argv[1])
factory = GstRtspServer.RTSPMediaFactory()
factory.set_shared(True)
factory.set_launch(
    "( videotestsrc is-live=true pattern=ball ! video/x-raw,width=320,height=240,framerate=15/1 ! "
    "x264enc tune=zerolatency speed-preset=ultrafast key-int-max=15 ! rtph264pay name=pay0 )"
)
server.get_mount_points().add_factory("/cam", factory)
assert server.attach(None)
print(server.get_bound_port(), flush=True)
GLib.MainLoop().run()
"""
)


@cache
def _is_installed() -> bool:
    check = _IMPORTS + "assert Gst.ElementFactory.find('x264enc')"
    command = [PYTHON or "", "-c", check]
    return PYTHON is not None and not subprocess.run(command, capture_output=True, timeout=60, check=False).returncode


def skip_unless_installed() -> None:
    """Skip the test if GStreamer's RTSP server is not installed."""
    if not _is_installed():
        pytest.skip(
            "GStreamer's RTSP server is not installed: gir1.2-gst-rtsp-server-1.0, python3-gi, gstreamer1.0-plugins-*"
        )


class RtspCamera:
    """Serves 15 pictures of 320x240 per second as H.264. A context manager. ``port``: 0 for any."""

    def __init__(self, port: int = 0) -> None:
        assert PYTHON is not None
        self._process = subprocess.Popen([PYTHON, "-c", _SERVER, str(port)], stdout=subprocess.PIPE, text=True)
        assert self._process.stdout is not None
        self.port = int(self._process.stdout.readline())
        self.url = f"rtsp://127.0.0.1:{self.port}/cam"

    def kill(self) -> None:
        """End it without closing its connections, as a power failure does."""
        self._process.kill()
        self._process.wait()
        if self._process.stdout is not None:
            self._process.stdout.close()

    def freeze(self) -> None:
        """Stop sending and responding; connections stay open."""
        self._process.send_signal(signal.SIGSTOP)

    def thaw(self) -> None:
        """Continue."""
        self._process.send_signal(signal.SIGCONT)

    def __enter__(self) -> RtspCamera:
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.kill()
