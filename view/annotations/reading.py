"""Read events from wherever they are: recordings, corrections of them, and files of annotation programs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from mar_edge.edge.errors import MarEdgeError, did_you_mean
from mar_edge.edge.files.folders import listed
from mar_edge.edge.files.tables import read_table
from mar_edge.edge.labels import UNLISTED_ID, label_named, ma52_labels
from mar_edge.streaming.recording.corrections import COLUMNS, coder_of, corrected, latest, read_corrections
from mar_edge.streaming.recording.reader import is_study, recording_files, recordings_in
from mar_edge.streaming.recording.timeline import Timeline
from mar_edge.streaming.recording.timeline_reader import read_timelines
from mar_edge.view.annotations.boris_reader import read_project
from mar_edge.view.annotations.coded import PROGRAM, ReadFile, counted
from mar_edge.view.annotations.eaf_reader import read_eaf
from mar_edge.view.annotations.table_reader import read_events, recording_name

_READERS: dict[str, Callable[[Path], ReadFile]] = {
    ".eaf": read_eaf,
    ".boris": read_project,
    ".csv": read_events,
    ".tsv": read_events,
    ".txt": read_events,
}


def input_files(paths: Sequence[Path]) -> list[Path]:
    """Return the files that ``paths`` names: these files, or those of one folder.

    Of a folder, they are its recordings. If it has none, they are its annotation files, of one suffix.

    Raises:
        MarEdgeError: there is none, or the folder has annotation files of several suffixes.
    """
    if len(paths) == 1 and paths[0].is_dir() and not recordings_in(paths[0]):
        found = [path for path in listed(paths[0]) if path.suffix.lower() in _READERS and path.is_file()]
        if is_study(paths[0]):  # its tables are results
            found = [path for path in found if _READERS[path.suffix.lower()] is not read_events]
        suffixes = sorted({path.suffix.lower() for path in found})
        if len(suffixes) > 1:
            raise MarEdgeError(f"{paths[0]} holds files of {', '.join(suffixes)}; name those to read")
        if found:
            return found
    return recording_files(paths)


def read_annotations(
    paths: Sequence[Path],
    *,
    stream: str | None = None,
    coder: str | None = None,
    names: Mapping[str, str] | None = None,
) -> ReadFile:
    """Read the events of files, or of one folder (``input_files``).

    Those of ``corrections.csv`` are the events of the recordings that it names, after correction.

    Args:
        stream: only this one.
        coder: whose corrections; None if there is one coder. Also the coder of files that name none.
        names: a coder's name of a label -> the label's name; "" leaves its events out.

    Raises:
        MarEdgeError: a file cannot be read; the error names the place. Also where nothing is left.
    """
    files = input_files(paths)
    recordings = [path for path in files if path.suffix.lower() not in _READERS]
    timelines = read_timelines(recordings, stream) if recordings else []
    notes: list[str] = []
    for path in files:
        if path in recordings:
            continue
        read = _read(path, coder)
        # Seconds of every source count from the start of the video, whatever a file shows.
        timelines += [each.unshifted() for each in read.timelines if stream in (None, each.stream)]
        notes += [f"{path.name}: {note}" for note in read.notes]
    if not timelines:
        raise MarEdgeError(f"{', '.join(map(str, files[:3]))}: no stream '{stream}' in it")
    if names is not None:
        timelines, left_out = _renamed(timelines, names)
        notes += counted(left_out, "event is left out by its name", "events are left out by their names")
    return ReadFile(tuple(timelines), (*notes, *_unlisted(timelines)))


def is_corrections(path: Path) -> bool:
    """Return whether a file is a table of corrections.

    Raises:
        MarEdgeError: a table cannot be read.
    """
    is_table = _READERS.get(path.suffix.lower()) is read_events and path.is_file()
    return is_table and set(COLUMNS) <= set(read_table(path).columns)


def coded_by(timelines: Sequence[Timeline], coder: str) -> tuple[Timeline, ...]:
    """Return timelines with only the events of one coder; "mar-edge" is the coder of what the model reported.

    Raises:
        MarEdgeError: there are none.
    """
    own = "" if coder == PROGRAM else coder
    kept = tuple(
        replace(each, events=tuple(event for event in each.events if event.coder == own)) for each in timelines
    )
    if not any(each.events for each in kept):
        coders = sorted({event.coder or PROGRAM for each in timelines for event in each.events})
        others = f"{', '.join(coders) or 'no coder'}{did_you_mean(coder, coders)}"
        raise MarEdgeError(f"no event by '{coder}'; there are some by {others}")
    return kept


def read_names(path: Path) -> dict[str, str]:
    """Read a table of a coder's names: coder_label and label.

    Raises:
        MarEdgeError: it cannot be read, lacks a column, or has a name twice. The error names the line.
    """
    table = read_table(path)
    if not {"coder_label", "label"} <= set(table.columns):
        raise MarEdgeError(f"{path} has the columns {', '.join(table.columns) or 'none'}; expected coder_label,label")
    names: dict[str, str] = {}
    for row in table.rows():
        name = row.fields["coder_label"]
        if not name or names.get(name, row.fields["label"]) != row.fields["label"]:
            raise MarEdgeError(f"{row.where}: coder_label '{name}' is empty or has two labels")
        names[name] = row.fields["label"]
    return names


def _read(path: Path, coder: str | None) -> ReadFile:
    if is_corrections(path):
        return _read_corrected(path, coder)
    read = _READERS[path.suffix.lower()](path)
    if coder is None:
        return read
    signed = (
        replace(each, events=tuple(replace(event, coder=event.coder or coder) for event in each.events))
        for each in read.timelines
    )
    return replace(read, timelines=tuple(signed))


def _read_corrected(path: Path, coder: str | None) -> ReadFile:
    """Read the recordings that a file of corrections names, after correction by one coder."""
    rows = read_corrections(path)
    if not rows:
        raise MarEdgeError(f"{path} holds no correction")
    coder = coder_of(rows, coder)
    rows = [row for row in latest(rows) if row.coder == coder]
    recordings = [_recording(path.parent, name) for name in dict.fromkeys(row.recording for row in rows)]
    missing = [each.name for each in recordings if not each.is_file()]
    if missing:
        raise MarEdgeError(f"{path} corrects {', '.join(missing[:5])}, which is not in the same folder")
    timelines = read_timelines(recordings)
    runs = {(each.stream, each.run) for each in timelines}
    events = {(each.stream, each.run, event.event_id) for each in timelines for event in each.events}
    decided = {(row.stream, row.run, row.event_id) for row in rows}
    lost = sum((row.stream, row.run) not in runs for row in rows)
    undecided = len(events - decided)
    left = "that the recordings do not hold; they were made again"
    notes = (
        *counted(lost, f"correction is of a run {left}", f"corrections are of runs {left}"),
        *counted(undecided, f"event has no decision by {coder}", f"events have no decision by {coder}"),
    )
    return ReadFile(tuple(corrected(each, rows, coder) for each in timelines), notes)


def _recording(folder: Path, name: str) -> Path:
    """Return the path of a recording that may be named without its suffix."""
    return folder / name if (folder / name).is_file() else folder / recording_name(name)


def _renamed(timelines: Collection[Timeline], names: Mapping[str, str]) -> tuple[list[Timeline], int]:
    """Return the timelines with other names of labels, and how many events they no longer have."""
    renamed, left_out = [], 0
    for timeline in timelines:
        meant = {
            label: label_named(to, timeline.labels) if (to := names.get(label.name, label.name)) else None
            for label in timeline.labels
        }
        events = tuple(
            replace(event, label=label) for event in timeline.events if (label := meant[event.label]) is not None
        )
        left_out += len(timeline.events) - len(events)
        labels = tuple(dict.fromkeys(label for label in meant.values() if label is not None))
        renamed.append(replace(timeline, events=events, labels=labels))
    return renamed, left_out


def _unlisted(timelines: Collection[Timeline]) -> tuple[str, ...]:
    """Return a note about the labels that no label set has, the most frequent first."""
    found = Counter(
        event.label.name for timeline in timelines for event in timeline.events if event.label.id == UNLISTED_ID
    )
    if not found:
        return ()
    known = {label.name for timeline in timelines for label in timeline.labels if label.id != UNLISTED_ID}
    known |= {label.name for label in ma52_labels()}
    most = ", ".join(
        f"{name} ({number}{did_you_mean(name, known, least=0.8)})" for name, number in found.most_common(10)
    )
    return (f"labels that no label set has: {most}{f' and {len(found) - 10} more' if len(found) > 10 else ''}",)
