"""Groups of options: a parameter of a command that is a dataclass becomes an option for each of its fields.

    @dataclass(frozen=True)
    class RecordLimits:
        PANEL: ClassVar = "Recording"
        record_mb: Annotated[float, typer.Option(help="Size of a file in megabytes.")] = 256.0

So an option is declared once: its name, type, default, help and panel, and its kind in a config file.
"""

from __future__ import annotations

import copy
import dataclasses
import inspect
import types
from collections.abc import Callable
from typing import Annotated, Any, Literal, Union, get_args, get_origin, get_type_hints

import typer


def expand_groups(function: Callable[..., Any], panel: str) -> Callable[..., Any]:
    """Return the function with an option for each field of its groups, which ``typer`` can read.

    Args:
        panel: heading of options that are in no group and name none.
    """
    hints = get_type_hints(function, include_extras=True)
    groups: dict[str, Any] = {name: hint for name, hint in hints.items() if dataclasses.is_dataclass(hint)}
    parameters = []
    for parameter in inspect.signature(function).parameters.values():
        if parameter.name in groups:
            parameters += _options(groups[parameter.name])
        else:
            parameters.append(_keyword(parameter.name, hints[parameter.name], parameter.default, panel))

    def expanded(**given: Any) -> Any:
        made = {
            name: group(**{field.name: given.pop(field.name) for field in dataclasses.fields(group)})
            for name, group in groups.items()
        }
        return function(**made, **given)

    expanded.__name__, expanded.__doc__ = function.__name__, function.__doc__
    expanded.__annotations__ = {parameter.name: parameter.annotation for parameter in parameters}
    # What ``inspect.signature`` reads, and typer with it; mypy does not know that functions may have one.
    expanded.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
    return expanded


def _options(group: Any) -> list[inspect.Parameter]:
    hints = get_type_hints(group, include_extras=True)
    return [
        _keyword(
            field.name,
            hints[field.name],
            field.default if field.default_factory is dataclasses.MISSING else field.default_factory(),
            group.PANEL,
        )
        for field in dataclasses.fields(group)
    ]


def _keyword(name: str, hint: Any, default: Any, panel: str) -> inspect.Parameter:
    """Return a parameter as ``typer`` reads it; its own panel, if it names one, wins."""
    if get_origin(hint) is Annotated:
        kind, info = get_args(hint)
        info = copy.copy(info)
        if not isinstance(info, typer.models.ArgumentInfo):
            info.rich_help_panel = info.rich_help_panel or panel
        choices = _choices_of_list(kind)
        if choices:  # which typer takes of a single value only
            info.parser, info.metavar = _one_of(choices), info.metavar or "|".join(choices)
            kind = list[str] | None if type(None) in get_args(kind) else list[str]
        hint = Annotated[kind, info]
    return inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=default, annotation=hint)


def _choices_of_list(kind: Any) -> tuple[str, ...]:
    """Return the choices of ``list[Literal[...]]``, optional or not; none of another type."""
    for each in get_args(kind) if get_origin(kind) in (Union, types.UnionType) else (kind,):
        if get_origin(each) is list and get_origin(get_args(each)[0]) is Literal:
            return get_args(get_args(each)[0])
    return ()


def _one_of(choices: tuple[str, ...]) -> Callable[[str], str]:
    def parse(text: str) -> str:
        if text not in choices:
            raise typer.BadParameter(f"'{text}' is not one of {', '.join(map(repr, choices))}.")
        return text

    return parse
