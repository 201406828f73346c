"""Names that options of studies choose among. Imports nothing, so that ``--help`` lists them at no cost."""

from __future__ import annotations

from typing import Literal

CountPeople = Literal["all", "main"]
"""Which people of a video are counted: everybody, or the one that was in view longest."""
