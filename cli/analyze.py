"""``analyze``."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from mar_edge.analysis.choices import CountPeople
from mar_edge.cli.app import USER_ERROR, command
from mar_edge.cli.config_file import ServeConfigFileOption, settings
from mar_edge.cli.extras import require
from mar_edge.cli.model_download import fetch_shown
from mar_edge.cli.options.events import Events
from mar_edge.cli.options.model import ModelFiles, PoseRuntime, Runtime, Threads
from mar_edge.cli.options.pose import PoseOptions
from mar_edge.cli.progress import showing_progress
from mar_edge.edge.pose.choice import pose_stage

if TYPE_CHECKING:
    from mar_edge.analysis.study import Outcome


@command(
    "Review",
    "analyze videos --out study",
    "analyze day1/*.mp4 day2 --out study --jobs 4",
    "analyze participants.csv --out study --count main",
    "analyze participants.csv --out study --coder Anna",
)
def analyze(
    context: typer.Context,
    *,
    videos: Annotated[
        list[str],
        typer.Argument(help="Videos, folders of them, patterns, or a table (.csv) of file,participant,condition."),
    ],
    out: Annotated[Path, typer.Option(metavar="FOLDER", help="Folder of the results.")],
    jobs: Annotated[
        int,
        typer.Option(
            metavar="N",
            help="Number of videos to analyze at once; 0 takes one per core.",
            min=0,
            max=1024,
            rich_help_panel="Performance",
        ),
    ] = 0,
    count: Annotated[
        CountPeople,
        typer.Option(help="People of a video that tables and report count: all, or main, the one in view longest."),
    ] = "all",
    coder: Annotated[
        str | None,
        typer.Option(
            metavar="NAME",
            help="Coder whose corrections of the recordings count in tables and report.",
            show_default=False,
        ),
    ] = None,
    model: ModelFiles,
    pose: PoseOptions,
    events: Events,
    runtime: Runtime = "auto",
    pose_runtime: PoseRuntime = "auto",
    threads: Threads = 0,
    config: ServeConfigFileOption = None,
) -> None:
    """Analyze many videos: annotations, tables and a report.

    Every frame is processed. Finished videos are skipped, so the same command goes on after an interruption. The exit
    code is 1 if a video could not be analyzed.
    """
    require("lab", "jinja2", "matplotlib")
    from mar_edge.analysis.inputs import find_videos
    from mar_edge.analysis.settings import AnalyzeConfig
    from mar_edge.analysis.study import REPORT, analyze_study

    pose_config = pose.config(pose_runtime, threads)
    analyze_config = AnalyzeConfig(model.served(), pose_config, events.rules(settings(context)), runtime, threads)
    found = find_videos(videos)
    open_pose = pose_stage(pose_config, fetch_shown)
    try:
        with showing_progress() as progress:
            outcome = analyze_study(
                found,
                out,
                analyze_config,
                open_pose,
                jobs=jobs,
                people=count,
                coder=coder,
                progress=progress,
                say=_say,
            )
    except KeyboardInterrupt:
        _say("interrupted; run the same command again to go on: what is finished is skipped")
        raise
    _print_outcome(outcome)
    print(f"report: {out / REPORT}")
    if outcome.failed:
        raise typer.Exit(USER_ERROR)


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


def _print_outcome(outcome: Outcome) -> None:
    print(
        f"videos analyzed: {len(outcome.analyzed)}, finished before: {outcome.finished}, failed: {len(outcome.failed)}"
    )
    for failure in outcome.failed:
        print(f"failed: {failure.video.path}: {failure.reason}")
    if outcome.others:
        print(f"results of other videos in the folder, not in the tables: {outcome.others}; name these videos, too")
