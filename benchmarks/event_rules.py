"""What each event rule is worth: F1 and false events on synthetic recordings with the rule at half and at double.

    python benchmarks/event_rules.py [--minutes 8] [--idle 2] [--seed 3] [--only FIELD ...]

Windows do not depend on event rules, so the network is asked once per recording. Ratios above 1 are cut to 1.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import dataclass, fields

from mar_edge.edge.data import Prediction, Window
from mar_edge.edge.errors import MarEdgeError
from mar_edge.edge.recognizer import WindowRecognizer
from mar_edge.streaming.recognition.event_rules import EventRules
from mar_edge.streaming.recognition.pipeline import PipelineRules
from mar_edge.training.evaluation.stream_results import StreamResults, score_recordings
from mar_edge.training.evaluation.streaming import Take, evaluate_recording, make, plan_takes
from mar_edge.training.synth.recording import Recording

NAMES = [field.name for field in fields(EventRules) if field.name != "update_s"]  # it changes messages alone


class Kept(WindowRecognizer):
    """A recognizer that asks the network once about each window, by its time."""

    def __init__(self, recognizer: WindowRecognizer) -> None:
        vars(self).update(vars(recognizer))
        self._network, self._known = recognizer, dict[float, Prediction]()

    def predict(self, windows: Sequence[Window]) -> list[Prediction]:
        new = [window for window in windows if window.times_s[-1] not in self._known]
        for window, prediction in zip(new, self._network.predict(new), strict=True):
            self._known[window.times_s[-1]] = prediction
        return [self._known[window.times_s[-1]] for window in windows]


@dataclass(frozen=True)
class Played:
    """A recording of one person, and the network's answers to it."""

    take: Take
    recording: Recording
    recognizer: Kept


def measure(played: Sequence[Played], rules: EventRules, seed: int) -> StreamResults:
    pipeline = PipelineRules(events=rules)
    evaluated = [evaluate_recording(one.recording, one.recognizer, pipeline, idle=one.take.idle) for one in played]
    return score_recordings(evaluated, played[0].take.labels, seed)


def row(name: str, value: float, found: StreamResults) -> str:
    f1, idle = found.levels[0].events.f1, found.idle_per_minute
    return (
        f"{name:<20} {value:>8g} {f1 or 0.0:>8.3f} {found.false_per_minute or 0.0:>12.2f} "
        f"{'' if idle is None else f'{idle:.2f}':>12}"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=float, default=8.0, help="minutes of actions, one at a time")
    parser.add_argument("--idle", type=float, default=2.0, help="minutes without actions")
    parser.add_argument("--seed", type=int, default=3, help="seed of the recordings")
    parser.add_argument("--only", nargs="+", choices=NAMES, default=NAMES, metavar="FIELD", help="rules to change")
    arguments = parser.parse_args()
    with WindowRecognizer.open() as recognizer:
        takes = plan_takes(recognizer.metadata, arguments.minutes, arguments.idle, arguments.seed)
        played = [Played(take, make(take), Kept(recognizer)) for take in takes]
        print(f"{'rule':<20} {'value':>8} {'F1':>8} {'false/min':>12} {'idle/min':>12}")
        print(row("(defaults)", 1.0, measure(played, EventRules(), arguments.seed)), flush=True)
        for name in arguments.only:
            for factor in (0.5, 2.0):
                value = factor * getattr(EventRules, name)
                if name.endswith("_share"):
                    value = min(value, 1.0)
                try:
                    rules = EventRules(**{name: value})
                except MarEdgeError as error:
                    print(f"{name:<20} {value:>8g}  {error}")
                    continue
                print(row(name, value, measure(played, rules, arguments.seed)), flush=True)


if __name__ == "__main__":
    main()
