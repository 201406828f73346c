"""The agreement of two codings as CSV tables. Empty cells are undefined figures; a column says why."""

from __future__ import annotations

from mar_edge.analysis.agreement.compare import (
    NOTHING,
    TIOUS,
    Agreement,
    AgreementRow,
    Differences,
)
from mar_edge.analysis.agreement.pairing import CodedSpan
from mar_edge.edge.files.tables import table_of
from mar_edge.streaming.recording.matching import temporal_iou
from mar_edge.streaming.recording.timeline import NS

NO_EVENT = "(no event)"


def write_rows(agreement: Agreement) -> bytes:
    """Write a row for all actions, for each body group and for each action."""
    header = ["level", "name", "body", "events_a", "events_b"]
    header += [f"{what}_{tiou:g}" for tiou in TIOUS for what in ("matched", "f1")]
    header += ["kappa", "kappa_undefined_because", "bins_agreed", "bins", "bin_s"]
    header += [f"{edge}_{what}" for edge in ("onset", "offset") for what in ("n", "mean_s", "median_s", "sd_s")]
    return table_of(header, (_row(row, agreement.bin_s) for row in agreement.rows))


def write_confusion(agreement: Agreement) -> bytes:
    """Write the confusion matrix of events: rows are labels of A, columns labels of B."""
    names = (*agreement.labels, NOTHING)
    shown = {name: name or NO_EVENT for name in names}
    return table_of(
        ["A \\ B", *shown.values()],
        ([shown[one], *(agreement.confusion[one, other] for other in names)] for one in names),
    )


def write_counts(agreement: Agreement) -> bytes:
    """Write the number of events of A and B for each recording and action: what the Bland-Altman plot shows."""
    return table_of(
        ["recording", "action", "events_a", "events_b", "mean", "b_minus_a"],
        ([*key, one, other, (one + other) / 2, other - one] for key, (one, other) in agreement.counts.items()),
    )


def write_events(agreement: Agreement) -> bytes:
    """Write every event of both codings, next to the one it is matched with: what to look at again."""
    header = ["recording", "person"]
    header += [f"{what}_{which}" for which in ("a", "b") for what in ("label", "start_s", "end_s")]
    rows = []
    for pair in agreement.pairs:
        spans = [each for each in (pair.one, pair.other) if each is not None]
        overlap = (
            "" if pair.one is None or pair.other is None else f"{temporal_iou(pair.one.span, pair.other.span):.3f}"
        )
        cells = [pair.recording, spans[0].person, *_span(pair.one), *_span(pair.other), overlap]
        rows.append((pair.recording, min(each.start_ns for each in spans), cells))
    return table_of([*header, "tiou"], (cells for _, _, cells in sorted(rows, key=lambda row: row[:2])))


def _span(span: CodedSpan | None) -> list[str]:
    return ["", "", ""] if span is None else [span.label, f"{span.start_ns / NS:.3f}", f"{span.end_ns / NS:.3f}"]


def _row(row: AgreementRow, bin_s: float) -> list[object]:
    kappa = row.kappa
    return [
        row.level,
        row.name,
        row.body,
        row.events[0].true,
        row.events[0].live,
        *(cell for figures in row.events for cell in (figures.matched, _number(figures.f1))),
        _number(kappa.value),
        kappa.why_undefined,
        _number(kappa.agreed),
        kappa.bins,
        f"{bin_s:g}",
        *_differences(row.onset),
        *_differences(row.offset),
    ]


def _differences(apart: Differences) -> list[object]:
    return [apart.number, _number(apart.mean_s), _number(apart.median_s), _number(apart.sd_s)]


def _number(value: float | None) -> str:
    return "" if value is None else f"{value:.12g}"
