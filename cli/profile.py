"""``profile``."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer

from mar_edge.cli.app import command
from mar_edge.cli.options.selection import Recordings, Selection, count_text
from mar_edge.edge.errors import MarEdgeError, about
from mar_edge.edge.files.outputs import check_outputs, write_whole


@command(
    "Review",
    "profile recordings --out profile.csv",
    "profile recordings --out profile.csv --window 60 --step 60 --baseline-minutes 5",
    "profile task.jsonl --out profile.csv --baseline rest.jsonl",
)
def profile(
    *,
    recordings: Recordings,
    out: Annotated[Path, typer.Option(metavar="FILE", help="CSV file to write.")],
    window: Annotated[float, typer.Option(metavar="SECONDS", help="Seconds that each profile covers.")] = 60.0,
    step: Annotated[float, typer.Option(metavar="SECONDS", help="Seconds between two profiles.")] = 5.0,
    baseline_minutes: Annotated[
        float | None,
        typer.Option(
            metavar="MINUTES", help="Baseline: first minutes of each person, from when they appear.", show_default=False
        ),
    ] = None,
    baseline: Annotated[
        Path | None,
        typer.Option(metavar="PATH", help="Baseline: a recording of the same person.", show_default=False),
    ] = None,
    as_live: Annotated[
        bool,
        typer.Option("--as-live", help="Count at each moment what was recognized by then, as serve --profile does."),
    ] = False,
    selection: Selection,
) -> None:
    """Count what each person did in a sliding minute.

    Rates are per minute in view, and compared with the person's own baseline. The profile says what a person did, and
    nothing about what they felt.
    """
    from mar_edge.analysis.profile_table import write_profiles
    from mar_edge.streaming.recognition.activity import ProfileRules
    from mar_edge.streaming.recording.profiles import live_profiles, profiles_of, read_baseline, read_observed
    from mar_edge.streaming.recording.reader import recording_files

    if baseline is not None and baseline_minutes is not None:
        raise MarEdgeError("--baseline-minutes and --baseline exclude each other; give one baseline")
    rules = ProfileRules(window, step, baseline_minutes)
    files = recording_files(recordings)
    check_outputs([out], [*files, baseline])
    base = None
    if baseline is not None:
        with about("--baseline"):
            base = read_baseline([baseline], selection.min_score)
    observed = [replace(one, timeline=selection.chosen(one.timeline)) for one in read_observed(files, selection.stream)]
    timelines = [one.timeline for one in observed]
    if as_live:
        found = live_profiles(files, timelines, rules, base, selection.min_score)
    else:
        found = [profiles_of(one, rules, base) for one in observed]
    write_whole(out, write_profiles(observed, found))
    moments = len({(number, one.end_ns) for number, profiles in enumerate(found) for one in profiles})
    print(f"{out}: {moments or 'no'} {'moment' if moments == 1 else 'moments'}, {count_text(timelines)}")
