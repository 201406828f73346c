"""Moving cameras: pan, tilt, zoom and shake of the picture, and cuts from one picture to another."""

from __future__ import annotations

import numpy as np

from mar_edge.training.synth.draws import Draws, Floats, Range, wander
from mar_edge.training.synth.world import World

# Long-term standard deviations of cameras with this motion; slow motion looks like a ramp in a window.
_SLOW = 0.7  # probability
_SLOW_HZ: Range = (0.05, 0.6)
_PAN: Range = (0.01, 0.15)  # of the picture's shorter side
_ZOOM: Range = (0.005, 0.12)
_ROLL_DEG: Range = (0.1, 2.0)
_SHAKE = 0.5
_SHAKE_HZ: Range = (1.5, 9.0)
_SHAKE_PAN: Range = (0.0008, 0.01)
_SHAKE_ROLL_DEG: Range = (0.02, 0.4)
# Cuts: probability, seconds between cuts, and differences of the next picture.
_CUTS = 0.3
_CUT_EVERY_S: Range = (1.5, 12.0)
_MOST_CUTS = 6
_CUT_ZOOM = 0.35
_CUT_PAN = 0.12


def move(draws: Draws, pixels: Floats, size: Floats, t: Floats, world: World) -> None:
    """Move the camera of some clips: points (N, T, P, 2) px in pictures of ``size`` (N, 2) px, in place."""
    rows = np.flatnonzero(draws.chance(world.moving_camera, len(pixels)))
    n = len(rows)
    if not n:
        return
    now = t[rows]
    x, y, zoom, turn = wander(draws, 4, now, _SLOW_HZ, waves=3) * draws.chance(_SLOW, n, 1)
    x, y = (track * draws.log_uniform(_PAN, n, 1) for track in (x, y))
    zoom = zoom * draws.log_uniform(_ZOOM, n, 1)
    turn = turn * draws.log_uniform(_ROLL_DEG, n, 1)
    shake = wander(draws, 3, now, _SHAKE_HZ, waves=4) * draws.chance(_SHAKE, n, 1)
    strength = draws.log_uniform(_SHAKE_PAN, n, 1)
    x, y = x + strength * shake[0], y + strength * shake[1]
    turn = turn + shake[2] * draws.log_uniform(_SHAKE_ROLL_DEG, n, 1)

    at = now[:, :1] + np.cumsum(draws.log_uniform(_CUT_EVERY_S, n, _MOST_CUTS), axis=1)
    at -= draws.uniform((0, 1), n, 1) * at[:, :1]
    shot = (now[:, :, None] >= at[:, None]).sum(axis=-1)  # (n, T)
    cuts = draws.chance(_CUTS, n, 1, 1)
    shots = draws.normal(n, _MOST_CUTS + 1, 3) * cuts * np.array((_CUT_PAN, _CUT_PAN, _CUT_ZOOM), np.float32)
    cut = np.take_along_axis(shots, shot[..., None], axis=1)
    x, y, zoom = x + cut[..., 0], y + cut[..., 1], zoom + cut[..., 2]

    # The clip was composed for the picture of its first moment.
    x, y, zoom, turn = (track - track[:, :1] for track in (x, y, zoom, turn))
    scale, angle = np.exp(np.clip(zoom, -1, 1)), np.deg2rad(turn)
    side = size[rows].min(axis=1)[:, None]
    middle = size[rows, None, None] / 2
    off = pixels[rows] - middle
    cos, sin = ((scale * part)[..., None] for part in (np.cos(angle), np.sin(angle)))
    moved = np.empty_like(off)
    moved[..., 0] = cos * off[..., 0] - sin * off[..., 1] + (x * side)[..., None]
    moved[..., 1] = sin * off[..., 0] + cos * off[..., 1] + (y * side)[..., None]
    pixels[rows] = moved + middle
