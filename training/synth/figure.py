"""Whole people from channels and performances: trunk, legs, arms, and the camera's view. Joins the parts."""

from __future__ import annotations

import numpy as np

from mar_edge.training.synth.actions import ACTIONS
from mar_edge.training.synth.anchors import Figure
from mar_edge.training.synth.arms import pose_arms, rest_places
from mar_edge.training.synth.camera import Views, marked_points, view
from mar_edge.training.synth.draws import Bools, Draws, Floats, Ints, Range, wander
from mar_edge.training.synth.framing import draw_framing, shows_legs
from mar_edge.training.synth.hand_parts import hand_parts
from mar_edge.training.synth.leg_parts import leg_parts
from mar_edge.training.synth.legs import pose_legs
from mar_edge.training.synth.perform import Performances
from mar_edge.training.synth.rig import draw_bodies, pose_trunk
from mar_edge.training.synth.world import World

_FINGERS = 0.5  # probability of fidgeting fingers
_TALKING = 0.4
_MOUTH_HZ: Range = (0.8, 6.0)
_MOUTH_M: Range = (0.0005, 0.012)


def draw_figures(
    draws: Draws,
    doing: Performances,
    motion: Floats,
    t: Floats,
    *,
    desk: Bools,
    standing: Bools,
    acting: Bools,
    world: World,
    framing: Ints | None = None,
) -> tuple[Floats, Views]:
    """Return points (N, T, 51, 3) m of N people at t (N, T), and the views of their cameras.

    Args:
        motion: (len(Channel), N, T) degrees and meters. acting: (N, 2) hands that perform the labeled action.
        framing: (N,) ``Framing``; by default drawn from the world, with acting legs in the picture.
    """
    N = len(t)
    if framing is None:
        framing = draw_framing(draws, desk, _legs_act(doing, N), world)
    body = draw_bodies(draws, N, world)
    seat = draws.uniform(world.seat_m, N) * body.stature / np.float32(1.7)
    upright = (body.thigh + body.shin) * np.float32(0.985) + np.float32(0.08)
    trunk = pose_trunk(body, np.where(standing, upright, seat), motion)
    legs = pose_legs(draws, body, trunk, t, standing=standing, parts=leg_parts(draws, doing, t))
    hands, fingers = hand_parts(draws, doing, t, desk)
    arms = pose_arms(
        draws,
        body,
        Figure(trunk, legs),
        t,
        rest=rest_places(draws, desk, acting, standing=standing, low=world.low_hands),
        parts=hands,
        fingers=fingers,
        fidget=draws.chance(_FINGERS, N),
    )
    mouth = np.maximum(wander(draws, 1, t, _MOUTH_HZ)[0], 0)
    mouth *= draws.log_uniform(_MOUTH_M, N, 1) * draws.chance(_TALKING, N, 1)
    points = marked_points(body, trunk, arms, legs, talking=mouth)
    return points, view(draws, points, trunk, desk, world, framing=framing, t=t)


def _legs_act(doing: Performances, N: int) -> Bools:
    """Tell which people (N,) perform a named leg action, not only at the edge of a clip."""
    whole = np.flatnonzero((doing.row < len(ACTIONS)) & (doing.share >= 1))
    return np.isin(np.arange(N), doing.clip[whole[shows_legs(doing.row[whole])]])
