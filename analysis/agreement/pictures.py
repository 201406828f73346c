"""Pictures of agreement: the confusion matrix of events, and a Bland-Altman plot of counts. Uses matplotlib."""

from __future__ import annotations

from statistics import fmean, stdev

import numpy as np
from matplotlib.colors import PowerNorm
from matplotlib.figure import Figure

from mar_edge.analysis.agreement.compare import LEAST_TIOU, NOTHING, Agreement
from mar_edge.analysis.agreement.tables import NO_EVENT
from mar_edge.view.plot import render

# 95 % of differences that are normally distributed are this many standard deviations around their mean.
_LIMIT_SD = 1.96
_INCHES_A_LABEL = 0.2
_MARGIN_INCHES = 2.4
_LEAST_INCHES = 4.0  # for the names of the codings
_BLAND_ALTMAN_INCHES = (5.0, 3.6)
_COLOR, _LINES = "#0072B2", "#404040"


def confusion_picture(agreement: Agreement, names: tuple[str, str], suffix: str) -> bytes:
    """Draw the confusion matrix of events, numbers in cells, darker for a larger share of the row.

    Args:
        names: of the two codings.
    """
    return render(lambda: _confusion(agreement, names), (*agreement.labels, *names), suffix)


def bland_altman_picture(agreement: Agreement, names: tuple[str, str], suffix: str) -> bytes:
    """Draw differences of counts over their means, a point for each recording and action.

    Lines show the mean difference and the limits of agreement, 1.96 standard deviations around it. Source: Bland and
    Altman 1986, Statistical methods for assessing agreement between two methods of clinical measurement.
    """
    return render(lambda: _bland_altman(agreement, names), names, suffix)


def _confusion(agreement: Agreement, names: tuple[str, str]) -> Figure:
    labels = (*agreement.labels, NOTHING)
    counts = np.array([[agreement.confusion[one, other] for other in labels] for one in labels])
    shares = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    side = max(_MARGIN_INCHES + _INCHES_A_LABEL * len(labels), _LEAST_INCHES)
    figure = Figure(figsize=(side, side), layout="constrained")
    axes = figure.add_subplot()
    # The square root makes small shares visible: most disagreements are small shares.
    axes.imshow(shares, cmap="Blues", norm=PowerNorm(0.5, 0, 1), interpolation="nearest")
    for i, j in np.argwhere(counts):
        color = "white" if shares[i, j] > 0.4 else "black"
        axes.text(j, i, str(counts[i, j]), ha="center", va="center", fontsize=6, color=color)
    ticks = [label or NO_EVENT for label in labels]
    axes.set_xticks(range(len(labels)), ticks, rotation=90, parse_math=False)
    axes.set_yticks(range(len(labels)), ticks, parse_math=False)
    axes.set_ylabel(f"A: {names[0]}", parse_math=False)
    axes.set_xlabel(f"B: {names[1]}", parse_math=False)
    # Over the whole width: the axes of few labels are narrower than this line.
    figure.suptitle(f"Events that overlap by tIoU {LEAST_TIOU:g} or more", x=0.02, ha="left")
    return figure


def _bland_altman(agreement: Agreement, names: tuple[str, str]) -> Figure:
    counts = [(one, other) for one, other in agreement.counts.values() if one or other]
    means = [(one + other) / 2 for one, other in counts]
    apart = [other - one for one, other in counts]
    figure = Figure(figsize=_BLAND_ALTMAN_INCHES, layout="constrained")
    axes = figure.add_subplot()
    axes.plot(means, apart, "o", color=_COLOR, markersize=4, alpha=0.5, markeredgewidth=0)
    if not counts:
        axes.text(0.5, 0.5, "no events", transform=axes.transAxes, ha="center", va="center", color=_LINES)
    lines = [(fmean(apart), "mean")] if apart else []
    if len(apart) > 1:
        reach = _LIMIT_SD * stdev(apart)
        lines += [(lines[0][0] + sign * reach, f"{sign * _LIMIT_SD:+} SD") for sign in (1, -1)]
    for value, name in lines:
        axes.axhline(value, color=_LINES, linewidth=0.8, linestyle="-" if name == "mean" else "--")
        axes.annotate(
            f"{name}: {value:.2f}", (1, value), (2, 0), ("axes fraction", "data"), "offset points", va="center"
        )
    axes.set_xlabel("mean of the two counts")
    axes.set_ylabel("count of B minus count of A")
    axes.set_title(
        f"A: {names[0]}\nB: {names[1]}\n{len(counts)} points, one for each recording and action",
        loc="left",
        parse_math=False,
    )
    axes.spines[["top", "right"]].set_visible(False)
    return figure
