"""Do titles fit without losing what they are about?"""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from explorer.render.fitting import DOT, fit

SUBTITLE = "corpus tags · over 1,806 tokens · 99 % variance · 0 = same up to a linear map · 1 = nothing in common"
TITLE = "SVCCA distance from the pre-trained model · sst2, mean of seeds 1, 2, layer 6, one line per seed"


@pytest.mark.parametrize(
    ("text", "width", "shown"),
    [
        (SUBTITLE, 120, SUBTITLE),
        (SUBTITLE, 82, "corpus tags · over 1,806 tokens · 99 % variance · 0 = same up to a linear map · …"),
        (SUBTITLE, 79, "corpus tags · over 1,806 tokens · 99 % variance · 1 = nothing in common · …"),
        (SUBTITLE, 60, "corpus tags · over 1,806 tokens · 99 % variance · …"),
        ("corpus ewt · over 9 · a long part that does not fit · short", 34, "corpus ewt · over 9 · short · …"),
        (SUBTITLE, 40, "corpus tags · over 1,806 tokens · …"),
        (SUBTITLE, 25, "corpus tags · over 1,806…"),
        (TITLE, 96, TITLE),
        (TITLE, 86, "SVCCA distance from pre-trained · sst2, mean of seeds 1, 2, layer 6, one line per seed"),
        (TITLE, 70, "SVCCA distance from pre-trained · sst2, mean of seeds 1, 2, layer 6…"),
        ("from seed 2 at the same step · sst2", 30, "from seed 2 · sst2"),
        ("a-task-with-a-very-long-name", 10, "a-task-wi…"),
        ("", 10, ""),
        ("anything", 0, ""),
    ],
)
def test_what_matters_least_goes_first_and_no_word_is_cut(text, width, shown):
    assert fit(text, width) == shown


@given(st.lists(st.text("ab ,漢", max_size=12), max_size=6), st.integers(0, 60))
def test_it_fits_and_is_a_part_of_what_was_said(parts, width):
    text = DOT.join(parts)
    shown = fit(text, width)
    assert cell_len(shown) <= width
    said = shown.removesuffix("…").removesuffix(DOT).split(DOT)
    rest = iter(text.split(DOT))
    assert all(any(part.startswith(one) for part in rest) for one in said)
