"""Several videos at once: processes that each take one video after the other. Knows what a video becomes, not how.

A process that ends, for want of memory or by a bug of a library, loses the video in its hand and nothing else. All of
them end with the process that started them, however that ends.
"""

from __future__ import annotations

import logging
import multiprocessing
import time
import traceback
from collections.abc import Generator, Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from multiprocessing.connection import Connection, wait
from multiprocessing.context import SpawnProcess
from pathlib import Path

from mar_edge.analysis.inputs import Video
from mar_edge.analysis.result import VideoResult
from mar_edge.analysis.settings import AnalyzeConfig
from mar_edge.edge.child_process import begin_child
from mar_edge.edge.errors import MarEdgeError

_PROGRESS_EVERY_S = 0.5
_END_S = 5.0


@dataclass(frozen=True)
class FramesDone:
    """How many frames of a video were processed so far."""

    video: Video
    frames: int


@dataclass(frozen=True)
class Finished:
    """A video was analyzed."""

    video: Video
    result: VideoResult


@dataclass(frozen=True)
class Failed:
    """A video was not analyzed. bug: a traceback, where it is not the video's or the user's fault."""

    video: Video
    reason: str
    bug: str = ""


Report = FramesDone | Finished | Failed


def analyze_all(
    videos: Sequence[Video], folder: Path, config: AnalyzeConfig, jobs: int
) -> Generator[Report, None, None]:
    """Yield what happens, until each video is finished or has failed.

    Closing the generator ends the processes at once.

    Args:
        folder: for the results.
        jobs: number of processes.
    """
    waiting = list(reversed(videos))
    workers: list[_Worker] = []
    try:
        while waiting or workers:
            while waiting and len(workers) < jobs:
                workers.append(_Worker(folder, config, waiting.pop()))
            for ready in wait([worker.connection for worker in workers]):
                worker = next(worker for worker in workers if worker.connection is ready)
                report = worker.report()
                yield report
                if isinstance(report, FramesDone):
                    continue
                if waiting and worker.is_alive:
                    worker.take(waiting.pop())
                else:
                    worker.end()
                    workers.remove(worker)
    finally:
        for worker in workers:
            worker.kill()


class _Worker:
    """A process, and the video in its hand."""

    def __init__(self, folder: Path, config: AnalyzeConfig, video: Video) -> None:
        # Spawned: a forked process would inherit locks of threads that it does not have.
        context = multiprocessing.get_context("spawn")
        self.connection, theirs = context.Pipe()
        self.is_alive = True
        self._process: SpawnProcess = context.Process(target=_work, args=(theirs, folder, config), daemon=True)
        self._process.start()
        theirs.close()  # so that the end of the process ends the connection
        self.take(video)

    def take(self, video: Video) -> None:
        """Give it the next video."""
        self.video = video
        with suppress(OSError):  # it has ended, which ``report`` says
            self.connection.send(video)

    def report(self) -> Report:
        """Return what it said; that its video failed where it has ended."""
        try:
            report: Report = self.connection.recv()
        except (EOFError, OSError):
            self.is_alive = False
            self._process.join(_END_S)
            code = self._process.exitcode
            how = f"by signal {-code}" if code is not None and code < 0 else f"with exit code {code}"
            return Failed(
                self.video,
                f"the process that analyzed it ended {how}; if memory ran out, analyze fewer at once with --jobs",
            )
        return report

    def end(self) -> None:
        """End it in order."""
        with suppress(OSError):
            self.connection.send(None)
        self._process.join(_END_S)
        self.kill()

    def kill(self) -> None:
        """End it at once, if it has not ended."""
        self._process.kill()
        self._process.join()
        self.connection.close()


def _work(connection: Connection, folder: Path, config: AnalyzeConfig) -> None:
    """Analyze what comes through the connection, until None comes."""
    begin_child()
    # What is wrong with a video is part of its result.
    logging.getLogger("mar_edge").addHandler(logging.NullHandler())
    video: Video | None = connection.recv()
    while video is not None:
        try:
            _work_on(connection, folder, config, video)
            return
        except MarEdgeError as error:  # noqa: PERF203 - of opening the model, for each video
            connection.send(Failed(video, str(error)))
            video = connection.recv()


def _work_on(connection: Connection, folder: Path, config: AnalyzeConfig, video: Video | None) -> None:
    """Open the model, and analyze from ``video`` on.

    Raises:
        MarEdgeError: the model cannot be opened.
    """
    from mar_edge.analysis.video import Stages, analyze_video
    from mar_edge.edge.pose.choice import pose_stage
    from mar_edge.streaming.pictures.live import PictureModel

    settings = config.settings()
    open_pose = pose_stage(config.pose)
    with config.models.opened(config.threads, config.runtime) as (recognizer, seeing), ExitStack() as stack:
        model = None if seeing is None else stack.enter_context(PictureModel(seeing))
        while video is not None:
            said_s = 0.0

            def on_frames(frames: int, video: Video = video) -> None:
                nonlocal said_s
                if time.monotonic() - said_s >= _PROGRESS_EVERY_S:
                    said_s = time.monotonic()
                    connection.send(FramesDone(video, frames))

            try:
                with open_pose(recognizer.layout) as pose:
                    stages = Stages(pose, recognizer, config.rules, settings, model)
                    connection.send(Finished(video, analyze_video(video, folder, stages, on_frames)))
            except MarEdgeError as error:
                connection.send(Failed(video, str(error)))
            except Exception as error:  # noqa: BLE001 - a bug that one video shows must not stop the others
                connection.send(Failed(video, f"{type(error).__name__}: {error}", traceback.format_exc()))
            video = connection.recv()
