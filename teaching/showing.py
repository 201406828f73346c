"""What a person is asked for in front of a camera: to do the movement, again and again, and then nothing special.

Time is that of the frames. Opens, prints and draws nothing: the command line and the page do, each in its own way.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from mar_edge.edge.data import Skeleton, Window
from mar_edge.edge.errors import MarEdgeError
from mar_edge.edge.families.choice import open_family
from mar_edge.edge.labels import Label
from mar_edge.edge.layout import load_layout
from mar_edge.edge.model_file import ModelMetadata
from mar_edge.teaching.examples import LONGEST_S, MOST_EXAMPLES, Example, Shown, Span, shown_by
from mar_edge.teaching.verdicts import Verdict, problem_of
from mar_edge.teaching.views import views_of

Phase = Literal["waiting", "ready", "count", "show", "thanks", "idle", "done"]
_SEEN_FOR_S, _READY_S, _COUNT_S, _THANKS_S = 1.0, 1.5, 3.0, 1.0
_TRIES = 2  # examples that are asked for, at most, for each that is wanted


@dataclass(frozen=True)
class Plan:
    """How much is asked for.

    Raises:
        MarEdgeError: a number is out of range.
    """

    examples: int = 5
    example_s: float = 2.0
    idle_s: float = 30.0

    def __post_init__(self) -> None:
        if not 1 <= self.examples <= MOST_EXAMPLES:
            raise MarEdgeError(f"1 to {MOST_EXAMPLES} examples can be shown, best 3 to 10; not {self.examples}")
        if not (0.5 <= self.example_s <= LONGEST_S and 5.0 <= self.idle_s <= 600.0):
            raise MarEdgeError(f"an example lasts 0.5 to {LONGEST_S:g} s, and nothing special 5 to 600 s")


@dataclass(frozen=True)
class Prompt:
    """What is asked for now. number: of the example, from 1. left_s: until the next prompt, in whole seconds."""

    phase: Phase
    number: int = 0
    left_s: int = 0


class Showing:
    """Takes what a camera sees, frame by frame, and says what to do next.

    An example that cannot be used is asked for again.

    Attributes:
        prompt: What is asked for now.
        verdicts: Of the examples so far. Whether they are alike is known later, to the ``Teacher``.

    Args:
        label: what is shown.
        metadata: of the model that is taught.
        source: of the frames, for names of examples.
        plan: how much is asked for.
        person: id of the person who shows it; None for anybody who is seen.
    """

    def __init__(
        self, label: Label, metadata: ModelMetadata, source: str, plan: Plan | None = None, person: int | None = None
    ) -> None:
        self.prompt = Prompt("waiting")
        self.verdicts: list[Verdict] = []
        self._label, self._source, self._plan, self._person = label, source, plan or Plan(), person
        self._layout, self._window_s = load_layout(metadata.layout), metadata.window_s
        self._warm_up = open_family(metadata).warm_up
        self._people: dict[int, list[tuple[float, Skeleton]]] = {}
        self._now_s, self._is_seen = 0.0, False
        self._spans: list[Span] = []
        self._idle: Span | None = None
        self._dialog = self._ask()

    def push(self, t_s: float, people: Sequence[Skeleton]) -> Prompt:
        """Take everybody in one frame, and return what is asked for from now on.

        Raises:
            MarEdgeError: none of the examples can be used.
        """
        people = [one for one in people if self._person in (None, one.person)]
        self._now_s, self._is_seen = t_s, bool(people)
        for one in people:
            self._people.setdefault(one.person, []).append((t_s, one))
        self.prompt = next(self._dialog, Prompt("done"))
        return self.prompt

    def shown(self) -> Shown:
        """Return everything that was shown and can be used, after the last prompt."""
        idle = [] if self._idle is None else [self._idle]
        return shown_by(self._tracks(), self._layout.name, self._spans, self._source, idle)

    def _ask(self) -> Iterator[Prompt]:
        yield from self._until_seen()
        wanted = self._plan.examples
        while len(self._spans) < wanted and len(self.verdicts) < _TRIES * wanted:
            number = len(self._spans) + 1
            yield from self._lasting("ready", _READY_S, number)
            yield from self._lasting("count", _COUNT_S, number)
            start_s = self._now_s
            yield from self._lasting("show", self._plan.example_s, number)
            end_s = self._now_s
            yield from self._lasting("thanks", _THANKS_S, number)  # a view may end after the movement
            self._judge((start_s, end_s))
        if not self._spans:
            reasons = "; ".join(dict.fromkeys(verdict.problem for verdict in self.verdicts))
            raise MarEdgeError(f"none of {len(self.verdicts)} examples can be used: {reasons}")
        yield from self._lasting("ready", _READY_S)
        start_s = self._now_s
        yield from self._lasting("idle", self._plan.idle_s)
        self._idle = start_s, self._now_s

    def _until_seen(self) -> Iterator[Prompt]:
        since_s: float | None = None
        while since_s is None or self._now_s < since_s + _SEEN_FOR_S:
            if not self._is_seen:
                since_s = None
                self._people.clear()  # of a long wait, nothing is kept
            elif since_s is None:
                since_s = self._now_s
            yield Prompt("waiting")

    def _lasting(self, phase: Phase, duration_s: float, number: int = 0) -> Iterator[Prompt]:
        end_s = self._now_s + duration_s
        while self._now_s < end_s:
            yield Prompt(phase, number, math.ceil(end_s - self._now_s))

    def _judge(self, span: Span) -> None:
        try:
            (example,) = shown_by(self._tracks(), self._layout.name, [span], self._source).examples
        except MarEdgeError:
            name, problem = f"{self._source} {span[0]:.1f}-{span[1]:.1f} s", "nobody is seen"
        else:
            name, problem = example.name, self._problem(example)
        self.verdicts.append(Verdict(name, problem))
        if not problem:
            self._spans.append(span)

    def _problem(self, example: Example) -> str:
        views = views_of(example.track, example.span, window_s=self._window_s, warm_up=self._warm_up)
        return problem_of(example, views, self._label, self._layout)

    def _tracks(self) -> tuple[Window, ...]:
        """Return everything seen of each person."""
        return tuple(
            Window(np.stack([each.joints for _, each in seen]), np.array([t_s for t_s, _ in seen]), person)
            for person, seen in self._people.items()
        )
