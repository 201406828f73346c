"""Chooses installed fonts that have the letters of labels, in any script. Draws nothing."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator
from functools import lru_cache

from matplotlib import font_manager
from matplotlib.ft2font import FT2Font

from mar_edge.edge.errors import MarEdgeError

DEFAULT = "DejaVu Sans"
# Searched first, since they match the default; then every other font.
_PREFERRED = ("Noto Sans", "Source Han Sans", "WenQuanYi", "Microsoft YaHei", "PingFang", "Hiragino", "SimHei")

# Part of matplotlib: draws a box with the name of the script instead of a letter.
_PLACEHOLDER = "Last Resort"
# Matplotlib warns about each font without a bold face.
logging.getLogger("matplotlib.font_manager").addFilter(lambda record: "font weight" not in record.getMessage())


def families_for(texts: Iterable[str]) -> list[str]:
    """Return the default family, and as few others as needed for letters that it lacks, in order of preference.

    Raises:
        MarEdgeError: no installed font has some of the letters.
    """
    wanted = {letter for text in texts for letter in text if not letter.isspace()}
    families = [DEFAULT]
    missing = wanted - _letters_of(font_manager.findfont(DEFAULT))
    for family, path in _others() if missing else ():
        found = missing & _letters_of(path)
        if found:
            families.append(family)
            missing -= found
        if not missing:
            break
    if missing:
        raise MarEdgeError(
            f"no installed font has the letters {''.join(sorted(missing)[:20])}. Install one that does (for Chinese, "
            "Japanese and Korean: fonts-noto-cjk on Debian), or write an .svg, which uses the fonts of its viewer"
        )
    return families


def _others() -> Iterator[tuple[str, str]]:
    """Yield family and file of every other upright font of regular weight, preferred ones first."""
    entries = [
        entry
        for entry in font_manager.fontManager.ttflist
        if entry.name != DEFAULT
        and not entry.name.startswith(_PLACEHOLDER)
        and entry.style == "normal"
        and entry.weight in (400, "normal", "regular", "book")
    ]

    def rank(entry: font_manager.FontEntry) -> tuple[int, str]:
        place = next((i for i, name in enumerate(_PREFERRED) if entry.name.startswith(name)), len(_PREFERRED))
        return place, entry.name

    yield from ((entry.name, entry.fname) for entry in sorted(entries, key=rank))


@lru_cache(maxsize=256)
def _letters_of(path: str) -> frozenset[str]:
    try:
        return frozenset(map(chr, FT2Font(path).get_charmap()))
    except (OSError, RuntimeError):  # the file was removed, or FreeType cannot read it
        return frozenset()
