"""A study: videos in, a folder of results out. Analyzes what is not finished, and makes the tables of all."""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from contextlib import closing, suppress
from dataclasses import dataclass
from pathlib import Path

import av
import av.error

from mar_edge.analysis.choices import CountPeople
from mar_edge.analysis.corrected import correct, corrected_runs, read_coder
from mar_edge.analysis.inputs import Video
from mar_edge.analysis.report import StudyReport, write_report
from mar_edge.analysis.result import (
    MISSING,
    SUFFIX,
    VideoResult,
    read_result,
    reason_to_analyze,
    run_id,
    with_earlier_names,
)
from mar_edge.analysis.settings import AnalyzeConfig
from mar_edge.analysis.summary import AnalyzedVideo, counted, summarize, write_actions, write_groups
from mar_edge.analysis.workers import Failed, Finished, FramesDone, Report, analyze_all
from mar_edge.edge.errors import MarEdgeError
from mar_edge.edge.files.lock import locked
from mar_edge.edge.files.outputs import remove_drafts, write_whole
from mar_edge.edge.model_file import ModelMetadata
from mar_edge.edge.pose.choice import OpenPose
from mar_edge.edge.progress import Progress
from mar_edge.edge.runtime.cores import share_of_cores, usable_cores
from mar_edge.streaming.recognition.pipeline import Pipeline
from mar_edge.streaming.recording.participants import Participant, add_participants
from mar_edge.streaming.recording.reader import STUDY_FOLDER
from mar_edge.streaming.recording.timeline import NS
from mar_edge.streaming.service import check_fit
from mar_edge.streaming.timing import Timer

REPORT, ACTIONS, GROUPS = "report.html", "summary.csv", "summary_body_groups.csv"
_LOCK = ".mar-edge.lock"
_WORK = "frames analyzed"


@dataclass(frozen=True)
class Outcome:
    """How a study went. analyzed: videos of this time. finished: of an earlier time. failed: reasons.

    others: results in the folder, of videos that were not named now.
    """

    analyzed: tuple[VideoResult, ...]
    finished: int
    failed: tuple[Failed, ...]
    others: int


def analyze_study(
    videos: Sequence[Video],
    out: Path,
    config: AnalyzeConfig,
    open_pose: OpenPose,
    *,
    jobs: int = 0,
    people: CountPeople = "all",
    coder: str | None = None,
    progress: Progress,
    say: Callable[[str], None],
) -> Outcome:
    """Analyze the videos that are not finished; then write the tables and the report of all of them.

    Args:
        out: folder of tables and report, with a folder of recordings in it.
        open_pose: opens the pose stage of ``config``, to find out early that it cannot be.
        jobs: most videos at once; 0 for one per core. config's threads: 0 shares the cores among them.
        people: which people of a video are counted.
        coder: whose corrections of the recordings count in the tables; None counts what the model reported.
        say: gets a line for people, as things happen.

    Raises:
        MarEdgeError: the folder, the model or the pose stage cannot be used. Of a video, it is part of the outcome.
        KeyboardInterrupt: finished videos stay, and the next run goes on with the others.
    """
    folder = out / STUDY_FOLDER
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise MarEdgeError(f"cannot write to {folder}: {error.strerror}") from None
    busy = f"another process is analyzing videos into {out}; wait until it ends, or name another folder"
    with locked(folder / _LOCK, busy):
        remove_drafts(folder)
        videos = with_earlier_names(videos, folder)
        corrections = [] if coder is None else read_coder(folder, coder)
        metadata = _check(config, open_pose)
        finished, waiting, failed = _sorted(videos, folder, config, say)
        if waiting:
            jobs = min(jobs or usable_cores(), len(waiting))
            config = config.with_threads(share_of_cores(config.threads, jobs))
            say(f"{len(waiting)} of {len(videos)} videos to analyze, {jobs} at once, into {out}")
        try:
            reports = analyze_all(waiting, folder, config, jobs)
            analyzed, failures = _follow(reports, waiting, progress, say)
        finally:
            remove_drafts(folder)
        failed += failures
        results = finished | {result.name: result for result in analyzed}
        corrected = correct(results, folder, corrections, say)
        named = [
            counted(video, (results | corrected)[video.name], people, video.name in corrected)
            for video in videos
            if video.name in results
        ]
        summaries = summarize(named)
        write_whole(out / ACTIONS, write_actions(summaries))
        write_whole(out / GROUPS, write_groups(summaries))
        add_participants(folder, _stated_participants(named))
        write_whole(out / REPORT, write_report(StudyReport(summaries, tuple(failed), people, coder, metadata, config)))
        others = {path.name for path in folder.glob(f"*{SUFFIX}")} - {f"{video.name}{SUFFIX}" for video in videos}
    return Outcome(tuple(analyzed), len(finished), tuple(failed), len(others))


def _stated_participants(videos: Sequence[AnalyzedVideo]) -> dict[str, Participant]:
    """Return the participants that a table names; without one, each video is a participant of its own."""
    return {
        one.video.name: Participant(one.video.participant, one.video.condition)
        for one in videos
        if one.video.participant != one.video.name or one.video.condition
    }


def _sorted(
    videos: Sequence[Video], folder: Path, config: AnalyzeConfig, say: Callable[[str], None]
) -> tuple[dict[str, VideoResult], list[Video], list[Failed]]:
    """Return the results that are up to date, by name, the videos to analyze, and those that must not be."""
    settings, corrected = config.settings(), corrected_runs(folder)
    finished: dict[str, VideoResult] = {}
    waiting: list[Video] = []
    failed: list[Failed] = []
    for video in videos:
        try:
            result = read_result(folder, video.name)
            reason = reason_to_analyze(folder, result, video.path, settings)
        except (MarEdgeError, OSError) as error:
            failed.append(Failed(video, str(error)))
            continue
        if result is None:
            waiting.append(video)
        elif not reason:
            finished[video.name] = result
        elif reason != MISSING and (video.name, run_id(result.video, result.name, result.settings)) in corrected:
            say(f"{video.name}: not again, since it was corrected by hand; {reason}")
            finished[video.name] = result
        else:
            say(f"{video.name}: again, {reason}")
            waiting.append(video)
    return finished, waiting, failed


def _check(config: AnalyzeConfig, open_pose: OpenPose) -> ModelMetadata:
    """Open the model and the pose stage once: what is wrong with them is wrong for every video.

    Returns:
        What the model says of itself.

    Raises:
        MarEdgeError: one cannot be opened, they do not fit each other, or the rules do not fit the model.
    """
    with config.models.opened(config.threads, config.runtime) as (recognizer, seeing):
        Pipeline(recognizer, config.rules, Timer(), None if seeing is None else seeing.metadata)
        with open_pose(recognizer.layout) as pose:
            check_fit(recognizer, pose.name, pose.layout)
        return recognizer.metadata


def _follow(
    reports: Generator[Report, None, None], videos: Sequence[Video], progress: Progress, say: Callable[[str], None]
) -> tuple[list[VideoResult], list[Failed]]:
    """Show the frames of all videos while they are analyzed, and say how each went; return results and failures."""
    analyzed: list[VideoResult] = []
    failed: list[Failed] = []
    expected = {video.name: _frames(video.path) for video in videos}
    done = dict.fromkeys(expected, 0)
    progress(_WORK, 0, sum(expected.values()) or None)
    with closing(reports):
        for report in reports:
            name = report.video.name
            if isinstance(report, FramesDone):
                done[name] = report.frames
                expected[name] = max(expected[name], report.frames)
            elif isinstance(report, Finished):
                done[name] = expected[name] = report.result.frames
                analyzed.append(report.result)
                say(f"{name}: {_how_it_went(report.result)}")
            else:
                expected[name] = done[name]
                failed.append(report)
                say(f"{report.bug}{name}: failed: {report.reason}")
            progress(_WORK, sum(done.values()), sum(expected.values()) or None)
    return analyzed, failed


def _how_it_went(result: VideoResult) -> str:
    events, people = len(result.events), len(result.people)
    seen = f"{people} {'person' if people == 1 else 'people'}" if people else "nobody"
    note = f" ({result.note})" if result.note else ""
    return f"{events} {'event' if events == 1 else 'events'}, {seen} in {result.duration_ns / NS:.1f} s{note}"


def _frames(path: Path) -> int:
    """Return about how many frames a video has; 0 where it does not say."""
    unknown = suppress(av.error.FFmpegError, ValueError, IndexError)
    with unknown, av.open(f"file:{path}", metadata_errors="replace") as container:
        stream = container.streams.video[0]
        stated = (container.duration or 0) / av.time_base * float(stream.average_rate or 0)
        return stream.frames or round(stated)
    return 0
