"""Names that options of ``export`` choose among. Imports nothing, so that ``--help`` lists them at no cost."""

from __future__ import annotations

from typing import Literal

StreamChoice = Literal["joint", "bone", "both"]
Precision = Literal["fp32", "fp16"]
"""Precisions that need no calibration."""
