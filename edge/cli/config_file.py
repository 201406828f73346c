"""``--config FILE``: the options of a command from a TOML file; what stands on the command line wins."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import typer

from edge.errors import MarEdgeError

_MAX_BYTES = 1 << 20
_REREAD = "mar_edge.reread"
# Wherever this typer keeps click: what it raises for wrong options.
_UsageError: Any = typer.BadParameter.__bases__[0]
_THRESHOLDS = "thresholds"


@dataclass(frozen=True)
class ConfigFile:
    """options: by parameter name, as TOML gives them. thresholds: per label or body group."""

    options: dict[str, Any]
    thresholds: dict[str, float]


def read_config(path: Path, known: set[str]) -> ConfigFile:
    """Read a file whose keys are options (``stride-s`` or ``stride_s``) and the table ``[thresholds]``.

    Raises:
        MarEdgeError: it cannot be read, is not TOML, or holds what is not ``known``.
    """
    import msgspec

    try:
        if path.stat().st_size > _MAX_BYTES:
            raise MarEdgeError(f"{path} is larger than {_MAX_BYTES} bytes, which is no config file")
        table = msgspec.toml.decode(path.read_bytes(), type=dict[str, Any])
    except OSError as error:
        raise MarEdgeError(f"cannot read config file {path}: {error.strerror}") from None
    except msgspec.DecodeError as error:
        raise MarEdgeError(f"{path} is not a TOML file: {error}") from None
    try:
        thresholds = msgspec.convert(table.pop(_THRESHOLDS, {}), dict[str, float])
    except msgspec.ValidationError as error:
        raise MarEdgeError(f"{path}: [{_THRESHOLDS}] holds numbers by label or body group: {error}") from None
    options = {key.replace("-", "_"): value for key, value in table.items()}
    unknown = sorted(options.keys() - known)
    if unknown:
        raise MarEdgeError(
            f"{path}: no such option: {', '.join(unknown)}; there are {', '.join(sorted(known))} and [{_THRESHOLDS}]"
        )
    nested = sorted(name for name, value in options.items() if isinstance(value, dict))
    if nested:
        raise MarEdgeError(f"{path}: {', '.join(nested)} is a value, not a table")
    return ConfigFile(options, thresholds)


def use_config(context: typer.Context, path: Path | None) -> Path | None:
    """Callback of an eager ``--config`` option: the file's values become the command's defaults.

    The option types check them, as they check the command line.
    """
    if path is not None:
        config = read_config(
            path, {parameter.name for parameter in context.command.params if parameter.name} - {"config"}
        )
        # An option that may be repeated takes one value as well.
        lists = {parameter.name for parameter in context.command.params if getattr(parameter, "multiple", False)}
        options = {
            name: [value] if name in lists and not isinstance(value, list) else value
            for name, value in config.options.items()
        }
        context.default_map = {**(context.default_map or {}), **options}
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
