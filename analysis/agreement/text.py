"""The agreement of two codings as lines of text."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from mar_edge.analysis.agreement.compare import LEAST_TIOU, TIOUS, Agreement, AgreementRow, Differences
from mar_edge.analysis.agreement.pairing import EVERYBODY, CodedPair
from mar_edge.streaming.recording.timeline import NS

_LEVELS = {"all": "", "body group": "body groups", "action": "actions"}
_NONE = "-"


def report_lines(agreement: Agreement, pairs: Sequence[CodedPair], names: tuple[str, str]) -> Iterator[str]:
    """Yield a table, with what was compared above it and how to read it below it.

    Args:
        names: of the two codings.
    """
    yield f"A: {names[0]}"
    yield f"B: {names[1]}"
    for pair in pairs:
        people = "" if pair.people == (EVERYBODY,) else f"; people: {', '.join(pair.people)}"
        remarks = "".join(f"; {remark}" for remark in pair.remarks)
        yield f"{pair.name}: {pair.from_ns / NS:.3f} to {pair.to_ns / NS:.3f} s{people}{remarks}"
    yield ""
    width = max([len("body groups"), *(len(row.name) for row in agreement.rows)])
    f1s = "".join(f"{f'F1 {tiou:g}':>8}" for tiou in TIOUS)
    yield f"{'':{width}}{'A':>8}{'B':>8}{f1s}{'kappa':>8}{'onset B-A, s':>17}{'offset B-A, s':>17}"
    level = ""
    for row in agreement.rows:
        if _LEVELS[row.level] != level:
            level = _LEVELS[row.level]
            yield level
        yield _line(row, width)
    yield ""
    yield from _explanations(agreement)


def _line(row: AgreementRow, width: int) -> str:
    f1s = "".join(f"{_figure(figures.f1):>8}" for figures in row.events)
    counts = f"{row.events[0].true:>8}{row.events[0].live:>8}"
    edges = f"{_apart(row.onset):>17}{_apart(row.offset):>17}"
    return f"{row.name:{width}}{counts}{f1s}{_figure(row.kappa.value):>8}{edges}"


def _explanations(agreement: Agreement) -> Iterator[str]:
    yield (
        f"Kappa: time bins of {agreement.bin_s:g} s, each with the labels at its middle. Of all actions, bins agree "
        "that have the same set of labels."
    )
    yield f"Times: mean and SD over events that overlap by tIoU {LEAST_TIOU:g} or more; positive where B is later."
    reasons: dict[str, list[str]] = {}
    for row in agreement.rows:
        if row.kappa.why_undefined:
            reasons.setdefault(row.kappa.why_undefined, []).append(row.name)
    for reason, rows in reasons.items():
        yield f"No kappa for {', '.join(rows)}: {reason}."
    if agreement.points:
        yield f"Events without a duration: {agreement.points}. They are counted, and overlap no other event."


def _figure(value: float | None) -> str:
    return _NONE if value is None else f"{_rounded(value):.2f}"


def _apart(apart: Differences) -> str:
    if apart.mean_s is None:
        return _NONE
    return f"{_rounded(apart.mean_s):+.2f} ({_figure(apart.sd_s)})"


def _rounded(value: float) -> float:
    return round(value, 2) + 0.0  # without the sign of -0.00
