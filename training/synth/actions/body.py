"""Actions of the trunk: 0 to 4."""

from __future__ import annotations

from mar_edge.training.synth.actions.row import Action, Drive, Hand, Manner, Which, follow
from mar_edge.training.synth.actions.upper_limb import TALK, TALKING
from mar_edge.training.synth.courses import Step, Swing
from mar_edge.training.synth.rig import Channel

C = Channel

_SHOULDERS_UP = (Drive(C.LEFT_SHOULDER_UP, (0.75, 1.0)), Drive(C.RIGHT_SHOULDER_UP, (0.75, 1.0)))
_SHOULDERS_FORWARD = (Drive(C.LEFT_SHOULDER_FORWARD, (0.75, 1.0)), Drive(C.RIGHT_SHOULDER_FORWARD, (0.75, 1.0)))
# Degrees of head motion for a meter of shoulder motion.
_SHRUG_HEAD = (Drive(C.HEAD_PITCH, (-50, 50)), Drive(C.HEAD_ROLL, (-60, 60)))
_SHRUG = Step(move_s=(0.12, 0.5), hold_s=(0.03, 0.9), returns=0.9)

_TURN = Step(move_s=(0.4, 1.8), returns=0.4)
_TURN_DRIVES = (
    Drive(C.CHEST_YAW, (0.5, 0.8)),
    Drive(C.PELVIS_YAW, (0.1, 0.5)),
    Drive(C.HEAD_YAW, (0.0, 0.6), lag_s=(-0.25, 0.05)),
    *follow(C.SWAY, C.HEAD_PITCH, C.HEAD_ROLL, C.LEAN, share=0.12),
)
# People who turn while talking: hands point at something, or continue where they are.
_GESTURES = (
    (Hand(TALK, Which.BOTH, TALKING, (0.2, 0.9)),),
    (Hand(TALK, Which.ONE, TALKING, (0.2, 0.9)),),
    (Hand((), Which.BOTH, TALKING, (0.2, 0.9)),),
)

BODY: tuple[Action, ...] = (
    Action(
        0,
        "shaking body",
        amplitude=(3, 14),
        head_extra=4,
        manners=(
            Manner(
                Swing(hz=(0.3, 1.8), cycles=(1, 6)),
                (
                    Drive(C.SWAY, (0.7, 1.0)),
                    Drive(C.CHEST_ROLL, (0, 0.4)),
                    Drive(C.HEAD_ROLL, (-0.8, 0.1)),
                    Drive(C.CHEST_YAW, (-0.3, 0.3)),
                    Drive(C.PELVIS_X, (0, 0.001)),
                ),
                weight=3,
            ),
            Manner(
                Swing(hz=(0.4, 1.8), cycles=(1, 6)),
                (
                    Drive(C.CHEST_YAW, (0.6, 1.2)),
                    Drive(C.SWAY, (0.4, 0.8)),
                    Drive(C.CHEST_ROLL, (-0.3, 0.5)),
                    Drive(C.HEAD_YAW, (-1.0, -0.2)),
                ),
            ),
        ),
    ),
    Action(
        1,
        "sitting straightly",
        amplitude=(6, 30),
        head_extra=3,
        only_seated=True,
        manners=(
            Manner(
                Step(move_s=(0.35, 1.5), returns=0.12),
                (
                    Drive(C.SLOUCH, (-1, -1)),
                    Drive(C.LEAN, (-0.3, 0.2)),
                    Drive(C.HEAD_PITCH, (-0.2, 0.25)),
                    Drive(C.LEFT_SHOULDER_UP, (-0.0002, 0.0006)),
                    Drive(C.RIGHT_SHOULDER_UP, (-0.0002, 0.0006)),
                ),
                start=(Drive(C.SLOUCH, (0.9, 1.3)),),
                weight=2,
            ),
            Manner(  # up from leaning on something
                Step(move_s=(0.35, 1.5), returns=0.12),
                (
                    Drive(C.SLOUCH, (-1, -0.7)),
                    Drive(C.LEAN, (-0.9, -0.3)),
                    Drive(C.HEAD_PITCH, (0, 0.5)),
                ),
                start=(Drive(C.SLOUCH, (0.7, 1.2)), Drive(C.LEAN, (0.3, 0.9)), Drive(C.HEAD_PITCH, (-0.6, 0))),
            ),
        ),
    ),
    Action(
        2,
        "shrugging",
        amplitude=(0.016, 0.075),
        head_extra=3,
        manners=(
            Manner(_SHRUG, (*_SHOULDERS_UP, *_SHRUG_HEAD), weight=5),
            Manner(_SHRUG, (*_SHOULDERS_FORWARD, *_SHRUG_HEAD, Drive(C.LEFT_SHOULDER_UP, (0, 0.3)))),
            Manner(_SHRUG, (Drive(C.LEFT_SHOULDER_UP), *_SHRUG_HEAD)),
            Manner(_SHRUG, (Drive(C.RIGHT_SHOULDER_UP), *_SHRUG_HEAD)),
            Manner(Swing(hz=(0.7, 2.2), cycles=(1, 4), one_sided=1), (*_SHOULDERS_UP, *_SHRUG_HEAD)),
        ),
    ),
    Action(
        3,
        "turning around",
        back=3,
        amplitude=(14, 65),
        head_extra=5,
        manners=(
            Manner(_TURN, _TURN_DRIVES, weight=4),
            *(Manner(_TURN, _TURN_DRIVES, hands=hands) for hands in _GESTURES),
        ),
    ),
    Action(
        4,
        "rising up",
        amplitude=(0.05, 0.45),
        head_extra=5,
        only_seated=True,
        manners=(
            Manner(
                Step(move_s=(0.4, 1.5), returns=0.35),
                (
                    Drive(C.PELVIS_Y),
                    Drive(C.PELVIS_Z, (0.2, 0.7)),
                    Drive(C.LEAN, (20, 120), lag_s=(-0.3, 0)),
                    Drive(C.HEAD_PITCH, (-60, 15)),
                    Drive(C.SLOUCH, (-15, 0)),
                ),
            ),
        ),
    ),
)
