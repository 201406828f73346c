"""Teach the package's model synthetic people: ten known and ten new actions, from 1, 3, 5 and 10 examples of each.

    python benchmarks/teaching.py [--people 50] [--ablations] [--only TEXT ...] [--cache FOLDER]

Each person is unlike those that the model was trained on. Each does two known and two new actions, about fifteen times
each, with other movements between. Examples are the first of each, and the idle part is half a minute between them.
The rest of the recording is evaluated. An event is a stretch in which the smoothed score is above the threshold for
as long as the rules of events ask for. It is correct if it touches an action of its label, as in the fit of thresholds
(``training.evaluation.live_thresholds``). A label stays as it was where ``teach`` refuses the examples. Features are
computed once and kept in the cache.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np

import mar_edge.training.synth.actions as tables
from mar_edge.training.synth.actions.row import Action, Drive, Hand, Manner
from mar_edge.training.synth.courses import Step, Swing
from mar_edge.training.synth.places import Anchor, Part, Place
from mar_edge.training.synth.rig import Channel

C = Channel
_STOP = Place("stop", Anchor.CHEST, (0.1, 0.25, 0.4), (0, 1, 0), (0, 0, 1), Part.PALM, 0.05)
_TOP = Place("top of the head", Anchor.HEAD, (0.02, 0.17, 0.02), (-1, 0, 0), (0, -1, 0), Part.PALM, 0.03)
MORE_ACTIONS = (
    Action(
        70,
        "rolling a shoulder",
        amplitude=(0.02, 0.07),
        body="body",
        manners=(
            Manner(
                Swing(hz=(0.6, 1.2), cycles=(1, 3)),
                (Drive(C.RIGHT_SHOULDER_UP), Drive(C.RIGHT_SHOULDER_FORWARD, (0.8, 1.1), lag_s=(0.2, 0.3))),
            ),
        ),
    ),
    Action(
        71,
        "twisting the trunk",
        amplitude=(10, 30),
        body="body",
        manners=(Manner(Swing(hz=(0.4, 0.8), cycles=(1, 3)), (Drive(C.CHEST_YAW), Drive(C.HEAD_YAW, (0.2, 0.5)))),),
    ),
    Action(
        72,
        "slumping",
        amplitude=(10, 25),
        body="body",
        manners=(Manner(Step((0.4, 1.2), returns=0.5), (Drive(C.SLOUCH), Drive(C.HEAD_PITCH, (0.3, 0.8)))),),
    ),
    Action(
        73,
        "holding a hand out",
        body="upper limb",
        manners=(Manner(Step((0.3, 0.9), (0.5, 2), returns=0.7, dwell_s=0.5), hands=(Hand((_STOP,), curl=(0, 0.2)),)),),
    ),
    Action(
        74,
        "hand on the head",
        body="head-hand",
        manners=(Manner(Step((0.4, 1.1), (0.5, 3), returns=0.6, dwell_s=0.5), hands=(Hand((_TOP,)),)),),
    ),
)
# Before the modules that look the tables up as they are imported.
tables.ACTIONS = (*tables.ACTIONS, *MORE_ACTIONS)

from fine_tuning import NEW_ACTIONS

from mar_edge.edge.data import Window
from mar_edge.edge.recognizer import WindowRecognizer
from mar_edge.streaming.recognition.event_rules import EventRules
from mar_edge.teaching.heads import Fitting, fit_head
from mar_edge.teaching.views import STRIDE_S, cut, mirrored, rest_windows, views_of
from mar_edge.training.evaluation.live_thresholds import smoothed
from mar_edge.training.synth.generator import CLASSES
from mar_edge.training.synth.live import concurrent_windows
from mar_edge.training.synth.recording import record
from mar_edge.training.synth.world import HELD_OUT

SHOTS = (1, 3, 5, 10)
KNOWN = (2, 7, 9, 10, 13, 19, 32, 37, 41, 43)
NEW = tuple(action.id for action in (*NEW_ACTIONS, *MORE_ACTIONS))
_RECORDING_S, _FPS, _SEED = 330.0, 15.0, 91
_EXAMPLES, _LEAST_JUDGED, _IDLE_S = 10, 3, 30.0
_OTHERS, _BATCH, _WINDOW_S = 400, 8, 2.0
_RULES = EventRules()


@dataclass(frozen=True)
class Others:
    """Windows of other people: features (N, D), logits (N, K), and targets (N, K) of what they show."""

    features: np.ndarray
    logits: np.ndarray
    targets: np.ndarray


@dataclass(frozen=True)
class Person:
    """What heads are fitted and judged on.

    taught: ids of the actions that happen often enough. events: (id, start, end) of all actions after the examples.
    still: (M, D) features of the idle part.
    views: features of each example.
    ends (W,) s, features (W, D), logits (W, K): all windows after the examples. idle_minutes: of those without actions.
    """

    taught: list[int]
    events: list[tuple[int, float, float]]
    still: np.ndarray
    views: dict[tuple[int, int], list[np.ndarray]]
    ends: np.ndarray
    features: np.ndarray
    logits: np.ndarray
    idle_minutes: float


def infer(recognizer: WindowRecognizer, windows: list[Window]) -> tuple[np.ndarray, np.ndarray]:
    features, logits = [], []
    for start in range(0, len(windows), _BATCH):
        outputs = recognizer.runtime.infer(recognizer.family.inputs(windows[start : start + _BATCH]))
        features.append(outputs["features"])
        logits.append(outputs["logits"])
    return np.concatenate(features), np.concatenate(logits)


def meet(number: int, recognizer: WindowRecognizer) -> Person | None:
    """Record a person and compute everything that heads are fitted and judged on; None if too little happens."""
    ids = [group[(number + half * 5) % 10] for group in (KNOWN, NEW) for half in (0, 1)]
    labels = [label for label in CLASSES if label.id in ids]
    taken = record((_SEED, number), duration_s=_RECORDING_S, fps=_FPS, world=HELD_OUT, labels=labels)
    window_s, warm_up = recognizer.metadata.window_s, recognizer.family.warm_up
    track = Window(taken.joints, taken.t)
    events = [(event.label.id, event.t_start, event.t_end) for event in taken.events]
    own = {label: [event for event in events if event[0] == label] for label in ids}
    taught = [label for label in ids if len(own[label]) >= _EXAMPLES + _LEAST_JUDGED]
    if not taught:
        return None
    begin = max(own[label][_EXAMPLES - 1][2] for label in taught) + window_s
    views = {}
    for label in taught:
        for i, (_, start, end) in enumerate(own[label][:_EXAMPLES]):
            shown = views_of(track, (start, end), window_s=window_s, warm_up=warm_up)
            of_each, _ = infer(recognizer, [*shown, *(mirrored(window, recognizer.layout) for window in shown)])
            views[label, i] = np.split(of_each, 2)
    rest = list(rest_windows(track, np.array([event[1:] for event in events]), window_s, warm_up))
    still, _ = infer(recognizer, [window for end, window in rest if end < begin][: int(_IDLE_S / STRIDE_S)])
    seen = [(end, cut(track, end, window_s, warm_up)) for end in np.arange(begin + window_s, taken.t[-1], STRIDE_S)]
    kept = [(end, window) for end, window in seen if window is not None]
    features, logits = infer(recognizer, [window for _, window in kept])
    return Person(
        taught,
        [event for event in events if event[2] > begin],
        still,
        views,
        np.array([end for end, _ in kept]),
        features,
        logits,
        sum(end > begin for end, _ in rest) * STRIDE_S / 60,
    )


def stretches(scores: np.ndarray, ends: np.ndarray, least: float) -> list[tuple[float, float]]:
    """Return the first and the last window of each stretch that is long enough to be an event."""
    smooth = smoothed(ends, scores[:, None], _RULES.smoothing_s)[:, 0]
    edges = np.flatnonzero(np.diff(np.r_[0, (smooth >= least).astype(int), 0]))
    runs = [(ends[a], ends[b - 1]) for a, b in edges.reshape(-1, 2)]
    return [(a, b) for a, b in runs if b - a >= _RULES.min_duration_s - 1e-3]


@dataclass
class Counts:
    true: int = 0
    found: int = 0
    false: int = 0
    idle: int = 0

    @property
    def f1(self) -> float:
        return 2 * self.found / max(self.true + self.found + self.false, 1)


def judge(scores: np.ndarray, person: Person, least: float, label: int) -> Counts:
    reported = stretches(scores, person.ends, least)
    own = [event for event in person.events if event[0] == label]

    def touches(run: tuple[float, float], event: tuple[int, float, float]) -> bool:
        return run[0] - _WINDOW_S < event[2] and run[1] > event[1]

    return Counts(
        len(own),
        sum(any(touches(run, event) for run in reported) for event in own),
        sum(not any(touches(run, event) for event in own) for run in reported),
        sum(not any(touches(run, event) for event in person.events) for run in reported),
    )


@dataclass(frozen=True)
class Way:
    """One way of teaching: with which views and which of everything else.

    cosine: on features of length 1, about the mean of other people.
    """

    cosine: bool = False
    mirror: bool = True
    idle: bool = True
    others: bool = True
    base: bool = True
    fitting: Fitting = field(default_factory=Fitting)


def teach_and_judge(people: list[Person], others: Others, k: int, way: Way, on: float) -> dict:
    """Figures: F1 of known labels before and after, and new ones; false events a minute idle; refusals; fit time."""
    seen = _on_the_sphere(others.features) if way.cosine else _unchanged
    before: defaultdict[int, Counts] = defaultdict(Counts)
    after: defaultdict[int, Counts] = defaultdict(Counts)
    idle_before, idle_after, refused, fits_s = 0, 0, 0, []
    for person in people:
        scores = 1 / (1 + np.exp(-person.logits))
        was = {label: Counts(sum(event[0] == label for event in person.events)) for label in person.taught}
        for label in range(scores.shape[1]):
            was[label] = counts = judge(scores[:, label], person, on, label)
            idle_before += counts.idle
            idle_after += counts.idle * (label not in person.taught)
            if label in person.taught:
                _add(before[label], counts)
        still = seen(person.still)
        for label in person.taught:
            plain, other_side = zip(*(person.views[label, i] for i in range(k)), strict=True)
            rest, known = seen(others.features), None
            if label in KNOWN:
                something_else = others.targets[:, label] == 0
                rest = rest[something_else]
                known = others.logits[something_else, label].astype(np.float64) if way.base else None
            began_s = time.perf_counter()
            if not way.others:
                rest, known = still, None
            head = fit_head(
                [seen(each) for each in plain],
                still if way.idle else still[:0],
                rest,
                known,
                mirrored=[seen(each) for each in other_side] if way.mirror else (),
                fitting=way.fitting,
            )
            fits_s.append(time.perf_counter() - began_s)
            t = seen(person.features) @ head.weights + head.bias
            counts = judge(1 / (1 + np.exp(-t)), person, 0.5, label) if head.sound else was[label]
            refused += not head.sound
            idle_after += counts.idle
            _add(after[label], counts)
    known, new = ([label for label in group if label in after] for group in (KNOWN, NEW))
    minutes = sum(person.idle_minutes for person in people)
    return {
        "fit_s": float(np.median(fits_s)),
        "refused": refused / len(fits_s),
        "known": [float(np.mean([counts[label].f1 for label in known])) for counts in (before, after)],
        "new": float(np.mean([after[label].f1 for label in new])),
        "idle": [idle_before / minutes, idle_after / minutes],
        "by label": [(label, before[label].f1, after[label].f1, after[label].true) for label in (*known, *new)],
    }


def _unchanged(features: np.ndarray) -> np.ndarray:
    return features.astype(np.float64)


def _on_the_sphere(others: np.ndarray) -> Callable[[np.ndarray], np.ndarray]:
    center, spread = others.mean(axis=0, dtype=np.float64), others.std(axis=0, dtype=np.float64) + 1e-6

    def seen(features: np.ndarray) -> np.ndarray:
        apart = (features - center) / spread
        return apart / (np.linalg.norm(apart, axis=-1, keepdims=True) + 1e-9)

    return seen


def _add(total: Counts, more: Counts) -> None:
    for name, value in vars(more).items():
        setattr(total, name, getattr(total, name) + value)


def main() -> None:
    parser = argparse.ArgumentParser(description="What teaching gives, on synthetic people.")
    parser.add_argument("--people", type=int, default=50)
    parser.add_argument("--ablations", action="store_true", help="5 examples, without each ingredient")
    parser.add_argument("--only", nargs="*", default=[""], metavar="TEXT", help="rows whose name contains one of them")
    parser.add_argument("--cache", type=Path, default=Path(tempfile.gettempdir()) / "mar-edge-teaching")
    arguments = parser.parse_args()
    arguments.cache.mkdir(parents=True, exist_ok=True)
    with WindowRecognizer.open(threads=1, runtime="onnxruntime") as recognizer:
        on = recognizer.metadata.thresholds[0]
        drawn = concurrent_windows(_SEED, 0, _OTHERS, classes=[label for label in CLASSES if label.id <= 52])
        times_s = np.linspace(0, _WINDOW_S, drawn.joints.shape[1])
        others = Others(*infer(recognizer, [Window(clip, times_s) for clip in drawn.joints]), drawn.targets)
        people = []
        for number in range(arguments.people):
            path = arguments.cache / f"{number}.npy"
            if not path.exists():
                np.save(path, np.array([meet(number, recognizer)], object), allow_pickle=True)
            people.append(np.load(path, allow_pickle=True)[0])
    people = [person for person in people if person is not None]
    print(f"{len(people)} people")
    for k in SHOTS:
        name = f"{k} examples"
        if any(text in name for text in arguments.only):
            _print(name, teach_and_judge(people, others, k, Way(), on), by_label=k == 5)
    if arguments.ablations:
        ways = {
            # Ridge regression of two classes has the direction of the default: LDA with a shrunken covariance.
            "prototypes, Euclidean": Way(fitting=replace(Fitting(), shrink=1.0)),
            "prototypes, cosine": Way(cosine=True, fitting=replace(Fitting(), shrink=1.0)),
            "without mirrored views": Way(mirror=False),
            "without what it knew": Way(base=False),
            "without the idle part": Way(idle=False),
            "without other people": Way(others=False),
            **{f"shrink {s}": Way(fitting=replace(Fitting(), shrink=s)) for s in (0.05, 0.1, 0.2, 0.5, 0.9)},
            **{f"quantile {q}": Way(fitting=replace(Fitting(), quantile=q)) for q in (0.95, 0.97, 0.995)},
            **{f"between {b}": Way(fitting=replace(Fitting(), between=b)) for b in (0.12, 0.36, 0.84)},
            **{f"margin {m}": Way(fitting=replace(Fitting(), margin=m)) for m in (0.0, 0.4)},
            **{f"base {b}": Way(fitting=replace(Fitting(), base=b)) for b in (2.0, 5.0, 20.0)},
            **{f"idle {w}": Way(fitting=replace(Fitting(), idle=w)) for w in (0.2, 0.8)},
        }
        for name, way in ways.items():
            if any(text in name for text in arguments.only):
                _print(name, teach_and_judge(people, others, 5, way, on))


def _print(name: str, figures: dict, by_label: bool = False) -> None:
    (before, after), new, (idle, taught) = figures["known"], figures["new"], figures["idle"]
    print(
        f"{name:36} known F1 {before:.2f} -> {after:.2f}   new F1 {new:.2f}   "
        f"false a minute idle {idle:.2f} -> {taught:.2f}   refused {figures['refused']:.0%}   "
        f"fit {1000 * figures['fit_s']:.0f} ms",
        flush=True,
    )
    names = {label.id: label.name for label in CLASSES}
    for label, was, now, true in figures["by label"] if by_label else ():
        print(f"    {names[label]:36} {was:.2f} -> {now:.2f}  ({true})")


if __name__ == "__main__":
    main()
