"""The micro-actions as data: what moves, how far, how fast.

To add an action, add a row to a table in this folder. An action that MA-52 does not have takes an id from 53 on and
becomes a new class.

Amplitudes are log-uniform, in the unit of the drives' channel: degrees, meters, or 1 where each drive has its own unit.
A drive's ``gain`` is the share of the amplitude that its channel gets, drawn uniformly per clip. An action is performed
in one of its ``manners``: drives of trunk and head, and parts of hands and legs, all on one time course.
"""

from mar_edge.training.synth.actions.body import BODY
from mar_edge.training.synth.actions.body_hand import BODY_HAND
from mar_edge.training.synth.actions.head import HEAD
from mar_edge.training.synth.actions.head_hand import HEAD_HAND
from mar_edge.training.synth.actions.leg_hand import LEG_HAND
from mar_edge.training.synth.actions.lower_limb import LOWER_LIMB
from mar_edge.training.synth.actions.row import Action
from mar_edge.training.synth.actions.unnamed import UNNAMED
from mar_edge.training.synth.actions.upper_limb import UPPER_LIMB

ACTIONS: tuple[Action, ...] = (*BODY, *HEAD, *UPPER_LIMB, *LOWER_LIMB, *BODY_HAND, *HEAD_HAND, *LEG_HAND)

__all__ = ["ACTIONS", "UNNAMED", "Action"]
