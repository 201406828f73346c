"""``--config FILE``: the options of a command from a TOML file; the command line wins.

Which options there are, and of what kind, comes from their declarations.
"""

from __future__ import annotations

import codecs
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from inspect import unwrap
from pathlib import Path
from types import NoneType, UnionType
from typing import Annotated, Any, Union, get_args, get_origin, get_type_hints

import typer

from mar_edge.cli.app import UsageError
from mar_edge.edge.errors import MarEdgeError, about, did_you_mean
from mar_edge.streaming.recognition.event_rules import EventRules
from mar_edge.streaming.recognition.fusion_rules import FusionRules

_MAX_BYTES = 1 << 20
_REREAD = "mar_edge.reread"
_THRESHOLDS, _EVENT_RULES, _FUSION = "thresholds", "event_rules", "fusion"
_SHOWN = 60


@dataclass(frozen=True)
class ConfigFile:
    """What a file says.

    options: by parameter name. thresholds: per label or body group. event_rules, fusion: the defaults, or changed.
    """

    options: dict[str, Any] = field(default_factory=dict)
    thresholds: dict[str, float] = field(default_factory=dict)
    event_rules: EventRules = field(default_factory=EventRules)
    fusion: FusionRules = field(default_factory=FusionRules)


@dataclass(frozen=True)
class OptionKind:
    """The kind of value of an option in TOML. several: a list of it as well. said: for people."""

    types: tuple[type, ...]
    said: str
    several: bool = False

    def takes(self, value: object) -> bool:
        """Return whether the value is of this kind; no bool is a number."""
        if isinstance(value, list):
            return self.several and bool(value) and all(not isinstance(one, list) and self.takes(one) for one in value)
        if isinstance(value, str) and "\0" in value:  # no path, no address and no name holds one
            return False
        return isinstance(value, self.types) and (bool in self.types or not isinstance(value, bool))

    def of(self, value: Any) -> Any:
        """Return the value as the command line would give it."""
        if self.several:
            return [str(one) for one in (value if isinstance(value, list) else [value])]
        return str(value) if str in self.types else value


_NUMBER = OptionKind((int, float), "a number")
_KINDS: dict[object, OptionKind] = {
    bool: OptionKind((bool,), "true or false"),
    int: OptionKind((int,), "a whole number"),
    float: _NUMBER,
}
# A whole number is text too: the camera 0, the label 9.
_TEXT = OptionKind((str, int), "text")
_TEXTS = OptionKind((str, int), "text, or a list of it", several=True)


def option_kinds(command: Any) -> dict[str, OptionKind]:
    """Return what a config file of a command (click's) may hold: every option but ``--config``, by parameter name."""
    hints = get_type_hints(unwrap(command.callback))
    names = {parameter.name for parameter in command.params if parameter.param_type_name == "option"} - {"config"}
    return {name: _kind(hint) for name, hint in hints.items() if name in names}


def _kind(hint: object) -> OptionKind:
    if get_origin(hint) in (Union, UnionType):  # X | None
        (hint,) = (each for each in get_args(hint) if each is not NoneType)
    return _TEXTS if get_origin(hint) is list else _KINDS.get(hint, _TEXT)


def read_config(
    path: Path, kinds: Mapping[str, OptionKind], others: Mapping[str, OptionKind] | None = None
) -> ConfigFile:
    """Read a file whose keys are options (``stride-s`` or ``stride_s``).

    It may have the tables ``[thresholds]``, ``[event_rules]`` and ``[fusion]``.

    Args:
        kinds: options of the command.
        others: options of another command that shares the file; they are checked and left out.

    Raises:
        MarEdgeError: it cannot be read, is not TOML, or holds an unknown option or one of another kind.
    """
    import msgspec

    table = _read_toml(path)
    try:
        thresholds = msgspec.convert(table.pop(_THRESHOLDS, {}), dict[str, float])
    except msgspec.ValidationError as error:
        raise MarEdgeError(f"{path}: [{_THRESHOLDS}] holds numbers by label or body group: {error}") from None
    with about(str(path)):
        rules = EventRules(**_rules(_EVENT_RULES, table.pop(_EVENT_RULES, {}), EventRules))
        fusion = FusionRules(**_rules(_FUSION, table.pop(_FUSION, {}), FusionRules))
        tables = [f"[{name}]" for name in (_THRESHOLDS, _EVENT_RULES, _FUSION)]
        options = _checked(table, {**(others or {}), **kinds}, "option", tables)
    return ConfigFile({name: value for name, value in options.items() if name in kinds}, thresholds, rules, fusion)


def _rules(name: str, table: object, kind: type[EventRules | FusionRules]) -> dict[str, Any]:
    """Return the values of the table ``[name]``, which sets fields of ``kind``."""
    with about(f"[{name}]"):
        if not isinstance(table, dict):
            raise MarEdgeError(f"a table of numbers by rule, not {_shown(table)}")
        return _checked(table, {rule.name: _NUMBER for rule in fields(kind)}, "rule")


def _checked(
    table: Mapping[str, object], kinds: Mapping[str, OptionKind], what: str, tables: Sequence[str] = ()
) -> dict[str, Any]:
    """Return the values of a table by name, as the command line would give them.

    Args:
        what: a key names, in messages.
        tables: other names that the file may hold, for messages.
    """
    values: dict[str, Any] = {}
    for key, value in table.items():
        name = key.replace("-", "_")
        if name not in kinds:
            known = [*sorted(kinds), *tables]
            close = did_you_mean(key, [each.strip("[]") for each in known])
            raise MarEdgeError(f"no such {what}: {key}; there are {', '.join(known)}{close}")
        if name in values:
            raise MarEdgeError(f"{key} is there twice, with '-' and with '_'")
        if not kinds[name].takes(value):
            raise MarEdgeError(f"{key} is {kinds[name].said}, not {_shown(value)}")
        values[name] = kinds[name].of(value)
    return values


def _read_toml(path: Path) -> dict[str, Any]:
    import msgspec

    try:
        if path.stat().st_size > _MAX_BYTES:
            raise MarEdgeError(f"{path} is larger than {_MAX_BYTES} bytes, which is no config file")
        content = path.read_bytes().removeprefix(codecs.BOM_UTF8)
        if content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
            raise MarEdgeError(f"{path} is not a TOML file: it is UTF-16 text; save it as UTF-8")
        return msgspec.toml.decode(content, type=dict[str, Any])
    except OSError as error:
        raise MarEdgeError(f"cannot read config file {path}: {error.strerror}") from None
    except (msgspec.DecodeError, ValueError, RecursionError) as error:
        raise MarEdgeError(f"{path} is not a TOML file: {error}") from None


def _shown(value: object) -> str:
    """Return a TOML value, short enough for one line."""
    if isinstance(value, dict):
        return "a table"
    text = str(value).lower() if isinstance(value, bool) else repr(value)
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}..."


def _use_config(context: typer.Context, path: Path | None) -> Path | None:
    """Make the file's values the defaults of the command: a callback of an eager option.

    The options themselves check their values, as they check the command line.
    """
    if path is not None:
        config = read_config(path, option_kinds(context.command), _serve_kinds(context))
        context.default_map = {**(context.default_map or {}), **config.options}
        context.obj = config
    return path


def settings(context: typer.Context) -> ConfigFile:
    """Return what the config file of this call says beyond its options; an empty one without ``--config``."""
    return context.obj if isinstance(context.obj, ConfigFile) else ConfigFile()


ConfigFileOption = Annotated[
    Path | None,
    typer.Option(
        metavar="FILE",
        help="TOML file with these options by name, and tables \\[thresholds] by action or body group, "
        "\\[event_rules] and \\[fusion]. A SIGHUP reads it again.",
        show_default=False,
        is_eager=True,
        callback=_use_config,
    ),
]
ServeConfigFileOption = Annotated[
    Path | None,
    typer.Option(
        metavar="FILE",
        help="TOML file as of serve; options that only serve has are ignored.",
        show_default=False,
        is_eager=True,
        callback=_use_config,
    ),
]


def read_event_rules(context: typer.Context, path: Path | None) -> EventRules:
    """Return the event rules of a config file of ``serve``, or the defaults without one.

    Raises:
        MarEdgeError: as ``read_config``.
    """
    return EventRules() if path is None else read_config(path, _serve_kinds(context)).event_rules


def _serve_kinds(context: typer.Context) -> dict[str, OptionKind]:
    # The parent of a command is the group of all commands.
    return option_kinds(context.parent.command.commands["serve"])  # type: ignore[union-attr]  # always a group


def called_again(context: typer.Context) -> Any:
    """Call the command with the same command line, its config file read again. Return what it returns.

    The command sees by ``is_reread`` that only its configuration is wanted.

    Raises:
        MarEdgeError: the file, or an option in it, is wrong now.
    """
    name = context.info_name or ""
    arguments = sys.argv[sys.argv.index(name) + 1 :]
    try:
        again = context.command.make_context(name, arguments, parent=context.parent)
        again.meta[_REREAD] = True
        with again:
            return again.command.invoke(again)
    except UsageError as error:
        raise MarEdgeError(error.format_message()) from None


def is_reread(context: typer.Context) -> bool:
    """Return whether the command was called to give its configuration, and to do nothing else."""
    return bool(context.meta.get(_REREAD))
