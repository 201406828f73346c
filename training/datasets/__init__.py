"""Labelled skeleton clips from wherever they come: one contract (``base``), one file per source beside it."""
