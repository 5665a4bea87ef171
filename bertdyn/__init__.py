"""Measure in notebooks and scripts what fine-tuning does to a BERT-like encoder.

    >>> import bertdyn
    >>> runs = bertdyn.open("runs.bertdyn")
    >>> t = runs.compute("svcca", task="sst2", against="previous")
    >>> t.columns[:5]
    ('measure', 'corpus', 'task', 'variant', 'seed')
    >>> strongest = runs.sql("SELECT arg_max(layer, value) FROM svcca WHERE step = 80 AND ref_task = 'pretrained'")
    >>> strongest.rows
    [(6,)]
    >>> one, other = (runs.hidden("sst2", seed=seed, step=80, layer=6) for seed in (1, 2))
    >>> bertdyn.svcca(one, other).unit
    'distance'

A value is computed once, stored, and read back the next time. Results can be converted to tables of pandas
(``t.df()``), polars (``t.pl()``) or pyarrow (``t.arrow()``) if that library is installed.

Every measure that can be computed from arrays is a function here; dashes in its name become underscores.
``dir(bertdyn)`` lists these functions, and ``help(bertdyn.svcca)`` describes one. Invalid input raises
``BertdynError``, with a message of one or two sentences.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from bertdyn.hidden_packages import require_own

require_own("store", "explorer")

import explorer  # noqa: E402, F401  later imports then find the same packages, whatever the working directory is
import store  # noqa: E402, F401
from bertdyn.refusals import refusals  # noqa: E402
from store.errors import BertdynError  # noqa: E402

if TYPE_CHECKING:
    import os

    from bertdyn.corpora import Examples
    from bertdyn.runs import Runs
    from store.outputs import Classes

__all__ = ["BertdynError", "Classes", "Examples", "open"]

_ELSEWHERE = {"Classes": "store.outputs", "Examples": "bertdyn.corpora"}


def open(path: str | os.PathLike[str]) -> Runs:
    """Open a store that `bertdyn extract` made.

    >>> runs = bertdyn.open("runs.bertdyn")
    >>> with bertdyn.open("runs.bertdyn") as runs:
    ...     rows = runs.results("svcca").rows

    Raises:
        BertdynError: the folder does not exist, it is not a store, the store has another format, or a module named
            in BERTDYN_MEASURES has no measures.
    """
    with refusals():
        from bertdyn.runs import Runs

    return Runs.open(path)


def __getattr__(name: str) -> Any:
    """Return the function of a measure, which is made from the measure's declaration."""
    if name.startswith("_"):
        raise AttributeError(f"module 'bertdyn' has no attribute '{name}'")
    from importlib import import_module

    if name in _ELSEWHERE:
        return getattr(import_module(_ELSEWHERE[name]), name)
    with refusals():
        found = import_module("bertdyn.functions").function_named(name)
    if found is None:
        raise AttributeError(f"module 'bertdyn' has no attribute '{name}', and there is no measure with that name")
    return found


def __dir__() -> list[str]:
    with refusals():
        from bertdyn.functions import names

    return sorted([*__all__, *names()])
