"""``--config FILE``: the options of a command from a TOML file; what stands on the command line wins."""

from __future__ import annotations

import codecs
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from inspect import unwrap
from pathlib import Path
from types import NoneType, UnionType
from typing import Any, get_args, get_origin, get_type_hints

import typer

from mar_edge.edge.errors import MarEdgeError, did_you_mean

_MAX_BYTES = 1 << 20
_REREAD = "mar_edge.reread"
# Wherever this typer keeps click: what it raises for wrong options.
_UsageError: Any = typer.BadParameter.__bases__[0]
_THRESHOLDS = "thresholds"
_SHOWN = 60


@dataclass(frozen=True)
class ConfigFile:
    """options: by parameter name, as TOML gives them. thresholds: per label or body group."""

    options: dict[str, Any]
    thresholds: dict[str, float]


@dataclass(frozen=True)
class OptionKind:
    """What an option takes in TOML. several: a list of it as well. said: for people."""

    types: tuple[type, ...]
    said: str
    several: bool = False

    def takes(self, value: object) -> bool:
        """Whether the value is of this kind; no bool is a number."""
        if isinstance(value, list):
            return self.several and bool(value) and all(not isinstance(one, list) and self.takes(one) for one in value)
        if isinstance(value, str) and "\0" in value:  # no path, no address and no name holds one
            return False
        return isinstance(value, self.types) and (bool in self.types or not isinstance(value, bool))

    def of(self, value: Any) -> Any:
        """The value as the command line would have it."""
        if self.several:
            return [str(one) for one in (value if isinstance(value, list) else [value])]
        return str(value) if str in self.types else value


_KINDS: dict[object, OptionKind] = {
    bool: OptionKind((bool,), "true or false"),
    int: OptionKind((int,), "a whole number"),
    float: OptionKind((int, float), "a number"),
}
# A whole number is text too: the camera 0, the label 9.
_TEXT = OptionKind((str, int), "text")
_TEXTS = OptionKind((str, int), "text, or a list of it", several=True)


def option_kinds(command: Any) -> dict[str, OptionKind]:
    """What may stand in a config file of a command (click's): every option but ``--config``, by parameter name."""
    hints = get_type_hints(unwrap(command.callback))
    names = {parameter.name for parameter in command.params} - {"config"}
    return {name: _kind(hint) for name, hint in hints.items() if name in names}


def _kind(hint: object) -> OptionKind:
    if get_origin(hint) is UnionType:  # X | None
        (hint,) = (each for each in get_args(hint) if each is not NoneType)
    return _TEXTS if get_origin(hint) is list else _KINDS.get(hint, _TEXT)


def read_config(path: Path, kinds: Mapping[str, OptionKind]) -> ConfigFile:
    """Read a file whose keys are options (``stride-s`` or ``stride_s``) and the table ``[thresholds]``.

    Raises:
        MarEdgeError: it cannot be read, is not TOML, or holds an option that there is not, or of another kind.
    """
    import msgspec

    try:
        if path.stat().st_size > _MAX_BYTES:
            raise MarEdgeError(f"{path} is larger than {_MAX_BYTES} bytes, which is no config file")
        content = path.read_bytes().removeprefix(codecs.BOM_UTF8)
        if content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
            raise MarEdgeError(f"{path} is not a TOML file: it is UTF-16 text; save it as UTF-8")
        table = msgspec.toml.decode(content, type=dict[str, Any])
    except OSError as error:
        raise MarEdgeError(f"cannot read config file {path}: {error.strerror}") from None
    except (msgspec.DecodeError, ValueError, RecursionError) as error:
        raise MarEdgeError(f"{path} is not a TOML file: {error}") from None
    try:
        thresholds = msgspec.convert(table.pop(_THRESHOLDS, {}), dict[str, float])
    except msgspec.ValidationError as error:
        raise MarEdgeError(f"{path}: [{_THRESHOLDS}] holds numbers by label or body group: {error}") from None
    options: dict[str, Any] = {}
    for key, value in table.items():
        name = key.replace("-", "_")
        if name not in kinds:
            close = did_you_mean(key, [*kinds, _THRESHOLDS])
            raise MarEdgeError(
                f"{path}: no such option: {key}; there are {', '.join(sorted(kinds))} and [{_THRESHOLDS}]{close}"
            )
        if name in options:
            raise MarEdgeError(f"{path}: {key} stands there twice, with '-' and with '_'")
        if not kinds[name].takes(value):
            raise MarEdgeError(f"{path}: {key} is {kinds[name].said}, not {_shown(value)}")
        options[name] = kinds[name].of(value)
    return ConfigFile(options, thresholds)


def _shown(value: object) -> str:
    """A value of TOML's, short enough for one line."""
    if isinstance(value, dict):
        return "a table"
    text = str(value).lower() if isinstance(value, bool) else repr(value)
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}..."


def use_config(context: typer.Context, path: Path | None) -> Path | None:
    """Callback of an eager ``--config`` option: the file's values become the command's defaults.

    The options themselves check what may be in them, as they check the command line.
    """
    if path is not None:
        config = read_config(path, option_kinds(context.command))
        context.default_map = {**(context.default_map or {}), **config.options}
        context.obj = config
    return path


def called_again(context: typer.Context) -> Any:
    """What the command returns, called with the same command line and with its config file read anew.

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
    except _UsageError as error:
        raise MarEdgeError(error.format_message()) from None


def is_reread(context: typer.Context) -> bool:
    """Whether the command was called to give its configuration, and to do nothing else."""
    return bool(context.meta.get(_REREAD))
