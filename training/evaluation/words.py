"""The results of an evaluation in plain sentences, for the terminal and the head of the report."""

from __future__ import annotations

from collections.abc import Sequence

from mar_edge.training.evaluation.clip_results import ClipResults, Row
from mar_edge.training.evaluation.real_results import RealResults
from mar_edge.training.evaluation.stream_results import StreamResults

_SHOWN = 5
# Differences between sureness and truth that are not worth a word.
_HONEST = 0.03


def percent(share: float | None) -> str:
    """``72.3 %``; a dash where it is not known."""
    return "–" if share is None else f"{100 * share:.1f} %"


def figure(value: float | None, digits: int = 2) -> str:
    """``0.72``; a dash where it is not known."""
    return "–" if value is None else f"{value:.{digits}f}"


def of(count: int, total: int) -> str:
    """``6 of 29 (21 %)``; a dash where there is nothing."""
    return f"{count} of {total} ({100 * count / total:.0f} %)" if total else "–"


def lateness(seconds: float | None) -> str:
    """``0.35 s too late``, ``0.10 s too early``; a dash where it is not known."""
    return "–" if seconds is None else f"{abs(seconds):.2f} s too {'early' if seconds < 0 else 'late'}"


def real_sentences(results: RealResults) -> list[str]:
    """What there is to say of real people."""
    ranks, events, groups = results.overall, results.level("name", 0.3), results.level("body group", 0.3)
    sentences = [
        f"Of {ranks.actions} actions of real people in {results.recordings} recordings it names "
        f"{of(ranks.top1, ranks.actions)} first; the right name is among the first three for "
        f"{of(ranks.top3, ranks.actions)}, among the first five for {of(ranks.top5, ranks.actions)}. "
        f"The body group is right for {of(ranks.body1, ranks.actions)}.",
        f"It reported {results.reported} events. {events.matched} name the action and overlap it by 0.3 or more: "
        f"precision {figure(events.precision)}, recall {figure(events.recall)}, F1 {figure(events.f1)}. "
        f"By body group F1 is {figure(groups.f1)}.",
    ]
    if results.nothing_minutes:
        sentences.append(
            f"In {results.nothing_minutes:.1f} minutes in which nothing with a name happens it reported "
            f"{sum(results.false.values())} events, {figure(results.false_per_minute, 1)} a minute; outside any action "
            f"of the other {results.minutes:.1f} minutes {results.stray}."
        )
    if results.unknown:
        sentences.append(f"{results.unknown} actions were left out, of labels that it does not know.")
    return sentences


def clip_sentences(results: ClipResults) -> list[str]:
    """What there is to say of single clips, the most important first."""
    deployed, actions = results.deployed, results.actions
    sentences = [
        f"Of {deployed.clips} clips top-1 accuracy is {percent(deployed.top1)} and top-5 accuracy "
        f"{percent(deployed.top5)}, among {len(results.classes)} classes."
    ]
    if actions is not None and actions != deployed:
        sentences.append(
            f'Of actions only, "no action" being neither a clip nor an answer: {percent(actions.top1)} of '
            f"{actions.clips} clips, {percent(actions.top5)} within five guesses."
        )
    best, worst = best_and_worst(results.classes)
    if worst:
        sentences.append(f"It knows best {_listed(best)}; least well {_listed(worst)} (F1).")
    if results.mistakes:
        first = results.mistakes[0]
        sentences.append(
            f"Its most frequent mistake: {first.count} of {first.support} clips of '{first.true}' "
            f"were taken for '{first.said}'."
        )
    trust = results.trust
    excess = trust.confidence - trust.accuracy
    verdict = "about as sure as it should be" if abs(excess) < _HONEST else f"too {'sure' if excess > 0 else 'modest'}"
    sentences.append(
        f"It was {percent(trust.confidence)} sure on average and right in {percent(trust.accuracy)}: {verdict} "
        f"(expected calibration error {trust.calibration_error:.3f})."
    )
    if results.left_out:
        sentences.append(f"{results.left_out} clips were left out, of labels that it does not know.")
    if results.unlabelled:
        sentences.append(f"{results.unlabelled} clips have no label and count in no figure.")
    return sentences


def stream_sentences(results: StreamResults) -> list[str]:
    """What there is to say of live use."""
    sentences = []
    if results.minutes:
        events = results.levels[0].events
        several = " of people who do several things at once" if results.concurrent else ""
        sentences.append(
            f"In {results.minutes:.1f} minutes of live footage{several} {events.true} actions happened and "
            f"{events.live} were reported; {events.matched} of these name the action and overlap it by half or more: "
            f"precision {figure(events.precision)}, recall {figure(events.recall)}, F1 {figure(events.f1)}."
        )
        sentences.append(
            f"An action is reported {figure(results.delay_median_s)} s after it began (median; nine of ten within "
            f"{figure(results.delay_p90_s)} s), before the time that pose and network take."
            if results.delay_median_s is not None
            else "No action was reported correctly, so there is no delay to report."
        )
        if results.together is not None and results.alone is not None and results.together.true:
            sentences.append(
                f"Of actions that overlap another one {of(results.together.matched, results.together.true)} are found, "
                f"of the others {of(results.alone.matched, results.alone.true)}."
            )
        if results.detection is not None:
            whole = results.detection.overall
            sentences.append(
                f"Detection mAP is {figure(whole.detection_map, 3)}, the mean over overlaps of 0.1 to 0.9; "
                f"of single windows mAP is {figure(whole.window_map, 3)}."
            )
        if results.start_off_s is not None:
            sentences.append(
                f"It dates the start of an action {lateness(results.start_off_s)} and its end "
                f"{lateness(results.end_off_s)} (median)."
            )
    if results.idle_minutes:
        sentences.append(
            f"In {results.idle_minutes:.1f} minutes in which nobody did anything that has a name it reported "
            f"{figure(results.idle_per_minute)} events a minute."
        )
    return sentences


def best_and_worst(classes: Sequence[Row]) -> tuple[list[Row], list[Row]]:
    """Up to five classes each, by F1, of those that occur; no class is in both lists."""
    ranked = sorted((row for row in classes if row.support and row.f1 is not None), key=lambda row: -(row.f1 or 0.0))
    shown = min(_SHOWN, len(ranked) // 2)
    return ranked[:shown], ranked[len(ranked) - shown :][::-1]


def _listed(rows: Sequence[Row]) -> str:
    return ", ".join(f"'{row.name}' {figure(row.f1)}" for row in rows)
