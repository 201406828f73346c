"""Run the service for a command: ``serve``, ``replay`` or ``demo``. Prints its messages and its end."""

from __future__ import annotations

import sys
from collections.abc import Callable
from contextlib import nullcontext
from typing import TYPE_CHECKING, Protocol

import typer

from mar_edge.cli.app import INTERRUPTED, SIGINT
from mar_edge.cli.browser import has_screen, open_page
from mar_edge.cli.extras import require
from mar_edge.cli.model_download import fetch_shown
from mar_edge.cli.progress import showing_progress
from mar_edge.edge.pose.choice import PoseConfig, pose_stage

if TYPE_CHECKING:
    from mar_edge.edge.choices import RuntimeName
    from mar_edge.edge.recognizer import WindowRecognizer
    from mar_edge.edge.served_models import ModelFile, ServedModels
    from mar_edge.streaming.serve_config import ServeConfig
    from mar_edge.streaming.service import ServeSummary
    from mar_edge.streaming.wire.messages import AnyMessage
    from mar_edge.view.live_page import LivePage

SHOWN = ("hello", "event", "marker", "status", "end")
"""Kinds of messages that are printed."""
_STATUS_EVERY_S = 10.0


class MessagePrinter(Protocol):
    """Prints messages in its own way."""

    def show(self, message: AnyMessage) -> None:
        """Print one message, if it is news."""


def run_service(
    config: ServeConfig,
    models: ServedModels,
    pose: PoseConfig,
    show: tuple[str, ...],
    runtime: RuntimeName = "auto",
    threads: int = 0,
    reread: Callable[[], ServeConfig] | None = None,
    page: LivePage | None = None,
    open_it: bool = False,
    display: MessagePrinter | None = None,
) -> None:
    """Serve until the end, printing messages of the kinds ``show``; exit with 130 after Ctrl-C.

    Args:
        reread: gives the configuration again, at a SIGHUP.
        page: live page; ``open_it`` opens it in a browser, where there is a screen.
        display: what prints the messages; None prints a line each.
    """
    from mar_edge.cli.picture_cost import picture_cost
    from mar_edge.edge.runtime.cores import share_of_cores
    from mar_edge.streaming.operations.background_calls import BackgroundCalls
    from mar_edge.streaming.operations.logs import set_up_logs
    from mar_edge.streaming.service import serve as serve_stream
    from mar_edge.streaming.wire.display import Display

    if config.http is not None:
        require("ops", "prometheus_client")
    set_up_logs()
    open_pose = pose_stage(pose, fetch_shown)
    opened: list[WindowRecognizer] = []
    unsaid: list[str] = []

    def open_model(file: ModelFile, threads: int) -> WindowRecognizer:
        with showing_progress() as progress:  # of building an engine
            recognizer = file.open(threads, runtime, progress)
        # The main model is opened first.
        opened.append(recognizer if lessons is None or opened else lessons.begin(recognizer))
        if show:
            unsaid.append(f"runtime: {opened[-1].runtime.name}, {opened[-1].reason}")
            if opened[-1].family.pictures is not None and not config.replay:
                main = opened[0] if len(opened) > 1 else None
                unsaid.append(picture_cost(opened[-1], main, config.pipeline.fusion.every_s))
        return opened[-1]

    pictures = models.pictures

    def report(text: str) -> None:
        printer.submit(lambda: print(text, file=sys.stderr, flush=True))

    def on_message(message: AnyMessage) -> None:
        if message.kind not in show:
            return
        # With the first message: where serving cannot begin, only the error is printed.
        while unsaid:
            report(unsaid.pop(0))
        printer.submit(lambda: messages.show(message))

    lessons = None if page is None else page.lessons
    messages: MessagePrinter = display or Display(sys.stdout, show, status_every_s=_STATUS_EVERY_S)
    with page or nullcontext(), BackgroundCalls() as printer:
        if page is not None:
            report(f"page: {page.url}")
            if lessons is not None and page.teach_url != page.url:
                report(f"page to teach on: {page.teach_url}")
            if open_it and has_screen():
                open_page(page.url)
        summary: ServeSummary = serve_stream(
            config,
            open_pose=lambda: open_pose(opened[0].layout),  # the recognizer is opened first
            open_recognizer=lambda: open_model(models.main, threads),
            # Half of the cores stay free for pose and skeletons.
            open_pictures=None if pictures is None else lambda: open_model(pictures, share_of_cores(threads, 2)),
            on_message=on_message,
            reread=reread,
            observer=page,
            new_model=None if lessons is None else lessons.new_model,
        )
        if show:
            report(summary.report)
        printer.flush()
        if printer.lost:
            report(f"{printer.lost} lines could not be printed: {printer.last_error}")
    if summary.signal == SIGINT:
        raise typer.Exit(INTERRUPTED)
