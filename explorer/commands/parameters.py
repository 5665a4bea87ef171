"""The measures' own parameters as flags, made from the registry."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import click

from explorer.measures import Parameter
from explorer.measures.registry import all_measures


def parameter_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add a flag for every parameter that some measure declares; one that was not given reaches the command as None.

    Values are text: ``Measure.settle`` reads them and refuses a parameter that is not the measure's.
    """
    users: dict[str, dict[Parameter, list[str]]] = {}
    for measure in all_measures():
        for parameter in measure.parameters:
            users.setdefault(parameter.name, {}).setdefault(parameter, []).append(measure.name)
    for name, owners in sorted(users.items(), reverse=True):
        told = "; ".join(f"{', '.join(measures)}: {parameter_help(p)}" for p, measures in owners.items())
        command = click.option(f"--{name.replace('_', '-')}", name, metavar="VALUE", help=f"{told}.")(command)
    return command


def parameter_help(parameter: Parameter) -> str:
    """What it means, what it may be and what it is when not given."""
    choices = f" ({', '.join(parameter.choices)})" if parameter.choices else ""
    return f"{parameter.help.rstrip('.')}{choices}; default {parameter.default}"
