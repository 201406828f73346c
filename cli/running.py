"""What the commands that run the service share: which model, on what, and what is printed while it runs."""

from __future__ import annotations

import sys
from collections.abc import Callable
from contextlib import nullcontext
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Protocol

import typer

from mar_edge.cli import INTERRUPTED
from mar_edge.cli.extras import require
from mar_edge.cli.page import has_screen, open_page
from mar_edge.cli.posing import PoseOptions, pose_stage
from mar_edge.cli.progress import showing_progress
from mar_edge.cli.wire_options import SIGINT
from mar_edge.edge.errors import MarEdgeError, about

if TYPE_CHECKING:
    from mar_edge.edge.choices import RuntimeName
    from mar_edge.edge.prior import Prior
    from mar_edge.streaming.serve_config import ServeConfig
    from mar_edge.streaming.service import ServeSummary
    from mar_edge.streaming.wire.messages import AnyMessage
    from mar_edge.view.live_page import LivePage

SHOWN = ("hello", "event", "status", "end")
"""Kinds of messages that are printed."""
_STATUS_EVERY_S = 10.0


class Shows(Protocol):
    """Prints messages in its own way."""

    def show(self, message: AnyMessage) -> None:
        """Print one message, if it is news."""


class Runtime(str, Enum):
    """What runs the model file."""

    auto = "auto"
    onnxruntime = "onnxruntime"
    onnxruntime_cuda = "onnxruntime-cuda"
    openvino = "openvino"
    tensorrt = "tensorrt"


Model = Annotated[Path | None, typer.Option(help="Model file; without it the one in the package.", show_default=False)]
ModelSha256 = Annotated[
    str | None,
    typer.Option(metavar="HEX", help="Refuse a model file that has another SHA-256.", show_default=False),
]
AsFastAsPossible = Annotated[
    bool, typer.Option("--as-fast-as-possible", hidden=True, help="The default of files; scripts still ask for it.")
]


def paced(realtime: bool, as_fast_as_possible: bool) -> bool:
    """Whether recordings are played at their own pace.

    Raises:
        MarEdgeError: both were asked for.
    """
    if realtime and as_fast_as_possible:
        raise MarEdgeError("--realtime and --as-fast-as-possible exclude each other; the latter is the default")
    return realtime


PriorChoice = Annotated[
    str | None,
    typer.Option(
        "--prior",
        metavar="NAME|FILE",
        help="How often each action happens: interview, uniform, trained (as in the model's training), or a CSV file "
        "with the columns action,per_minute.  [default: interview for models of MA-52's actions]",
        show_default=False,
    ),
]


def chosen_prior(text: str | None) -> Prior | None:
    """Return ``--prior``; None where it is not given."""
    from mar_edge.edge.prior import parse_prior

    with about("--prior"):
        return None if text is None else parse_prior(text)


def run_service(
    config: ServeConfig,
    model: Path | None,
    options: PoseOptions,
    show: tuple[str, ...],
    runtime: RuntimeName = "auto",
    threads: int = 0,
    sha256: str | None = None,
    reread: Callable[[], ServeConfig] | None = None,
    page: LivePage | None = None,
    open_it: bool = False,
    display: Shows | None = None,
) -> None:
    """Serve until it ends, printing messages of the kinds ``show``; 130 after Ctrl-C.

    Args:
        sha256: that the model file must have. reread: the configuration anew, at a SIGHUP. page: where to look at it;
            open_it: in a browser, where there is a screen. display: what prints them; a line each, if None.
    """
    from mar_edge.edge.recognizer import Recognizer
    from mar_edge.streaming.operations.background_printer import BackgroundPrinter
    from mar_edge.streaming.operations.logs import set_up_logs
    from mar_edge.streaming.service import serve as serve_stream
    from mar_edge.streaming.wire.display import Display

    if config.http is not None:
        require("ops", "prometheus_client")
    set_up_logs()
    open_pose = pose_stage(options)
    opened: list[Recognizer] = []

    untold: list[str] = []

    def open_recognizer() -> Recognizer:
        with showing_progress() as progress:  # of building an engine
            opened.append(Recognizer.open(model, threads, runtime, sha256, progress))
        if show:
            untold.append(f"runtime: {opened[0].runtime.name}, {opened[0].reason}")
        return opened[0]

    def tell(text: str) -> None:
        printer.submit(lambda: print(text, file=sys.stderr, flush=True))

    def on_message(message: AnyMessage) -> None:
        if message.kind not in show:
            return
        # With the first message: where serving cannot begin, the error is all that is said.
        while untold:
            tell(untold.pop())
        printer.submit(lambda: shows.show(message))

    shows: Shows = display or Display(sys.stdout, show, status_every_s=_STATUS_EVERY_S)
    with page or nullcontext(), BackgroundPrinter() as printer:
        if page is not None:
            tell(f"page: {page.url}")
            if open_it and has_screen():
                open_page(page.url)
        summary: ServeSummary = serve_stream(
            config,
            open_pose=lambda: open_pose(opened[0].layout),  # the recogniser is opened first
            open_recognizer=open_recognizer,
            on_message=on_message,
            reread=reread,
            observer=page,
        )
        if show:
            tell(summary.report)
        printer.flush()
        if printer.lost:
            tell(f"{printer.lost} lines could not be printed: {printer.last_error}")
    if summary.signal == SIGINT:
        raise typer.Exit(INTERRUPTED)


def stated_sha256(model_sha256: str | None) -> str | None:
    """``--model-sha256`` as the digest it must be; None where it is not given."""
    from mar_edge.edge.files.digest import parse_sha256

    with about("--model-sha256"):
        return None if model_sha256 is None else parse_sha256(model_sha256)
