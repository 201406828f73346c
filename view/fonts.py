"""Fonts for whatever letters labels are written in: of those installed, the ones that have them. Draws nothing."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator
from functools import lru_cache

from matplotlib import font_manager
from matplotlib.ft2font import FT2Font

from mar_edge.edge.errors import MarEdgeError

DEFAULT = "DejaVu Sans"
# Looked into first, for they go well with it; then every other one.
_PREFERRED = ("Noto Sans", "Source Han Sans", "WenQuanYi", "Microsoft YaHei", "PingFang", "Hiragino", "SimHei")

# Comes with matplotlib: a box that names the script in place of each letter.
_PLACEHOLDER = "Last Resort"
# Not every font has a bold face for headings, and matplotlib says so at each.
logging.getLogger("matplotlib.font_manager").addFilter(lambda record: "font weight" not in record.getMessage())


def families_for(texts: Iterable[str]) -> list[str]:
    """The default family, and as few others as have the letters that it lacks, in the order in which to try them.

    Raises:
        MarEdgeError: no font here has some of the letters.
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
            f"no font here has the letters {''.join(sorted(missing)[:20])}; install one that does (for Chinese, "
            "Japanese and Korean, Debian's fonts-noto-cjk), or write an .svg, which leaves them to whoever opens it"
        )
    return families


def _others() -> Iterator[tuple[str, str]]:
    """Family and file of every other font that is upright and of usual weight, the preferred first."""
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
    except (OSError, RuntimeError):  # a file that was removed, or is no font to FreeType
        return frozenset()
