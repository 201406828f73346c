"""How far to trust a model, in sentences for people who did not train it. Figures of the package's model: its card."""

from __future__ import annotations

from dataclasses import dataclass

from mar_edge.edge.model_file import ModelMetadata


@dataclass(frozen=True)
class Measured:
    """Events on recordings of real people, matched at an overlap (tIoU) of 0.3: shares in [0, 1]."""

    precision: float
    recall: float
    f1: float


# docs/model-card.md, "On real people"; a test compares them.
ACTIONS, RECORDINGS = 29, 26
BY_NAME = Measured(0.56, 0.34, 0.43)
BY_BODY_GROUP = Measured(0.78, 0.48, 0.60)


def trust(metadata: ModelMetadata, is_package_model: bool) -> list[str]:
    """Return what is known of a model's accuracy, and what its events are no evidence of."""
    return [
        *(_of_package() if is_package_model else _of_file(metadata)),
        *_of_fewer_bits(metadata),
        "Before you rely on a number, code some of your own videos by hand and compare, with mar-edge agree. Cameras, "
        "seats and people differ from those of any test.",
        "Rare actions, and differences of a few events, are within the error of the model.",
        "A score orders the events of one action. It is not the probability that the event is true.",
        "A micro-action says something about a person's state only if a study shows it. This report is no diagnosis, "
        "no lie detection and no measure of anyone's state of mind. Do not base decisions about people on it.",
    ]


def _of_package() -> list[str]:
    name, group = BY_NAME, BY_BODY_GROUP
    return [
        "This is the model in the package. It learned from synthetic motion only, not from recordings of people.",
        f"It was measured on {RECORDINGS} short recordings of real people with {ACTIONS} actions. "
        f"{name.precision:.0%} of its events had the correct name. {name.recall:.0%} of the actions were found "
        f"(F1 {name.f1:.2f}).",
        f"Body groups are more reliable. {group.precision:.0%} of its events had the correct one. "
        f"{group.recall:.0%} of the actions were found (F1 {group.f1:.2f}).",
        "Expect that many actions are missed, and that many names are wrong. These figures are of few actions, and "
        "they helped to choose the model.",
    ]


def _of_file(metadata: ModelMetadata) -> list[str]:
    if not metadata.accuracy:
        return ["The model file states no accuracy; mar-edge evaluate measures it."]
    shown = ", ".join(f"{name} {value:.3f}" for name, value in metadata.accuracy.items())
    return [f"The model file states these scores, 0 to 1, on its own test data: {shown}."]


def _of_fewer_bits(metadata: ModelMetadata) -> list[str]:
    fidelity = metadata.fidelity
    if fidelity is None:
        return []
    return [
        f"The file is {metadata.precision}. It gives the labels of the FP32 model for {fidelity.agreement:.1%} of "
        f"{fidelity.windows} windows."
    ]
