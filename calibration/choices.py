"""Names that options of ``calibrate`` choose among. Imports nothing, so that ``--help`` lists them at no cost."""

from __future__ import annotations

from typing import Literal

Method = Literal["entropy", "percentile", "minmax"]
"""Ways to choose the range of a tensor."""
NarrowPrecision = Literal["fp16", "int8"]
