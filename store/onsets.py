"""Define the SQL view ``onsets``: when each curve of steps had made half and 90 % of its change. Pure text.

The rule is that of ``explorer.answers.onsets``, and so is the arithmetic: IEEE doubles in the same order. A curve is
the values of one run that differ in their step alone. The reference either stays the same along a curve, or it is
another run at the same step; changes since the previous checkpoint are no curve of this kind.
"""

from __future__ import annotations

from collections.abc import Mapping

from store.duck_paths import quoted
from store.keys import PRETRAINED
from store.results import AXIS, KEY_FIELDS

_SHARES = {"half": "5e-1", "ninety": "9e-1"}
_ROUNDING = "1e-6"
_OPERANDS = ("task", "variant", "seed")


def onsets_view(axes: Mapping[str, str], noise: Mapping[str, float]) -> str:
    """Return the statement that makes the view over ``results``.

    Args:
        axes: Parquet columns of further coordinates.
        noise: level of the noise by measure. Measures that are not in it have no rows.
    """
    own = {name: name for name in KEY_FIELDS if name not in ("step", "ref_step")}
    own |= {name: name.removeprefix(AXIS) for name in axes}
    named = ", ".join(f'"{column}" as "{name}"' for column, name in own.items())
    keys = ", ".join(f'"{name}"' for name in (*own.values(), "ref_step"))
    other = ", ".join(f"ref_{name}" for name in _OPERANDS)
    reached = ", ".join(
        f"arg_min(_before, step) filter (_share >= {share}) as {name}_after, "
        f"min(step) filter (_share >= {share}) as {name}_by"
        for name, share in _SHARES.items()
    )
    return (
        f"create view onsets as with levels as ({_levels(noise)}), curves as ("
        f"select {named}, ref_step, step, value, unit from results where isfinite(value) union all "
        f"select {named}, null as ref_step, step, value, unit from results where isfinite(value) and ref_step = step "
        f"and ref_task <> {quoted(PRETRAINED)} and ({other}) <> ({', '.join(_OPERANDS)})), "
        "placed as (select *, first(step) over along as first_step, last(step) over along as last_step, "
        "first(value) over along as _start, last(value) over along as _finish, max(abs(value)) over along as _largest, "
        f"lag(step) over (partition by {keys} order by step) as _before from curves "
        f"window along as (partition by {keys} order by step rows between unbounded preceding and unbounded following)"
        "), shared as (select *, case when abs(_finish - _start) > greatest(_noise, "
        f"{_ROUNDING} * _largest) then (value - _start) / (_finish - _start) end as _share "
        "from placed join levels using (measure) where first_step < last_step) "
        f"select {keys}, first_step, last_step, any_value(_start) as first_value, any_value(_finish) as last_value, "
        f"any_value(unit) as unit, {reached} from shared group by {keys}, first_step, last_step"
    )


def _levels(noise: Mapping[str, float]) -> str:
    if not noise:
        return "select ''::varchar as measure, 0e0 as _noise where false"
    rows = ", ".join(f"({quoted(name)}, {level!r}::double)" for name, level in sorted(noise.items()))
    return f"select * from (values {rows}) as given(measure, _noise)"
