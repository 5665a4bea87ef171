"""Shares of work for several processes: each item belongs to exactly one."""

from __future__ import annotations

import pytest

from store.errors import BertdynError
from store.part import WHOLE, Part

NAMES = [f"sst2/{seed}/{step}" for seed in range(10) for step in range(0, 1000, 10)]


@pytest.mark.parametrize("count", [1, 2, 7])
def test_each_item_is_in_one_share_and_shares_are_about_equal(count: int) -> None:
    parts = [Part.parse(f"{number}/{count}") for number in range(1, count + 1)]
    shares = [[name for name in NAMES if part.has(name)] for part in parts]
    assert sorted(name for share in shares for name in share) == sorted(NAMES)
    assert all(abs(len(share) - len(NAMES) / count) < 5 * (len(NAMES) / count) ** 0.5 for share in shares)


def test_the_whole_has_everything() -> None:
    assert all(map(WHOLE.has, NAMES))


@pytest.mark.parametrize("text", ["", "1", "0/2", "3/2", "1/0", "-1/2", "a/b", "1/2/3", "1.5/2"])
def test_what_is_no_share_is_refused(text: str) -> None:
    with pytest.raises(BertdynError, match=r"^--part: '.*' is not I/N"):
        Part.parse(text)
