"""The results of an evaluation in sentences, for the terminal and the head of the report."""

from __future__ import annotations

from collections.abc import Sequence

from mar_edge.training.evaluation.clip_results import ClipResults, Row
from mar_edge.training.evaluation.detection_results import DetectionResults
from mar_edge.training.evaluation.real_results import RealResults
from mar_edge.training.evaluation.stream_results import StreamResults
from mar_edge.training.evaluation.trained_on import TrainedOn

_SHOWN = 5
# A smaller difference between confidence and accuracy is not reported.
_NEGLIGIBLE = 0.03


def percent(share: float | None) -> str:
    """Format a share as ``72.3 %``; a dash if unknown."""
    return "–" if share is None else f"{100 * share:.1f} %"


def figure(value: float | None, digits: int = 2) -> str:
    """Format a figure as ``0.72``; a dash if unknown."""
    return "–" if value is None else f"{value:.{digits}f}"


def of(count: int, total: int) -> str:
    """Format a count as ``6 of 29 (21 %)``; a dash if the total is 0."""
    return f"{count} of {total} ({100 * count / total:.0f} %)" if total else "–"


def lateness(seconds: float | None) -> str:
    """Format an error in time as ``0.35 s too late`` or ``0.10 s too early``; a dash if unknown."""
    return "–" if seconds is None else f"{abs(seconds):.2f} s too {'early' if seconds < 0 else 'late'}"


def trained_on_sentences(result: TrainedOn) -> list[str]:
    """Return a sentence on whether the model has seen these people in training."""
    if not result.seen:
        return [
            f"Recordings of people that the model was trained on, as its file states them: 0 of {result.recordings}."
        ]
    sentence = (
        f"Warning: {result.seen} of {result.recordings} recordings show people that the model was trained on, so "
        "the figures are too good."
    )
    if result.others:
        return [f"{sentence} Evaluate the others: --participants {','.join(result.others)}"]
    return [f"{sentence} Evaluate recordings of other people."]


def real_sentences(results: RealResults) -> list[str]:
    """Return sentences about real people."""
    ranks, events, groups = results.overall, results.level("name", 0.3), results.level("body group", 0.3)
    sentences = [
        f"Real people: {ranks.actions} actions in {results.recordings} recordings. "
        f"Top-1 is correct for {of(ranks.top1, ranks.actions)}, top-3 for {of(ranks.top3, ranks.actions)}, "
        f"top-5 for {of(ranks.top5, ranks.actions)}. "
        f"The body group is correct for {of(ranks.body1, ranks.actions)}.",
        f"Reported events: {results.reported}; matches by name and an overlap of 0.3: {events.matched}. "
        f"Precision {figure(events.precision)}, recall {figure(events.recall)}, F1 {figure(events.f1)}. "
        f"By body group, F1 is {figure(groups.f1)}.",
    ]
    if results.nothing_minutes:
        sentences.append(
            f"False events: {sum(results.false.values())} in {results.nothing_minutes:.1f} minutes without an action, "
            f"{figure(results.false_per_minute, 1)} per minute. "
            f"In the other {results.minutes:.1f} minutes, {results.stray} events touch no action."
        )
    if results.detection is not None:
        sentences.append(_detection_sentence(results.detection))
    if results.unknown:
        sentences.append(f"{results.unknown} actions were left out: the model does not know their labels.")
    return sentences


def clip_sentences(results: ClipResults) -> list[str]:
    """Return sentences about single clips, the most important first."""
    deployed, actions = results.deployed, results.actions
    sentences = [
        f"Top-1 accuracy is {percent(deployed.top1)} and top-5 accuracy {percent(deployed.top5)}, "
        f"on {deployed.clips} clips of {len(results.classes)} classes."
    ]
    if actions is not None and actions != deployed:
        sentences.append(
            f"Actions only: top-1 accuracy {percent(actions.top1)} and top-5 accuracy {percent(actions.top5)}, "
            f'on {actions.clips} clips without "no action".'
        )
    best, worst = best_and_worst(results.classes)
    if worst:
        sentences.append(f"Best F1: {_listed(best)}. Worst F1: {_listed(worst)}.")
    if results.mistakes:
        first = results.mistakes[0]
        sentences.append(
            f"Most frequent mistake: {first.count} of {first.support} clips of '{first.true}' "
            f"were predicted as '{first.predicted}'."
        )
    reliability = results.reliability
    excess = reliability.confidence - reliability.accuracy
    verdict = "well calibrated" if abs(excess) < _NEGLIGIBLE else f"{'over' if excess > 0 else 'under'}confident"
    sentences.append(
        f"Mean confidence is {percent(reliability.confidence)} at an accuracy of {percent(reliability.accuracy)}: "
        f"{verdict} (expected calibration error {reliability.calibration_error:.3f})."
    )
    if results.left_out:
        sentences.append(f"{results.left_out} clips were left out: the model does not know their labels.")
    if results.unlabeled:
        sentences.append(f"{results.unlabeled} clips have no label and are not counted.")
    return sentences


def stream_sentences(results: StreamResults) -> list[str]:
    """Return sentences about live use on synthetic people."""
    sentences = []
    if results.minutes:
        events = results.levels[0].events
        several = " with several actions at once" if results.concurrent else ""
        sentences.append(
            f"Live, {results.minutes:.1f} minutes of synthetic people{several}. True actions: {events.true}; reported "
            f"events: {events.live}; matches by name and an overlap of 0.5: {events.matched}. "
            f"Precision {figure(events.precision)}, recall {figure(events.recall)}, F1 {figure(events.f1)}."
        )
        sentences.append(
            f"An action is reported {figure(results.delay_median_s)} s after its onset (median; 90 % within "
            f"{figure(results.delay_p90_s)} s), without the time for pose and network."
            if results.delay_median_s is not None
            else "No action was reported correctly, so there is no delay to report."
        )
        if results.together is not None and results.alone is not None and results.together.true:
            sentences.append(
                f"Recall is {of(results.together.matched, results.together.true)} for actions that overlap another "
                f"one, {of(results.alone.matched, results.alone.true)} for the others."
            )
        if results.detection is not None:
            sentences.append(_detection_sentence(results.detection))
        if results.start_off_s is not None:
            sentences.append(
                f"Reported onsets are {lateness(results.start_off_s)}, offsets {lateness(results.end_off_s)} (median)."
            )
    if results.idle_minutes:
        sentences.append(
            f"In {results.idle_minutes:.1f} minutes without actions, {figure(results.idle_per_minute)} events per "
            "minute were reported."
        )
    return sentences


def best_and_worst(classes: Sequence[Row]) -> tuple[list[Row], list[Row]]:
    """Return up to five classes each, by F1, of those that occur; no class is in both lists."""
    ranked = sorted((row for row in classes if row.support and row.f1 is not None), key=lambda row: -(row.f1 or 0.0))
    shown = min(_SHOWN, len(ranked) // 2)
    return ranked[:shown], ranked[len(ranked) - shown :][::-1]


def _detection_sentence(results: DetectionResults) -> str:
    return (
        f"Detection mAP is {figure(results.overall.detection_map, 3)}, the mean over overlaps of 0.1 to 0.9; "
        f"mAP of single windows is {figure(results.overall.window_map, 3)}."
    )


def _listed(rows: Sequence[Row]) -> str:
    return ", ".join(f"'{row.name}' {figure(row.f1)}" for row in rows)
