"""Names that options of training choose among. Imports nothing, so that ``--help`` lists them at no cost."""

from __future__ import annotations

from typing import Literal

Preset = Literal["paper", "synthetic", "live", "concurrent", "fine-tune"]
"""Recipes."""
Loss = Literal["cross-entropy", "bce", "asymmetric", "focal"]
Balance = Literal["none", "weights", "sampling"]
