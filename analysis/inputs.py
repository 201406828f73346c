"""Which videos a study has, and which participant each shows: from files, folders, patterns and tables.

Reads names and tables only; opens no video.
"""

from __future__ import annotations

import glob
import os
import re
import unicodedata
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from mar_edge.analysis.participants import TABLE_SUFFIXES, read_participants
from mar_edge.edge.errors import MarEdgeError
from mar_edge.edge.files.folders import all_files_in

VIDEO_SUFFIXES = frozenset({".avi", ".m2ts", ".m4v", ".mkv", ".mov", ".mp4", ".mpeg", ".mpg", ".mts", ".webm", ".wmv"})
"""Files of folders and patterns that are taken for videos; a file that is named is taken whatever its suffix."""


# Control characters, line ends, backslashes, and bytes of a file name that are not text.
_UNFIT = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\\\\\ud800-\udfff]")


@dataclass(frozen=True)
class Video:
    """A video of a study.

    name: of its results, different from those of the others, whatever the case of its letters.
    participant: who it shows; without a table, the name. condition: "" if none is known.
    """

    path: Path
    name: str
    participant: str
    condition: str = ""


@dataclass(frozen=True)
class _Named:
    """A video as it was named. source: where, for errors."""

    path: Path
    source: str
    participant: str = ""
    condition: str = ""


def find_videos(arguments: Sequence[str]) -> list[Video]:
    """Return the videos that ``arguments`` name, each once, in their order; those of a folder by name.

    Args:
        arguments: video files, folders (searched with all folders in them), patterns such as ``day1/*.mp4``, and tables
            (``.csv``, ``.tsv``) with the columns file, participant and condition.

    Raises:
        MarEdgeError: there is none, a named file does not exist, or two rows disagree about one.
    """
    found: dict[str, _Named] = {}
    for named in (one for argument in arguments for one in _expand(argument)):
        key = os.path.realpath(named.path)
        found[key] = _merged(found[key], named) if key in found else named
    if not found:
        raise MarEdgeError(f"no video in {', '.join(arguments) or 'nothing'}; videos end in {_suffixes()}")
    names = _distinct_names([named.path for named in found.values()])
    return [
        Video(named.path, name, named.participant or name, named.condition)
        for named, name in zip(found.values(), names, strict=True)
    ]


def _expand(argument: str) -> Iterator[_Named]:
    path = Path(argument)
    if path.is_file():
        if path.suffix.lower() in TABLE_SUFFIXES:
            yield from (_Named(row.path, row.source, row.participant, row.condition) for row in read_participants(path))
        else:
            yield _Named(path, argument)
    elif path.is_dir():
        videos = _videos_in(path)
        if not videos:
            raise MarEdgeError(f"no video in the folder {path}; videos end in {_suffixes()}")
        yield from (_Named(video, argument) for video in videos)
    elif glob.has_magic(argument):
        matches = sorted(Path(match) for match in glob.glob(argument, recursive=True))
        folders = [match for match in matches if match.is_dir()]
        videos = [match for match in matches if match.is_file() and _is_video(match)]
        videos += [video for folder in folders for video in _videos_in(folder)]
        if not videos:
            raise MarEdgeError(f"no video matches {argument}; videos end in {_suffixes()}")
        yield from (_Named(video, argument) for video in videos)
    else:
        raise MarEdgeError(f"no video at {argument}; give video files, folders, or a table with the column file")


def _videos_in(folder: Path) -> list[Path]:
    """Return the videos of a folder and all folders in it, by name. Hidden ones are left out, as macOS writes them."""
    inside = (path for path in all_files_in(folder) if _is_video(path))
    return sorted(path for path in inside if not any(part.startswith(".") for part in path.relative_to(folder).parts))


def _is_video(path: Path) -> bool:
    return path.suffix.lower() in VIDEO_SUFFIXES


def _suffixes() -> str:
    return ", ".join(sorted(VIDEO_SUFFIXES))


def _merged(first: _Named, second: _Named) -> _Named:
    """Return what both say of one file.

    Raises:
        MarEdgeError: they disagree.
    """
    for field in ("participant", "condition"):
        one, other = getattr(first, field), getattr(second, field)
        if one and other and one != other:
            raise MarEdgeError(
                f"{second.source}: the {field} of {second.path} is '{other}' here and '{one}' in {first.source}"
            )
    return replace(
        first,
        participant=first.participant or second.participant,
        condition=first.condition or second.condition,
    )


def _distinct_names(paths: Sequence[Path]) -> list[str]:
    """Return a name for each file: its own without suffix, with as much of its path as tells it from the others."""
    absolute = [Path(os.path.abspath(path)) for path in paths]
    twins = _alike(str(path.with_suffix("")) for path in absolute)
    stems = [f"{path.stem}_{path.suffix[1:]}" if place in twins else path.stem for place, path in enumerate(absolute)]
    depths = [0] * len(paths)

    def name(place: int) -> str:
        folders = absolute[place].parts[1:-1]
        return _clean("_".join((*folders[len(folders) - depths[place] :], stems[place])))

    names = [name(place) for place in range(len(paths))]
    while alike := [place for place in _alike(names) if depths[place] < len(absolute[place].parts) - 2]:
        for place in alike:
            depths[place] += 1
            names[place] = name(place)
    # Folders whose names hold a "_" may still give the same name.
    alike = sorted(_alike(names))
    return [f"{name}_{alike.index(place) + 1}" if place in alike else name for place, name in enumerate(names)]


def as_files_compare(name: str) -> str:
    """Return what two names have in common that a file system may take for one."""
    return unicodedata.normalize("NFC", name).casefold()


def _alike(names: Iterable[str]) -> set[int]:
    """Return the places of names that a file system may take for the name of another file."""
    places: dict[str, list[int]] = defaultdict(list)
    for place, name in enumerate(names):
        places[as_files_compare(name)].append(place)
    return {place for same in places.values() if len(same) > 1 for place in same}


def _clean(name: str) -> str:
    """Return a name as it can be written into tables and corrections, too."""
    return _UNFIT.sub("_", name).strip() or "_"
