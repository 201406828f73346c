"""A lesson: what was shown -> a head, with a verdict on every example and a test of how sure it will be.

Refuses to make a head of examples that contradict each other or that equal the idle part.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from functools import partial

import numpy as np
from numpy.typing import NDArray

from mar_edge.edge.data import Window
from mar_edge.edge.errors import MarEdgeError
from mar_edge.edge.labels import Label
from mar_edge.edge.recognizer import WindowRecognizer
from mar_edge.edge.taught import FEATURES, Head, weights_of
from mar_edge.streaming.recognition.event_rules import EventRules
from mar_edge.teaching.examples import Example, Shown
from mar_edge.teaching.heads import Fitted, Floats, fit_head
from mar_edge.teaching.verdicts import Verdict, problem_of, repeated
from mar_edge.teaching.views import STRIDE_S, mirrored, rest_windows, views_of

NEW_THRESHOLD = 0.5
"""Score at which events of a new label begin."""
_HIGHEST = 0.99
_Fit = Callable[..., Fitted]
_BATCH = 8
_MOST_IDLE_S = 300.0
_LITTLE_IDLE_S = 10.0
_LEAST_OTHERS = 50
"""Windows of anything else, of other people or idle, below which their spread is unknown."""


@dataclass(frozen=True)
class Lesson:
    """A head and how it was found."""

    label: Label
    head: Head
    verdicts: tuple[Verdict, ...]

    def summary(self) -> list[str]:
        """Say in a few lines what was shown, and how sure the head will be."""
        head = self.head
        test = "not possible with one example; show at least 3"
        if head.examples > 1:
            test = f"{100 * head.found:.0f} % of the examples are found from the others"
        lines = [
            f"examples: {head.examples}, views: {head.views}, nothing special: {head.idle_s:.0f} s",
            f"self-test: {test}",
            f"false events in the part with nothing special: {head.false_per_minute:.1f} a minute",
        ]
        if head.false_per_minute >= 1:
            lines.append("warning: that is much; show more of what should not be recognized")
        if head.idle_s < _LITTLE_IDLE_S:
            lines.append("warning: little was shown of nothing special; half a minute makes false events rare")
        return lines


class Teacher:
    """Makes heads for one model.

    Args:
        recognizer: of the model file that is taught, on any runtime.
        others: windows of other people who do anything, as many as possible, of the same layout; may be empty.

    Raises:
        MarEdgeError: the model file has no features to teach on.
    """

    def __init__(self, recognizer: WindowRecognizer, others: Sequence[Window]) -> None:
        self._recognizer = recognizer
        self._rules = EventRules()
        self.window_s = recognizer.metadata.window_s
        zeros = {name: np.zeros((1, *shape), np.float32) for name, shape in recognizer.family.input_shapes.items()}
        if FEATURES not in recognizer.runtime.infer(zeros):
            raise MarEdgeError(
                f"the model '{recognizer.metadata.name}' gives no features to teach on; its file was written by an "
                "older version: write it again with 'mar-edge export'"
            )
        self._others, self._before = self._outputs(others)

    def teach(self, shown: Shown, label: Label, *, is_other: NDArray[np.bool_], mirror: bool = True) -> Lesson:
        """Return a head for a label.

        Args:
            label: known to the model or new.
            is_other: (N,) which of the other people's windows show something else than the label.
            mirror: whether the same movement to the other side, or of the other hand, has the same label.

        Raises:
            MarEdgeError: skeletons of another layout, no good example, examples that contradict each other or equal
                the idle part, or too little to compare with.
        """
        layout = self._recognizer.layout
        if shown.layout != layout.name:
            raise MarEdgeError(f"{shown.layout} skeletons were shown; the model takes {layout.name} ones")
        warm_up = self._recognizer.family.warm_up
        problems, seen = [], []
        for example in shown.examples:
            windows = views_of(example.track, example.span, window_s=self.window_s, warm_up=warm_up)
            problems.append(problem_of(example, windows, label, layout))
            seen.append(windows)
        good = [i for i, problem in enumerate(problems) if not problem]
        if not good:
            raise MarEdgeError(f"no example of '{label.name}' can be used: {_listed(shown.examples, problems)}")
        idle = self._idle(shown)
        others, before = self._everything_else(label, is_other, idle)
        examples = [self._features(seen[i]) for i in good]
        repeats = repeated(examples, others.std(axis=0) + 1e-6)
        for i, of in zip(good, repeats, strict=True):
            problems[i] = "" if of is None else f"too alike: it repeats {shown.examples[good[of]].name}"
        examples = [one for one, of in zip(examples, repeats, strict=True) if of is None]
        good = [i for i in good if not problems[i]]
        other_side = [self._features([mirrored(w, layout) for w in seen[i]]) for i in good] if mirror else []
        fit = partial(fit_head, examples, others=others, before=before, mirrored=other_side)
        fitted = fit(idle=idle)
        logits = dict(zip(good, fitted.left_out, strict=True))
        verdicts = tuple(
            Verdict(example.name, problem, float(logits[i]) if i in logits else None)
            for i, (example, problem) in enumerate(zip(shown.examples, problems, strict=True))
        )
        if not fitted.sound:
            raise _contradiction(label, verdicts)
        head = Head(
            label=label.name,
            weights=weights_of(fitted.weights),
            bias=fitted.bias + self._offset(label),
            examples=len(examples),
            views=sum(map(len, [*examples, *other_side])),
            idle_s=len(idle) * STRIDE_S,
            found=float((fitted.left_out > 0).mean()),
            false_per_minute=self._false_per_minute(fit, idle),
            taught_on=date.today().isoformat(),
        )
        return Lesson(label, head, verdicts)

    def _everything_else(self, label: Label, is_other: NDArray[np.bool_], idle: Floats) -> tuple[Floats, Floats | None]:
        """Return features of other people, or else of the idle part, and what the model knew of the label there."""
        others = self._others[is_other]
        if len(others) >= _LEAST_OTHERS:
            names = [one.name for one in self._recognizer.metadata.labels]
            known = label.name in names
            return others, self._before[is_other, names.index(label.name)] if known else None
        if len(idle) < _LEAST_OTHERS:
            raise MarEdgeError(
                f"{len(idle) * STRIDE_S:.0f} s of nothing special were shown; at least "
                f"{_LEAST_OTHERS * STRIDE_S:.0f} s are needed for this model"
            )
        return idle, None

    def _offset(self, label: Label) -> float:
        """Return the logit at which events of the label begin."""
        metadata = self._recognizer.metadata
        on = dict(zip((one.name for one in metadata.labels), metadata.thresholds, strict=False)).get(label.name)
        on = min(NEW_THRESHOLD if on is None else on, _HIGHEST)
        return math.log(on / (1 - on))

    def _false_per_minute(self, fit: _Fit, idle: Floats) -> float:
        """Return the events a minute in each half of the idle part, from heads that were fitted with the other half."""
        if len(idle) < 2:
            return 0.0
        half = len(idle) // 2
        least = math.ceil(self._rules.min_duration_s / STRIDE_S) + 1  # windows of an event
        events = 0
        for fitted_with, tried in ((idle[:half], idle[half:]), (idle[half:], idle[:half])):
            fitted = fit(idle=fitted_with)
            high = np.r_[False, tried @ fitted.weights + fitted.bias > 0, False]
            edges = np.flatnonzero(np.diff(high.astype(np.int8)))
            events += int((edges[1::2] - edges[::2] >= least).sum())
        return events / (len(idle) * STRIDE_S / 60)

    def _idle(self, shown: Shown) -> Floats:
        windows: list[Window] = []
        for idle in shown.idle:
            found = rest_windows(idle.track, idle.busy, self.window_s, self._recognizer.family.warm_up)
            windows += [window for _, window in found]
        # Evenly from everything, where there is more than is needed.
        kept = np.linspace(0, len(windows) - 1, min(len(windows), round(_MOST_IDLE_S / STRIDE_S))).astype(int)
        return self._features([windows[i] for i in kept])

    def _features(self, windows: Sequence[Window]) -> Floats:
        return self._outputs(windows)[0]

    def _outputs(self, windows: Sequence[Window]) -> tuple[Floats, Floats]:
        """Return the network's features (N, D) and logits (N, K)."""
        if not windows:
            return np.zeros((0, 1)), np.zeros((0, 1))
        batches = (windows[start : start + _BATCH] for start in range(0, len(windows), _BATCH))
        outputs = [self._recognizer.runtime.infer(self._recognizer.family.inputs(batch)) for batch in batches]
        features, logits = (np.concatenate([one[name] for one in outputs]) for name in (FEATURES, "logits"))
        return features.astype(np.float64), logits.astype(np.float64)


def _contradiction(label: Label, verdicts: Sequence[Verdict]) -> MarEdgeError:
    """Return what to say if most examples are not above the threshold, which is above the idle part."""
    used = [verdict for verdict in verdicts if not verdict.problem]
    found = sum(verdict.found for verdict in used)
    names = "; ".join(f"{one.name} {'found' if one.found else 'not found'}" for one in used)
    return MarEdgeError(
        f"of {len(used)} examples of '{label.name}', {found} would be found ({names}). They contradict each other, "
        "or look like the part where nothing special happens. Show one movement, which that part does not contain"
    )


def _listed(examples: Iterable[Example], problems: Iterable[str]) -> str:
    return "; ".join(f"{example.name}: {problem}" for example, problem in zip(examples, problems, strict=True))
