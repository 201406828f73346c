"""Frequencies and durations of actions in interviews, counted in the annotations of MMA-52 and shipped as data."""

from __future__ import annotations

import csv
from functools import cache
from importlib import resources

import numpy as np

from mar_edge.training.synth.actions import ACTIONS
from mar_edge.training.synth.draws import Draws, Floats, Ints

_FILE = "ma52_rates.csv"
_PERCENTILES = (5, 25, 50, 75, 95)
# The tails beyond the five percentiles: factors on the lowest and the highest.
_SHORTEST, _LONGEST = 0.85, 1.1
# An action that MA-52 does not have: once in ten minutes, with a typical duration.
_UNKNOWN = (0.1, 0.8, 1.4, 2.5, 5.0, 10.0)


@cache
def _table() -> Floats:
    """Return (len(ACTIONS), 6): events per minute, then the percentiles of the duration, s."""
    text = resources.files("mar_edge.edge").joinpath("labelsets", _FILE).read_text(encoding="utf-8")
    columns = ("per_minute", *(f"dur_p{p:02d}_s" for p in _PERCENTILES))
    known = {int(row["id"]): [float(row[c]) for c in columns] for row in csv.DictReader(text.splitlines())}
    return np.array([known.get(action.id, _UNKNOWN) for action in ACTIONS], np.float32)


def per_minute() -> Floats:
    """Return the frequency (len(ACTIONS),) of each action, events per minute of interviews."""
    rates: Floats = _table()[:, 0]
    return rates


def typical_s() -> Floats:
    """Return the median durations (len(ACTIONS),) s."""
    medians: Floats = _table()[:, 3]
    return medians


def draw_durations(draws: Draws, rows: Ints) -> Floats:
    """Draw durations (P,) s of the actions ``rows`` (P,) of ``ACTIONS``, distributed by their percentiles."""
    table = _table()[rows, 1:]
    knots = np.concatenate([_SHORTEST * table[:, :1], table, _LONGEST * table[:, -1:]], axis=1)
    places = np.array((0.0, *(p / 100 for p in _PERCENTILES), 1.0))
    u = draws.uniform((0, 1), len(rows))
    left = np.clip(np.searchsorted(places, u, side="right") - 1, 0, len(places) - 2)
    share = (u - places[left]) / (places[left + 1] - places[left])
    which = np.arange(len(rows))
    low, high = np.log(knots[which, left]), np.log(knots[which, left + 1])
    lasts: Floats = np.exp(low + share * (high - low)).astype(np.float32)
    return lasts
