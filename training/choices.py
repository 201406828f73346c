"""Choices of the options of training. Imports nothing heavy, so that ``--help`` is fast."""

from __future__ import annotations

from typing import Literal

Preset = Literal["paper", "synthetic", "live", "concurrent", "fine-tune", "corrections", "manet"]
"""Recipes; ``manet`` is for videos, the others are for skeletons."""
Loss = Literal["cross-entropy", "bce", "asymmetric", "focal"]
Balance = Literal["none", "weights", "sampling"]
