"""The report of a model in fewer bits, as Markdown."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from mar_edge.calibration.comparison import FEWEST_OF_A_CLASS, Comparison
from mar_edge.edge.model_file import ModelMetadata


@dataclass(frozen=True)
class Layers:
    """The choice of layers.

    costs: layer -> mean probability error with only that layer in fewer bits, where measured.
    chosen: layers in fewer bits. how: text on how they were measured and chosen.
    """

    costs: Mapping[str, float]
    chosen: frozenset[str]
    how: str


def report_text(
    metadata: ModelMetadata, comparison: Comparison, layers: Layers, sizes: tuple[int, int], runtime: str
) -> str:
    """Return the report. ``sizes``: bytes of the FP32 file and of this one."""
    fidelity = comparison.fidelity
    before, after = sizes
    same = "same labels above their thresholds" if metadata.activation == "sigmoid" else "same most probable label"
    lines = [
        f"# {metadata.name}, {metadata.precision}",
        "",
        f"{after / 1e3:.0f} kB, {after / before:.2f} of the FP32 file. Compared with it on {fidelity.windows} windows "
        f"of: {fidelity.data}. Both on {runtime}.",
        "",
        "| | |",
        "|---|---|",
        f"| {same} | {fidelity.agreement:.4f} |",
        f"| largest probability error of a window, mean | {fidelity.probability_error:.5f} |",
        f"| largest probability error of a window, maximum | {fidelity.largest_probability_error:.5f} |",
    ]
    if fidelity.worst_class is not None and fidelity.worst_drop is not None:
        lines.append(
            f"| label with the largest drop of accuracy (of {FEWEST_OF_A_CLASS} windows and more) | "
            f"{fidelity.worst_class}, {100 * fidelity.worst_drop:.1f} points |"
        )
    lines += ["", "## Layers", "", layers.how, "", "| layer | error of it alone | type |", "|---|---|---|"]
    costs = layers.costs
    for layer in sorted({*costs, *layers.chosen}, key=lambda layer: (-costs.get(layer, 0.0), layer)):
        cost = f"{costs[layer]:.6f}" if layer in costs else "not measured"
        lines.append(f"| {layer} | {cost} | {metadata.precision if layer in layers.chosen else 'fp16'} |")
    lines += ["", "## Labels", "", "| label | windows | FP32 | now | drop, points |", "|---|---|---|---|---|"]
    for c in sorted(comparison.classes, key=lambda c: -c.drop):
        lines.append(f"| {c.name} | {c.windows} | {c.before:.3f} | {c.after:.3f} | {100 * c.drop:.1f} |")
    return "\n".join(lines) + "\n"
