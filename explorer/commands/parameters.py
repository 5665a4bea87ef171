"""Make flags for the parameters of measures, from the registry."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import click

from explorer.measures import Parameter
from explorer.measures.registry import all_measures


def parameter_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add a flag for every parameter of any measure; the command receives None for flags that are not given.

    Values are text: ``Measure.settle`` converts them and refuses parameters of other measures.
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
    """Return the help of a parameter: its meaning, choices and default."""
    choices = f" ({', '.join(parameter.choices)})" if parameter.choices else ""
    return f"{parameter.help.rstrip('.')}{choices}; default {parameter.default}"
