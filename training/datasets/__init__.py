"""Labeled skeleton clips: one contract (``base``), and one file per origin."""
