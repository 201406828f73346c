"""How often each label happens where a model is used, against where it learned. Data, read from CSV.

A network that saw every action equally often reports the rarest as readily as the most frequent. Adding the logarithm
of the ratio of the two frequencies to the logits corrects that without training (prior shift; Saerens et al. 2002).
"""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import resources
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from mar_edge.edge.errors import MarEdgeError, did_you_mean
from mar_edge.edge.labels import ma52_labels
from mar_edge.edge.model_file import ModelMetadata

# Least rate per minute: lower ones are estimates from one or two instances.
LEAST_RATE = 0.01
# Least rate in training, as a share of the mean rate.
LEAST_SHARE = 0.01


@dataclass(frozen=True)
class Prior:
    """Label frequencies where the model is used.

    name: for people. rates: label name -> times per minute, or in any one unit; None for those of the training data.
    """

    name: str
    rates: Mapping[str, float] | None


TRAINED = Prior("trained", None)
UNIFORM = Prior("uniform", {})


def interview() -> Prior:
    """Return the frequencies of MA-52's actions in 17 hours of interviews (MMA-52's annotations)."""
    text = resources.files("mar_edge.edge").joinpath("labelsets", "ma52_rates.csv").read_text(encoding="utf-8")
    return Prior("interview", parse_rates(text, "ma52_rates.csv"))


def parse_prior(text: str) -> Prior:
    """Return the prior that ``--prior`` names.

    Raises:
        MarEdgeError: it is neither a known name nor a readable CSV file.
    """
    if text == "interview":
        return interview()
    for prior in (UNIFORM, TRAINED):
        if text == prior.name:
            return prior
    path = Path(text)
    try:
        return Prior(path.name, parse_rates(path.read_text(encoding="utf-8-sig"), str(path)))
    except (OSError, UnicodeDecodeError) as error:
        raise MarEdgeError(
            "--prior is interview, uniform, trained or a CSV file with the columns action,per_minute; "
            f"cannot read '{text}': {error}"
        ) from None


def default_prior(metadata: ModelMetadata) -> Prior:
    """Return ``interview`` for a model of MA-52's actions that saw each equally often, else ``trained``.

    Two kinds of models learned at about an interview's frequencies already. One states ``rates`` in its file: the
    mixture of ``synth-concurrent`` leans to them. The other classifies cut clips without a background class, as the
    authors' networks do.
    """
    known = metadata.labels[: len(metadata.labels) - (metadata.taught.new if metadata.taught else 0)]
    actions = {label.name for index, label in enumerate(known) if index != metadata.background}
    saw_all_alike = not metadata.rates and not (metadata.activation == "softmax" and metadata.background is None)
    return interview() if actions == {label.name for label in ma52_labels()} and saw_all_alike else TRAINED


def parse_rates(text: str, source: str) -> dict[str, float]:
    """Return label name -> rate from CSV text with the columns action and per_minute; others are ignored.

    Raises:
        MarEdgeError: a column is missing, a rate is not a number of 0 or more, an action appears twice.
    """
    rows = csv.DictReader(io.StringIO(text))
    rates: dict[str, float] = {}
    try:
        if not {"action", "per_minute"} <= set(rows.fieldnames or ()):
            raise MarEdgeError(f"{source}: a file of label frequencies is CSV with the columns action,per_minute")
        for row in rows:
            name = (row["action"] or "").strip()
            rate = float(row["per_minute"] or "nan")
            if not name or name in rates or not 0.0 <= rate < math.inf:
                raise ValueError
            rates[name] = rate
    except (csv.Error, ValueError, AttributeError, TypeError):  # a row with too many fields holds a list
        raise MarEdgeError(
            f"{source}, line {rows.line_num}: expected an action, once, and its times per minute (0 or more)"
        ) from None
    return rates


def shift_of(prior: Prior, metadata: ModelMetadata) -> NDArray[np.float64]:
    """Return what to add to a model's logits (K,): log(rate here / rate in training), on average 0, background 0.

    Taught labels get 0 as well: they were taught where they are used.

    Raises:
        MarEdgeError: the prior lacks a label of the model.
    """
    shift = np.zeros(len(metadata.labels))
    if prior.rates is None:
        return shift
    taught = metadata.taught.names if metadata.taught else frozenset()
    acting = [k for k, label in enumerate(metadata.labels) if k != metadata.background and label.name not in taught]
    if not acting:
        return shift
    if prior.rates:
        missing = [metadata.labels[i].name for i in acting if metadata.labels[i].name not in prior.rates]
        if missing:
            names = {label.name for label in metadata.labels}
            guesses = ((name, did_you_mean(name, missing)) for name in prior.rates if name not in names)
            odd = next((f"; it has '{name}'{guess}" for name, guess in guesses if guess), "")
            raise MarEdgeError(
                f"--prior: {prior.name} lacks {len(missing)} of the model's labels, such as '{missing[0]}'{odd}"
            )
        shift[acting] = [math.log(max(prior.rates[metadata.labels[i].name], LEAST_RATE)) for i in acting]
    if metadata.rates:
        trained = np.array(metadata.rates)[acting]
        shift[acting] -= np.log(np.maximum(trained, LEAST_SHARE * trained.mean()))
    shift[acting] -= shift[acting].mean()
    return shift
