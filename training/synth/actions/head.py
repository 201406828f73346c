"""Actions of the head: 5 to 10."""

from __future__ import annotations

from mar_edge.training.synth.actions.row import Action, Drive, Manner, follow
from mar_edge.training.synth.courses import Step, Swing
from mar_edge.training.synth.rig import Channel

C = Channel

HEAD: tuple[Action, ...] = (
    Action(
        5,
        "bowing head",
        back=6,
        amplitude=(7, 50),
        manners=(
            Manner(
                Step(move_s=(0.25, 1.3), hold_s=(0.25, 3)),
                (
                    Drive(C.HEAD_PITCH, (0.85, 1)),
                    Drive(C.CHEST_PITCH, (0, 0.15)),
                    Drive(C.LEAN, (0, 0.06)),
                    *follow(C.HEAD_YAW, C.HEAD_ROLL, share=0.22),
                ),
                start=(Drive(C.HEAD_PITCH, (-0.4, 0.2)),),
            ),
        ),
    ),
    Action(
        6,
        "head up",
        back=5,
        amplitude=(6, 38),
        manners=(
            Manner(
                Step(move_s=(0.25, 1.3), hold_s=(0.25, 3)),
                (
                    Drive(C.HEAD_PITCH, (-1, -0.85)),
                    Drive(C.CHEST_PITCH, (-0.12, 0)),
                    *follow(C.HEAD_YAW, C.HEAD_ROLL, share=0.22),
                ),
                start=(Drive(C.HEAD_PITCH, (0, 1)),),
            ),
        ),
    ),
    Action(
        7,
        "tilting head",
        back=7,
        amplitude=(6, 32),
        manners=(
            Manner(
                Step(move_s=(0.25, 1.2)),
                (
                    Drive(C.HEAD_ROLL, (0.85, 1)),
                    Drive(C.CHEST_ROLL, (0, 0.12)),
                    *follow(C.HEAD_YAW, C.HEAD_PITCH, share=0.28),
                ),
            ),
        ),
    ),
    Action(
        8,
        "turning head",
        back=8,
        amplitude=(20, 110),
        manners=(
            Manner(
                Step(move_s=(0.2, 1.2), hold_s=(0.15, 2.5), returns=0.5),
                (
                    Drive(C.HEAD_YAW, (0.88, 1)),
                    Drive(C.CHEST_YAW, (0, 0.1)),
                    Drive(C.SWAY, (-0.05, 0.03)),
                    *follow(C.HEAD_PITCH, C.HEAD_ROLL, share=0.2),
                    *follow(C.LEAN, share=0.03),
                ),
            ),
        ),
    ),
    Action(
        9,
        "nodding",
        amplitude=(2.5, 22),
        manners=(
            Manner(
                Swing(hz=(0.8, 3.2), cycles=(0.75, 12), one_sided=0.5),
                (
                    Drive(C.HEAD_PITCH),
                    Drive(C.CHEST_PITCH, (0, 0.1)),
                    *follow(C.HEAD_YAW, C.HEAD_ROLL, share=0.12),
                ),
            ),
        ),
    ),
    Action(
        10,
        "shaking head",
        amplitude=(4, 40),
        manners=(
            Manner(
                Swing(hz=(0.8, 3.2), cycles=(1, 12), min_cycles=1),
                (
                    Drive(C.HEAD_YAW),
                    Drive(C.CHEST_YAW, (0, 0.08)),
                    *follow(C.HEAD_PITCH, C.HEAD_ROLL, share=0.15),
                ),
            ),
        ),
    ),
)
