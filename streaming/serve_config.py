"""The configuration of ``serve``, checked as far as possible without opening anything. Errors name the option."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from mar_edge.edge.errors import MarEdgeError, about
from mar_edge.streaming.capture.camera import STALL_S
from mar_edge.streaming.capture.capture_modes import CaptureMode
from mar_edge.streaming.capture.sources import parse_source
from mar_edge.streaming.choices import Encoding
from mar_edge.streaming.lsl.config import LslConfig
from mar_edge.streaming.recognition.activity import ProfileRules
from mar_edge.streaming.recognition.pipeline import PipelineRules
from mar_edge.streaming.recording.recorder import RecordConfig
from mar_edge.streaming.wire.address import DEFAULT_ADDRESS, parse_address, parse_http
from mar_edge.streaming.wire.keys import ServerKeys
from mar_edge.streaming.wire.publisher import check_stream


@dataclass(frozen=True)
class ServeConfig:
    """The configuration of ``serve``.

    camera: source string (see ``streaming.capture.sources``). address: where to publish. stream: its name on the wire.
    pipeline: how skeletons become events. top_k: labels in a label message. encoding: of the messages.
    publish_skeletons: send the joints of every frame.
    realtime: play a file at its own pace, and drop frames that come too late; else process every frame.
    wait_subscribers: number of subscribers to wait for before the camera's clock starts.
    max_seconds: capture time after which to stop.
    insecure: allow an address that other machines reach, unencrypted.
    more_cameras: (stream, camera) of further cameras, each a stream of its own. more_addresses: further addresses.
    keys: encrypt, and let in clients with these keys. mode: resolution, rate and format requested from cameras.
    stall_s: seconds without a frame after which a camera is reopened. wait_camera: retry one that does not open at the
    start. record: write recordings. http: ``HOST:PORT`` of health and metrics.
    replay: recordings to serve instead of a camera.
    profile: publish activity profiles. profile_baseline: the recording that they are compared with, or a folder of it.
    lsl: what is exchanged over the Lab Streaming Layer.

    Raises:
        MarEdgeError: a value out of range.
    """

    camera: str
    address: str = DEFAULT_ADDRESS
    stream: str = "camera"
    pipeline: PipelineRules = field(default_factory=PipelineRules)
    top_k: int = 5
    encoding: Encoding = "json"
    publish_skeletons: bool = False
    realtime: bool = False
    wait_subscribers: int = 0
    max_seconds: float | None = None
    insecure: bool = False
    more_cameras: tuple[tuple[str, str], ...] = ()
    more_addresses: tuple[str, ...] = ()
    keys: ServerKeys | None = None
    mode: CaptureMode = field(default_factory=CaptureMode)
    stall_s: float = STALL_S
    wait_camera: bool = False
    record: RecordConfig | None = None
    http: str | None = None
    replay: tuple[Path, ...] = ()
    profile: ProfileRules | None = None
    profile_baseline: Path | None = None
    lsl: LslConfig | None = None

    def __post_init__(self) -> None:
        if self.top_k < 1:
            raise MarEdgeError(f"--top-k is at least 1, not {self.top_k}")
        if self.wait_subscribers < 0:
            raise MarEdgeError(f"--wait-subscribers is 0 or more, not {self.wait_subscribers}")
        if self.max_seconds is not None and not self.max_seconds > 0.0:
            raise MarEdgeError(f"--max-seconds is more than 0, not {self.max_seconds}")
        if not 0.5 <= self.stall_s <= 3600.0:
            raise MarEdgeError(f"--stall-s: a camera has stalled after 0.5 to 3600 s, not {self.stall_s}")
        self._check_streams()
        self._check_addresses()

    def _check_streams(self) -> None:
        with about("--stream"):
            names = [check_stream(stream) for stream, _ in self.streams]
        if len(set(names)) != len(names):
            raise MarEdgeError(
                f"--camera: each stream needs a name of its own (NAME=CAMERA); given were {', '.join(names)}"
            )
        if self.replay:
            if self.more_cameras:
                raise MarEdgeError("a replay is one stream, without cameras")
            return
        for _, camera in self.streams:
            with about("--camera"):
                kind = parse_source(camera, self.mode).kind
            if self.lsl is not None and kind in ("file", "demo") and not self.realtime:
                raise MarEdgeError(
                    f"--lsl: {camera} is played as fast as possible, so nothing in it has a time on LSL's clock; add "
                    "--realtime"
                )

    def _check_addresses(self) -> None:
        addresses = self.address, *self.more_addresses
        with about("--bind"):
            endpoints = [parse_address(address, bind=True).endpoint for address in addresses]
            if len(set(endpoints)) != len(endpoints):
                raise MarEdgeError(f"each address once; given were {', '.join(endpoints)}")
        if self.http is not None:
            with about("--http"):
                parse_http(self.http)

    @property
    def streams(self) -> tuple[tuple[str, str], ...]:
        """(stream, camera) of every stream."""
        return ((self.stream, self.camera), *self.more_cameras)
