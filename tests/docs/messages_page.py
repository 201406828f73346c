"""Write docs/messages.md from the annotations and docstrings of the message types.

python tests/docs/messages_page.py
"""

from __future__ import annotations

import inspect
import json
import re
import types
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

import msgspec

from mar_edge.edge.labels import Label
from mar_edge.streaming.wire import messages as m
from mar_edge.streaming.wire.answer_message import AnswerMessage, PictureStatus
from mar_edge.streaming.wire.message import Message
from mar_edge.streaming.wire.profile_message import Activity, Comparison, ProfileMessage

PAGE = Path(__file__).parents[2] / "docs" / "messages.md"
UNITS = {"_ns": "ns", "_ms": "ms", "_s": "s"}
SCALARS = {int: "integer", float: "number", str: "string", bool: "boolean"}
PARTS = (m.ScoredLabel, m.ModelLabels, Label, m.Latency, Activity, Comparison, m.Quantiles, PictureStatus)

INTRODUCTION = """\
# Messages

<!-- Written by tests/docs/messages_page.py from streaming/wire: edit the docstrings there. -->

A sender publishes on a ZeroMQ PUB socket, by default `tcp://127.0.0.1:5557`. A message has two parts:

1. the topic, `mar/STREAM/KIND/`, so that a ZeroMQ subscription can select streams and kinds;
2. the payload: JSON, or MessagePack with `--encoding msgpack`.

A missing number is `null`; NaN is never sent. A receiver must skip fields and kinds that it does not know: they may be
added without a new `schema`. `seq` without gaps shows that no message was lost; `kind_seq` shows the same to a receiver
that subscribed to some kinds only. In Python, `mar_edge.LabelSubscriber` does all of this ([api.md](api.md)).

An event begins when the smoothed probability of its label has been above the threshold for 0.6 s. It ends when the
label is lost. If the person stays in the posture that the movement led to, it ends up to 15 s later. Onset and offset
are those of the movement itself. With a model of several labels per window (`"activation":"sigmoid"`), events of
different body parts (trunk, head, hands, legs) run in parallel. A model of one label per window has one event at a
time.
"""


def page() -> str:
    """Return the whole page."""
    head = _section("Fields of every message", Message, "")
    kinds = [_section(f"`{kind}`", m.TYPE_OF[kind], _example(kind)) for kind in m.KINDS]
    parts = [_section(part.__name__, part, "") for part in PARTS]
    return "\n".join([INTRODUCTION, head, *kinds, *parts])


def _section(title: str, struct: type[msgspec.Struct], example: str) -> str:
    summary, meanings = _documented(struct)
    hints = get_type_hints(struct)
    own = [name for name in struct.__struct_fields__ if struct is Message or name not in Message.__struct_fields__]
    rows = [f"| `{name}` | {_type(hints[name])}{_unit(name)} | {meanings[name]} |" for name in own]
    lines = [f"## {title}", "", summary, "", "| field | type | meaning |", "|---|---|---|", *rows, ""]
    return "\n".join([*lines, example] if example else lines)


def _documented(struct: type[msgspec.Struct]) -> tuple[str, dict[str, str]]:
    """Return the first paragraph of a docstring, and what its ``Attributes`` section says of each field.

    Raises:
        KeyError: when the table is made, if a field is not documented.
    """
    text, _, attributes = (inspect.getdoc(struct) or "").replace("``", "`").partition("Attributes:")
    entries = re.findall(r"^    (\w+): (.+(?:\n {5,}.+)*)", attributes, re.MULTILINE)
    return " ".join(text.split()), {name: " ".join(meaning.split()) for name, meaning in entries}


def _type(hint: Any) -> str:
    """Return the name of a type as JSON has it, linked if it is a part described on this page."""
    if hint in SCALARS:
        return SCALARS[hint]
    if hint in PARTS:
        return f"[{hint.__name__}](#{hint.__name__.lower()})"
    return _composed(hint, get_origin(hint), get_args(hint))


def _composed(hint: Any, origin: Any, arguments: tuple[Any, ...]) -> str:
    if origin in (Union, types.UnionType):
        return " or ".join("null" if one is type(None) else _type(one) for one in arguments)
    if origin is Literal:
        return "string"
    if origin is dict:
        return f"object: name to {_type(arguments[1])}"
    if origin is not tuple:
        raise TypeError(f"no name for {hint}")
    names = [_type(one) for one in arguments if one is not ...]
    if arguments[-1] is ...:
        return f"array of ({names[0]})" if " or " in names[0] else f"array of {names[0]}"
    return f"[{', '.join(names)}]"


def _unit(name: str) -> str:
    return next((f", {unit}" for suffix, unit in UNITS.items() if name.endswith(suffix)), "")


def _example(kind: m.Kind) -> str:
    message = msgspec.to_builtins(next(one for one in _examples() if one.kind == kind))
    own = [(name, value) for name, value in message.items() if name not in Message.__struct_fields__]
    lines = ",\n".join(f"  {json.dumps(name)}: {json.dumps(value)}" for name, value in own)
    return f"```json\n{{\n{lines}\n}}\n```\n"


def _examples() -> Iterator[m.AnyMessage]:
    """Yield one message of each kind, with invented numbers; the fields of every message are left out of the page."""
    second = 1_000_000_000
    start = 1_795_000_000 * second
    nodding = Label(9, "nodding", "head")
    yield m.HelloMessage(
        source="0", size=(1280, 720), fps=30.0, t_zero_ns=start, model="MMN joint",
        precision="fp32", layout="ma52", joints=("nose", "neck"), labels=(nodding,), background=None, window_s=2.0,
        stride_s=0.2, on_thresholds=(0.4,), off_thresholds=(0.12,), pose="holistic", runtime="onnxruntime 1.32.0 (CPU)",
        versions={"mar-edge": "0.2.0"}, prior="trained", activation="sigmoid", needs=(("head",),),
    )  # fmt: skip
    yield m.LabelMessage(
        person=0, top=(m.ScoredLabel(9, "nodding", "head", 0.61),), gated=False,
        t_start_ns=start - 2 * second, t_end_ns=start, latency=m.Latency(31.0, 0.9, 9.1, 44.2, 3.1),
        visible=("head", "trunk"),
    )  # fmt: skip
    yield m.EventMessage(
        event_id=1, person=0, label=nodding, phase="begin",
        t_start_ns=start - second, t_end_ns=None, score=0.61,
    )  # fmt: skip
    yield m.SkeletonMessage(
        person=0, joints=((571.3, 396.3), None), scores=(1.0, 0.12),
        t_media_ns=20 * second, segment=0,
    )  # fmt: skip
    yield AnswerMessage(
        person=0, scores={"nodding": 0.41, "turning head": 0.22}, t_media_start_ns=18 * second,
        t_media_end_ns=20 * second, infer_ms=310.5,
    )  # fmt: skip
    before = Comparison(
        count=8, duration_s=9.6, in_view_s=290.0, rate_per_min=1.6552, ratio=2.5, ratio_low=0.5509, ratio_high=9.3318,
        difference_per_min=2.4828,
    )  # fmt: skip
    activity = Activity(
        name="head", body="head", count=4, duration_s=5.2, in_view_s=58.0, rate_per_min=4.1379, baseline=before
    )
    yield ProfileMessage(
        person=0, t_start_ns=start - 60 * second, t_end_ns=start, baseline_s=300.0, baseline_complete=True,
        total=msgspec.structs.replace(activity, name="", body=""), bodies=(activity,),
        actions=(msgspec.structs.replace(activity, name="nodding"),),
    )  # fmt: skip
    yield m.MarkerMessage(text="stimulus 7", source="PsychoPy", t_marker_ns=start - second // 2)
    latency = {"total": m.Quantiles(44.2, 61.0, 75.3)}
    yield m.StatusMessage(
        camera="live", fps_in=30.0, fps_out=29.8, frames=600, dropped=3,
        latency_ms=latency, runtime="onnxruntime 1.32.0 (CPU)", model="MMN joint", subscribers=1, inferences=98,
        gated=12, invalid=0, resets=0, people=1, events=4, uptime_s=20.0, connections=1, frame_age_s=0.02,
    )  # fmt: skip
    yield m.EndMessage(
        last_seq=45, reason="end of file", sent={"hello": 1, "label": 98},
        frames=600, dropped=3, inferences=98, gated=12, events=4,
    )  # fmt: skip


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
