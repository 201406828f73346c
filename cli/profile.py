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
    corrections: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="corrections.csv: count events as they are after it.", show_default=False),
    ] = None,
    coder: Annotated[
        str | None,
        typer.Option(metavar="NAME", help="Whose corrections, if several coders made some.", show_default=False),
    ] = None,
    selection: Selection,
) -> None:
    """Count what each person did in a sliding minute.

    Rates are per minute in view, and compared with the person's own baseline. The profile says what a person did, and
    nothing about what they felt.
    """
    from mar_edge.analysis.profile_table import write_profiles
    from mar_edge.streaming.recognition.activity import ProfileRules
    from mar_edge.streaming.recording.corrections import coder_of, corrected, read_corrections
    from mar_edge.streaming.recording.profiles import (
        ObservedTimeline,
        baseline_of,
        live_profiles,
        profiles_of,
        read_observed,
    )
    from mar_edge.streaming.recording.reader import recording_files

    if baseline is not None and baseline_minutes is not None:
        raise MarEdgeError("--baseline-minutes and --baseline exclude each other; give one baseline")
    if as_live and corrections is not None:
        raise MarEdgeError("--as-live and --corrections exclude each other; nobody corrects a live stream")
    rules = ProfileRules(window, step, baseline_minutes)
    files = recording_files(recordings)
    check_outputs([out], [*files, baseline, corrections])
    rows = [] if corrections is None else read_corrections(corrections)
    coder = coder_of(rows, coder)

    def chosen(observed: ObservedTimeline) -> ObservedTimeline:
        return replace(observed, timeline=selection.chosen(corrected(observed.timeline, rows, coder)))

    base = None
    if baseline is not None:
        with about("--baseline"):
            base = baseline_of([chosen(one) for one in read_observed([baseline])])
    observed = [chosen(one) for one in read_observed(files, selection.stream)]
    if rows and not {(row.stream, row.run) for row in rows} & {
        (one.timeline.stream, one.timeline.run) for one in observed
    }:
        raise MarEdgeError(f"{corrections} corrects none of these recordings")
    timelines = [one.timeline for one in observed]
    if as_live:
        found = live_profiles(files, timelines, rules, base, selection.min_score)
    else:
        found = [profiles_of(one, rules, base) for one in observed]
    write_whole(out, write_profiles(observed, found))
    moments = len({(number, one.end_ns) for number, profiles in enumerate(found) for one in profiles})
    print(f"{out}: {moments or 'no'} {'moment' if moments == 1 else 'moments'}, {count_text(timelines)}")
