"""List files of videos, as MA-52 and many data sets release them: a clip per line, its path and the id of its label.

Reads lists and finds files; opens no video.
"""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path, PurePath

from mar_edge.edge.errors import MarEdgeError
from mar_edge.edge.labels import Label
from mar_edge.training.datasets.authors import Split

VIDEO_SUFFIXES = frozenset({".mp4", ".avi", ".mov", ".mkv", ".webm", ".m4v"})
# A path, then white space or a comma, then an id; the id may be missing behind a file name with a suffix.
_LINE = re.compile(r"(?P<path>.+?)(?:[\s,]+(?P<label>-?\d{1,9}))?")
_MOST_BYTES = 1 << 28
_SHOWN = 3


@dataclass(frozen=True)
class ListedClip:
    """One line of a list. name: as listed. label: index into the labels; None if the line has no id, or -1."""

    name: str
    path: Path
    label: int | None


def find_list(path: Path, split: Split) -> Path:
    """Return the list of a split: ``path`` itself, or the only text file below a folder whose name begins with it.

    Raises:
        MarEdgeError: there is none, or there are several.
    """
    if not path.is_dir():
        return path
    lists = sorted(found for found in _files_below(path) if _is_list(found) and found.name.startswith(split))
    if len(lists) == 1:
        return lists[0]
    there = f"found {', '.join(str(one.relative_to(path)) for one in lists)}" if lists else "found none"
    raise MarEdgeError(
        f"{path}: expected one list of videos named {split}*.txt, such as {split}_list_videos.txt; {there}. "
        "Name the list itself: videos:LIST"
    )


def read_list(path: Path, labels: Sequence[Label], root: Path) -> list[ListedClip]:
    """Return the clips of a list, each once, in order.

    A listed path is relative to the list's folder or to ``root``. Otherwise it is the end of exactly one path of a
    video below ``root``.

    Raises:
        MarEdgeError: the list cannot be read, or a line of it is wrong. Or a video is missing, has two labels, or is
            not the only one of its name.
    """
    place_of = {label.id: place for place, label in enumerate(labels)}
    ids: dict[str, int | None] = {}
    for number, line in enumerate(_lines(path), 1):
        where = f"{path}, line {number}"
        match = _LINE.fullmatch(line)
        name = match["path"] if match else ""
        text = match["label"] if match else None
        if not name or (text is None and PurePath(name).suffix.lower() not in VIDEO_SUFFIXES):
            raise MarEdgeError(f"{where}: '{line:.60}'; expected a video's path and the id of its label")
        label_id = None if text is None or int(text) == -1 else int(text)
        if label_id is not None and label_id not in place_of:
            raise MarEdgeError(f"{where}: no label has the id {label_id}; {_known(place_of)}")
        if ids.setdefault(name, label_id) != label_id:
            raise MarEdgeError(f"{where}: '{name}' occurs twice, with the labels {ids[name]} and {label_id}")
    if not ids:
        raise MarEdgeError(f"{path} lists no video; expected a line for each, its path and the id of its label")
    found = _found(list(ids), path, root)
    return [
        ListedClip(name, found[name], None if label_id is None else place_of[label_id])
        for name, label_id in ids.items()
    ]


def _lines(path: Path) -> list[str]:
    """Return the lines of a list without white space around them; empty ones at the end are left out."""
    try:
        if path.stat().st_size > _MOST_BYTES:
            raise MarEdgeError(f"{path} has more than {_MOST_BYTES >> 20} MiB; a list of videos is text")
        text = path.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise MarEdgeError(f"cannot read the list of videos {path}: {error.strerror}") from None
    except UnicodeDecodeError:
        raise MarEdgeError(f"{path} is not text in UTF-8; expected a list of videos") from None
    return [line.strip() for line in text.rstrip().splitlines()]


def _known(place_of: dict[int, int]) -> str:
    return f"ids are from {min(place_of)} to {max(place_of)}; --labels names other labels"


def _found(names: Sequence[str], source: Path, root: Path) -> dict[str, Path]:
    found: dict[str, Path] = {}
    for name in names:
        direct = next((place for place in (source.parent / name, root / name) if place.is_file()), None)
        if direct is not None:
            found[name] = direct
    left = [name for name in names if name not in found]
    if left:
        found |= _by_ending(left, root)
    missing = [name for name in left if name not in found]
    if missing:
        more = f" and {len(missing) - _SHOWN} more" if len(missing) > _SHOWN else ""
        raise MarEdgeError(
            f"{source}: {len(missing)} of its {len(names)} videos are not below {root}: "
            f"{', '.join(missing[:_SHOWN])}{more}; put them there, or remove their lines"
        )
    return found


def _by_ending(names: Sequence[str], root: Path) -> dict[str, Path]:
    """Return the videos below a folder whose paths end in these names."""
    by_file: dict[str, list[Path]] = {}
    for path in _files_below(root):
        if path.suffix.lower() in VIDEO_SUFFIXES:
            by_file.setdefault(path.name, []).append(path)
    found = {}
    for name in names:
        parts = PurePath(name).parts
        fitting = [path for path in by_file.get(parts[-1], []) if path.parts[-len(parts) :] == parts]
        if len(fitting) > 1:
            raise MarEdgeError(f"'{name}' is {fitting[0]} or {fitting[1]}; list longer paths")
        if fitting:
            found[name] = fitting[0]
    return found


def _files_below(folder: Path) -> list[Path]:
    return [Path(where) / name for where, _, names in os.walk(folder) for name in names]


def _is_list(path: Path) -> bool:
    return path.suffix.lower() in {".txt", ".csv"}
