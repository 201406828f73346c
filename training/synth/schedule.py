"""The schedule of a batch of clips: labeled actions, fragments of others at the edges, movements without a label."""

from __future__ import annotations

import numpy as np

from mar_edge.training.synth.actions import ACTIONS
from mar_edge.training.synth.draws import Bools, Draws, Floats, Ints
from mar_edge.training.synth.perform import ROWS, Performances, joined

# Probability with a labeled action, and without.
_FRAGMENTS = (0.25, 0.25)
_UNNAMED = (0.2, 0.45)
# Largest visible share of a fragment.
MOST_OF_FRAGMENT = (0.19, 0.14)

UNNAMED_ROWS = np.arange(len(ACTIONS), len(ROWS))
# A fragment must not need a trunk or a limb that is elsewhere.
_EDGE_ROWS = np.array([i for i, row in enumerate(ACTIONS) if not any(m.start or m.leaves for m in row.manners)])
_USES_LEGS = np.array([any(manner.legs for manner in row.manners) for row in ROWS])
_USES_LIMBS = np.array([any(manner.limbs for manner in row.manners) for row in ROWS])
_ONLY_SEATED = np.array([row.only_seated for row in ROWS])


def schedule(
    draws: Draws, t: Floats, action: Ints, standing: Bools, pace: Floats, *, alone: bool
) -> tuple[Performances, Performances]:
    """Draw the labeled performances and the other ones (none if ``alone``).

    Args:
        t: (N, T) s. action: (N,) row of ``ACTIONS``, -1 for none. pace: (N,) factor on the duration of every movement.
    """
    duration_s = t[:, -1]
    clip = np.flatnonzero(action >= 0)
    labeled = Performances.draw(draws, clip, action[clip], duration_s, pace)
    if alone:
        return labeled, labeled.take(clip[:0])
    fragments = _fragments(draws, t, action, standing, pace)
    return labeled, joined(fragments, _unnamed(draws, duration_s, action, standing, pace))


def _fragments(draws: Draws, t: Floats, action: Ints, standing: Bools, pace: Floats) -> Performances:
    row = _EDGE_ROWS[draws.choice([1.0] * len(_EDGE_ROWS), len(t))]
    has = draws.chance(_either(action, _FRAGMENTS), len(t))
    # Legs start from their own stance, and have only one.
    both_legs = _USES_LEGS[row] & _USES_LEGS[action] & (action >= 0)
    clip = np.flatnonzero(has & (row != action) & ~both_legs & ~(standing & _ONLY_SEATED[row]))
    some = Performances.draw(draws, clip, row[clip], t[:, -1], pace)
    most = _either(action[clip], MOST_OF_FRAGMENT)
    return some.at_edge(draws, t, draws.chance(0.5, len(clip)), most)


def _unnamed(draws: Draws, duration_s: Floats, action: Ints, standing: Bools, pace: Floats) -> Performances:
    N = len(duration_s)
    row = UNNAMED_ROWS[draws.choice([ROWS[i].weight for i in UNNAMED_ROWS], N)]
    has = draws.chance(_either(action, _UNNAMED), N)
    # Acting limbs do not also shift.
    clip = np.flatnonzero(has & ~standing & ~(_USES_LIMBS[action] & _USES_LIMBS[row] & (action >= 0)))
    return Performances.draw(draws, clip, row[clip], duration_s, pace)


def rows_of(ids: Ints) -> Ints:
    """Return the rows of ``ACTIONS`` for label ids (...,); -1 for ids without a row."""
    known = {action.id: i for i, action in enumerate(ACTIONS)}
    return np.array([known.get(int(i), -1) for i in ids], np.intp)


def _either(action: Ints, with_action_without: tuple[float, float]) -> Floats:
    return np.array(with_action_without, np.float32)[(action < 0).astype(np.intp)]
