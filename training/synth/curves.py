"""Curves of many courses at once: every clip has its own, a step or a swing. Independent of joints."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from typing import Any, TypeVar

import numpy as np

from mar_edge.training.synth.courses import Step, StepCurve, Swing, SwingCurve
from mar_edge.training.synth.draws import Bools, Draws, Floats, Ints

_Course = TypeVar("_Course", Step, Swing)
_Curve = TypeVar("_Curve", StepCurve, SwingCurve)
_Fields = TypeVar("_Fields", Step, Swing, StepCurve, SwingCurve)


def stacked(rows: Sequence[_Fields], which: Ints) -> _Fields:
    """Combine courses of one kind into one with arrays as ranges: clip i has the ranges of ``rows[which[i]]``."""

    def gather(name: str) -> object:
        values = np.array([getattr(row, name) for row in rows], np.float32)[which]  # (n,) or (n, 2)
        return tuple(values.T) if values.ndim == 2 else values

    return type(rows[0])(*(gather(field.name) for field in fields(rows[0])))  # type: ignore[arg-type]


class CourseTable:
    """The courses of a table as arrays, for lookups of many clips at once."""

    def __init__(self, courses: Sequence[Step | Swing]) -> None:
        everything = np.arange(len(courses))
        steps = [course if isinstance(course, Step) else Step((1, 1)) for course in courses]
        swings = [course if isinstance(course, Swing) else Swing((1, 1), (1, 1)) for course in courses]
        self.is_swing = np.array([isinstance(course, Swing) for course in courses])
        self._steps, self._swings = stacked(steps, everything), stacked(swings, everything)

    def steps(self, which: Ints) -> Step:
        """Return the steps of ``which`` (n,) as one course; arbitrary ranges for swings."""
        return _looked_up(self._steps, which)

    def swings(self, which: Ints) -> Swing:
        """Return the swings of ``which`` (n,) as one course; arbitrary ranges for steps."""
        return _looked_up(self._swings, which)


def _looked_up(stack: _Course, which: Ints) -> _Course:
    def of(value: Any) -> Any:
        return tuple(part[which] for part in value) if isinstance(value, tuple) else value[which]

    return type(stack)(*(of(getattr(stack, field.name)) for field in fields(stack)))


def taken(curve: _Fields, rows: Ints) -> _Fields:
    """Return the curves of ``rows``, which may repeat."""
    return type(curve)(*(getattr(curve, field.name)[rows] for field in fields(curve)))


def _joined(parts: Sequence[_Curve]) -> _Curve:
    names = [field.name for field in fields(parts[0])]
    return type(parts[0])(*(np.concatenate([getattr(part, name) for part in parts]) for name in names))


@dataclass(frozen=True)
class Curves:
    """Steps and swings mixed: ``swings`` (N,) marks the swings. ``step`` and ``swing`` both have N curves, one unused.

    Satisfies ``Curve``.
    """

    swings: Bools
    step: StepCurve
    swing: SwingCurve

    @classmethod
    def draw(cls, courses: CourseTable, which: Ints, draws: Draws, duration_s: Floats, pace: Floats) -> Curves:
        """Draw one curve for each clip, of ``courses[which]``, with durations multiplied by ``pace`` (N,)."""
        step = courses.steps(which).paced(pace).draw(draws, duration_s)
        return cls(courses.is_swing[which], step, courses.swings(which).paced(pace).draw(draws, duration_s))

    @classmethod
    def joined(cls, parts: Sequence[Curves]) -> Curves:
        """Concatenate curves."""
        swings = np.concatenate([part.swings for part in parts])
        return cls(swings, _joined([part.step for part in parts]), _joined([part.swing for part in parts]))

    def _either(self, swing: Floats, step: Floats) -> Floats:
        return np.where(self.swings if swing.ndim == 1 else self.swings[:, None], swing, step)

    @property
    def onset(self) -> Floats:
        """See ``Curve``."""
        return self._either(self.swing.onset, self.step.onset)

    @property
    def length(self) -> Floats:
        """See ``Curve``."""
        return self._either(self.swing.length, self.step.length)

    @property
    def full(self) -> Floats:
        """See ``Curve``."""
        return self._either(self.swing.full, self.step.full)

    def lead(self, ending: Bools) -> Floats:
        """Return the duration (N,) s of the way in, or where ``ending`` (N,) of the way out."""
        return self._either(self.swing.lead(ending), self.step.lead(ending))

    def returning(self, which: Bools) -> Curves:
        """Return the same curves, the steps of ``which`` (N,) with a way back."""
        return replace(self, step=self.step.returning(which))

    def starting(self, onset: Floats) -> Curves:
        """Return the same curves starting at ``onset`` (N,)."""
        return Curves(self.swings, self.step.starting(onset), self.swing.starting(onset))

    def lasting(self, length_s: Floats) -> Curves:
        """Return the same curves with a length of ``length_s`` (N,)."""
        return Curves(self.swings, self.step.lasting(length_s), self.swing.lasting(length_s))

    def take(self, rows: Ints) -> Curves:
        """Return the curves of ``rows``, which may repeat."""
        return Curves(self.swings[rows], taken(self.step, rows), taken(self.swing, rows))

    def __call__(self, t: Floats) -> Floats:
        """See ``Curve``."""
        out = np.empty_like(t)
        swings, steps = np.flatnonzero(self.swings), np.flatnonzero(~self.swings)
        out[swings] = taken(self.swing, swings)(t[swings])
        out[steps] = taken(self.step, steps)(t[steps])
        return out

    def visible(self, t: Floats) -> Floats:
        """See ``Curve``."""
        return self._either(self.swing.visible(t), self.step.visible(t))
