"""Actions of hands and arms move the points of the figure (meters) as their labels mean."""

import numpy as np
import pytest
from synth_points import (
    ANKLES,
    BRIDGE,
    ELBOWS,
    HANDS,
    HIPS,
    KNEES,
    LEFT_EAR,
    LEFT_EYE,
    MOUTH,
    NOSE,
    RIGHT_EAR,
    RIGHT_EYE,
    SHOULDERS,
    TOES,
    WRISTS,
    apart,
    extent,
    from_line,
    reversals,
)
from synth_scenes import N, closest, fingers, palms, points_of, scene_of, tips

from mar_edge.training.synth.actions import ACTIONS, UNNAMED
from mar_edge.training.synth.generator import CLASSES


def test_every_class_has_a_valid_row():
    assert [(action.id, action.name) for action in ACTIONS] == [(label.id, label.name) for label in CLASSES[:-1]]
    ids = {action.id for action in ACTIONS}
    for action in (*ACTIONS, *UNNAMED):
        assert 0 < action.amplitude[0] <= action.amplitude[1]
        assert action.after is None or action.after in ids
        for manner in action.manners:
            assert manner.drives or manner.limbs
            for drive in (*manner.drives, *manner.start):
                assert drive.gain[0] <= drive.gain[1]
            for limb in manner.limbs:
                assert limb.lag_s[0] <= limb.lag_s[1]


@pytest.mark.parametrize("action", [a for a in ACTIONS if any(m.limbs for m in a.manners)], ids=lambda a: a.name)
def test_enough_of_a_limb_action_is_visible_in_every_clip(action):
    assert scene_of(action.name).visible.min() >= 0.45


def _toward_eyes(points: np.ndarray) -> np.ndarray:
    """Return the vector (n, T, 3) from mouth to eyes."""
    return points[:, :, [LEFT_EYE, RIGHT_EYE]].mean(axis=2) - points[:, :, MOUTH].mean(axis=2)


def _eyes(points: np.ndarray) -> np.ndarray:
    return points[:, :, [LEFT_EYE, RIGHT_EYE]].mean(axis=2)


def _nearest(hand: np.ndarray, *targets: np.ndarray) -> np.ndarray:
    """Return the smallest distance (n,) of a hand (n, T, 2, 3) from any target (n, T, 3)."""
    return np.min([closest(apart(hand, target[:, :, None])) for target in targets], axis=0)


def _cheeks(points: np.ndarray) -> tuple[np.ndarray, ...]:
    ears = (LEFT_EAR, RIGHT_EAR)
    return tuple((points[:, :, mouth] + points[:, :, ear]) / 2 for mouth, ear in zip(MOUTH, ears, strict=True))


def _neck(points: np.ndarray) -> np.ndarray:
    return (points[:, :, SHOULDERS].mean(axis=2) + points[:, :, [LEFT_EAR, RIGHT_EAR]].mean(axis=2)) / 2


def _to_midline(hand: np.ndarray, points: np.ndarray) -> np.ndarray:
    """Return the distance (n, T, 2) of each hand (n, T, 2, 3) from the line between mid-shoulders and mid-hips."""
    return from_line(hand, points[:, :, SHOULDERS].mean(2)[:, :, None], points[:, :, HIPS].mean(2)[:, :, None])


def _to_limbs(hand: np.ndarray, points: np.ndarray, start: np.ndarray, end: np.ndarray) -> np.ndarray:
    """Return the smallest distance (n,) of a hand (n, T, 2, 3) from that bone of either side."""
    both = [closest(from_line(hand, points[:, :, start[::way]], points[:, :, end[::way]])) for way in (1, -1)]
    return np.minimum(*both)


def _to_other_arm(points: np.ndarray) -> np.ndarray:
    arm = points[:, :, SHOULDERS[::-1]], points[:, :, ELBOWS[::-1]], points[:, :, WRISTS[::-1]]
    hand = tips(points, 2, 3)
    return np.minimum(closest(from_line(hand, *arm[:2])), closest(from_line(hand, *arm[1:])))


def _hands_apart(part: np.ndarray) -> np.ndarray:
    return closest(apart(part[:, :, 0], part[:, :, 1]))


def _nearest_of(hands: tuple[np.ndarray, ...], *targets: np.ndarray) -> np.ndarray:
    return np.min([_nearest(hand, *targets) for hand in hands], axis=0)


# The part of the hand, its target, and the largest distance, m.
TOUCHES = {
    "scratching arms": (_to_other_arm, 0.08),
    "putting hands together": (lambda p: _hands_apart(palms(p)), 0.06),
    "rubbing hands": (lambda p: _hands_apart(palms(p)), 0.1),
    "hands touching fingers": (lambda p: _hands_apart(fingers(p)), 0.1),
    "scratching or touching neck": (lambda p: _nearest(tips(p, 2, 3), _neck(p)), 0.12),
    "scratching or touching chest": (lambda p: closest(_to_midline(palms(p), p)), 0.2),
    "scratching or touching shoulder": (lambda p: _nearest(tips(p, 2, 3), *(p[:, :, i] for i in SHOULDERS)), 0.09),
    "arms akimbo": (lambda p: _nearest(palms(p), p[:, :, HIPS[0]], p[:, :, HIPS[1]]), 0.19),
    "scratching or touching forehead": (lambda p: _nearest(tips(p, 2, 3), _eyes(p) + 0.7 * _toward_eyes(p)), 0.06),
    "scratching or touching face": (lambda p: _nearest_of((tips(p, 2, 3), palms(p)), *_cheeks(p)), 0.07),
    "rubbing eyes": (lambda p: _nearest(tips(p, 2, 3), p[:, :, LEFT_EYE], p[:, :, RIGHT_EYE], _eyes(p)), 0.045),
    "touching nose": (lambda p: _nearest(tips(p, 2, 3), p[:, :, NOSE]), 0.045),
    "touching ears": (lambda p: _nearest(tips(p, 2, 3), p[:, :, LEFT_EAR], p[:, :, RIGHT_EAR]), 0.06),
    "covering face": (lambda p: _nearest(fingers(p), p[:, :, NOSE], _eyes(p)), 0.07),
    "covering mouth": (lambda p: _nearest_of((fingers(p), tips(p, 2, 3)), p[:, :, MOUTH].mean(2)), 0.055),
    "pushing glasses": (lambda p: _nearest(tips(p, 2), *(p[:, :, BRIDGE + i] for i in (0, 2, 3))), 0.045),
    "patting legs": (lambda p: _to_limbs(palms(p), p, HIPS, KNEES), 0.12),
    "touching legs": (lambda p: _to_limbs(palms(p), p, HIPS, KNEES), 0.12),
    "scratching legs": (lambda p: _to_limbs(tips(p, 2, 3), p, KNEES, ANKLES), 0.11),
    "scratching feet": (lambda p: _to_limbs(tips(p, 2, 3), p, ANKLES, TOES), 0.08),
}  # fmt: skip


@pytest.mark.parametrize("name", TOUCHES)
def test_the_hand_reaches_what_it_touches(name):
    nearest, limit = TOUCHES[name]
    distance = nearest(points_of(name))
    assert np.quantile(distance, 0.9) < limit


def beyond_ears(points: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return distances (n, T, 2) of fingertips from the center of the head, m, and their position ahead of it, 1 at the
    nose.
    """
    middle = points[:, :, [LEFT_EAR, RIGHT_EAR]].mean(axis=2)
    front = points[:, :, NOSE] - middle
    way = tips(points, 2, 3) - middle[:, :, None]
    return np.linalg.norm(way, axis=-1), (way * front[:, :, None]).sum(-1) / (front**2).sum(-1)[:, :, None]


def test_hair_is_touched_next_to_and_above_the_face():
    away, ahead = beyond_ears(points_of("playing or tidying hair"))
    touching = away < 0.22
    assert touching.any(axis=(1, 2)).mean() > 0.9
    assert np.median(ahead[touching]) < 0.6


def test_the_hindbrain_is_touched_behind_the_ears():
    away, ahead = beyond_ears(points_of("scratching or touching hindbrain"))
    assert (np.where(away < 0.25, ahead, 1).min(axis=(1, 2)) < -0.4).mean() > 0.95


def test_a_hand_goes_behind_the_back():
    p = points_of("scratching or touching back")
    left, right = p[:, :, 11], p[:, :, 12]
    up = p[:, :, SHOULDERS].mean(2) - p[:, :, HIPS].mean(2)
    front = np.cross(left - right, up)  # left x up = front
    front /= np.linalg.norm(front, axis=-1, keepdims=True)
    behind = ((tips(p, 2, 3) - p[:, :, SHOULDERS].mean(2)[:, :, None]) * front[:, :, None]).sum(-1)
    low = ((tips(p, 2, 3) - p[:, :, HIPS].mean(2)[:, :, None]) * front[:, :, None]).sum(-1)
    assert (np.minimum(behind, low).min(axis=(1, 2)) < -0.02).mean() > 0.9


def test_crossed_arms_are_crossed():
    p = points_of("crossing arms")
    leftward = p[:, :, 11] - p[:, :, 12]
    leftward /= np.linalg.norm(leftward, axis=-1, keepdims=True)
    gap = ((p[:, :, WRISTS[0]] - p[:, :, WRISTS[1]]) * leftward).sum(-1)
    assert (gap.min(axis=1) < -0.05).mean() > 0.9


def bent(p: np.ndarray) -> np.ndarray:
    """Return the distance (n, T, 2) of tips from the wrist, in hand lengths: about 1 open, 0.5 a fist."""
    return apart(tips(p, 2, 3, 4), p[:, :, WRISTS]) / 0.17


def test_a_fist_is_clenched_and_fingers_move_without_the_hand():
    fist = bent(points_of("clenching fist"))
    assert (fist.min(axis=(1, 2)) < 0.8).mean() > 0.9
    assert (extent(fist.reshape(N, -1)) > 0.12).mean() > 0.9

    p = points_of("other finger movements")
    own = tips(p, 2) - p[:, :, WRISTS]
    wriggle = np.abs(np.diff(np.linalg.norm(own, axis=-1), axis=1)).sum(axis=1).max(axis=1)
    assert (wriggle > 0.03).mean() > 0.8
    assert (extent(p[:, :, WRISTS].reshape(N, 64, -1)).max(axis=1) < 0.15).mean() > 0.7


def stretched(p: np.ndarray) -> np.ndarray:
    """Return the straightness (n, T) of the straighter arm: 1 is straight."""
    length = apart(p[:, :, SHOULDERS], p[:, :, ELBOWS]) + apart(p[:, :, ELBOWS], p[:, :, WRISTS])
    return (apart(p[:, :, SHOULDERS], p[:, :, WRISTS]) / length).max(axis=2)


def test_arms_stretch_and_retract():
    assert (stretched(points_of("stretching arms")).max(axis=1) > 0.9).mean() > 0.85
    reach = points_of("retracting arms")
    straight = stretched(reach)
    assert (straight.max(axis=1) > 0.85).mean() > 0.85
    at_most = straight.argmax(axis=1)
    after = np.array([values[peak:].min() for values, peak in zip(straight, at_most, strict=True)])
    assert (after < straight.max(axis=1) - 0.1).mean() > 0.4  # the others are cut off, or rest on a knee


def test_a_wave_oscillates_next_to_the_shoulder():
    p = points_of("waving")
    across = p[:, :, WRISTS, 0] - p[:, :, SHOULDERS, 0]
    high = p[:, :, WRISTS, 1] - p[:, :, HIPS, 1]
    side = high.max(axis=1).argmax(axis=1)
    wrist = across[np.arange(N), :, side]
    assert (high.max(axis=(1, 2)) > 0.2).mean() > 0.85
    assert (reversals(wrist, np.full(N, 0.015)) >= 2).mean() > 0.6


def test_open_hands_are_held_palm_up():
    p = points_of("spreading hands")
    along = tips(p, 3) - p[:, :, WRISTS]
    across = tips(p, 2) - tips(p, 5)
    up = np.cross(along, across)[..., 1] * np.array((1, -1))
    up /= np.linalg.norm(np.cross(along, across), axis=-1)
    # Palm up, the thumb of a left hand is on its left: along x across points down for it, up for the right one.
    assert (np.abs(up).max(axis=(1, 2)) > 0.75).mean() > 0.9
    assert (bent(p).max(axis=(1, 2)) > 0.85).mean() > 0.9


@pytest.mark.parametrize(
    ("name", "least"), [("illustrative gestures", 0.15), ("playing objects", 0.02), ("rubbing hands", 0.02)]
)
def test_hands_keep_moving(name, least):
    p = points_of(name)
    way = np.abs(np.diff(p[:, :, WRISTS], axis=1)).sum(axis=(1, 3)).max(axis=1)
    assert (way > least).mean() > 0.9


def test_pointing_oneself_uses_the_index_finger():
    p = points_of("pointing oneself")
    middle = p[:, :, SHOULDERS].mean(2)[:, :, None], p[:, :, HIPS].mean(2)[:, :, None]
    away = from_line(tips(p, 2), *middle)
    frame, clips = away.min(axis=2).argmin(axis=1), np.arange(N)
    side = away[clips, frame].argmin(axis=1)
    assert (away.min(axis=(1, 2)) < 0.27).mean() > 0.9
    reach = np.linalg.norm(p[:, :, HANDS] - p[:, :, WRISTS][:, :, :, None], axis=-1)[clips, frame, side]  # (n, 6)
    assert (reach[:, 2] > 1.2 * reach[:, 3:].max(axis=1)).mean() > 0.85
