"""Does the text of a sentence show which tokens' attention moved most, and the weights that changed, as they are?"""

from __future__ import annotations

import re

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from explorer.answers.example import ExampleData, largest_changes, largest_shifts
from explorer.answers.look import END
from explorer.export.figure import caption
from explorer.pages.example import Example
from explorer.pages.sentence_text import MOST, NOTHING, PIECES, running_text
from explorer.render.axes import round_end
from explorer.render.cells import width_of
from explorer.render.ink import GLYPHS
from explorer.render.output import to_text
from explorer.render.palette import LEVELS, Depth, palette
from explorer.ui.cursor_axes import drawn, meant
from explorer.ui.state import State
from explorer.views.base import NOWHERE, Cursor, DrawOptions, Picture
from explorer.views.kinds import VIEWS
from tests.explorer.views.part_samples import moved
from tests.oracle import js_bits

NAMES = [f"w{i}" for i in range(30)]
HOSTILE = ["##s", "##", "[CLS]", "长句子", "\x1b]52;c;x\x07", "\u202ex"]


def random_attention(tokens: list[str], seed: int = 0) -> ExampleData:
    """Rows of two checkpoints drawn at random, half of which differ much and half little."""
    rng = np.random.default_rng(seed)
    length = len(tokens)
    before, other = rng.dirichlet(np.full(length, 0.2), (2, length))
    share = rng.uniform(0, 1, (length, 1)) ** 2
    after = (1 - share) * before + share * other
    return moved(tokens, checkpoint=after, reference=before, js=js_bits(after, before))


def draw(
    view: Example, width: int, height: int, cursor: Cursor = NOWHERE, depth: Depth = Depth.NONE, ascii: bool = False
) -> Picture:
    return view.draw(width, height, palette(depth), cursor, DrawOptions(ascii=ascii))


def text(view: Example, width: int = 100, height: int = 30, cursor: Cursor = NOWHERE, ascii: bool = False) -> str:
    return to_text(draw(view, width, height, cursor, ascii=ascii).lines)


def places(value: float, sign: str = "") -> str:
    """A weight with two places and no zero before the point, written independently."""
    hundredths = round(abs(value) * 100)
    whole = str(hundredths // 100) if hundredths >= 100 else ""
    return f"{('-' if value < 0 else '+') if sign else ''}{whole}.{hundredths % 100:02d}"


def rows_of(drawn: str) -> list[str]:
    """The lines of the list under its title."""
    lines = drawn.splitlines()
    start = next(i for i, line in enumerate(lines) if line.strip().startswith("query token")) + 1
    return [line for line in lines[start:] if line]


@pytest.mark.parametrize("seed", range(5))
def test_the_largest_changes_are_those_of_brute_force(seed: int) -> None:
    data = random_attention(NAMES, seed)
    expected = sorted(range(30), key=lambda i: -js_bits(data.checkpoint, data.reference)[i])[:MOST]
    assert list(largest_changes(data, MOST)) == expected
    for query, line in zip(expected, rows_of(text(Example(data, "reader"), 250)), strict=True):
        change = {j: data.checkpoint[query, j] - data.reference[query, j] for j in range(30)}
        keys = sorted(change, key=lambda j: -abs(change[j]))[:6]
        shown = [
            f"w{j} {places(data.reference[query, j])} → {places(data.checkpoint[query, j])} {places(change[j], '+')}"
            for j in keys
            if abs(change[j]) > 0.0051
        ]
        name, value, _, *rest = line.split()
        assert (name, value) == (f"w{query}", f"{data.js[query]:.3f}")
        assert " ".join(rest).startswith(" ".join(shown[:3]))
        assert [*largest_shifts(data, query, 3)] == [j for j in keys[:3] if abs(change[j]) > 0.0051]


def test_a_row_is_pointed_at_as_a_whole_until_a_token_is_chosen() -> None:
    view = Example(random_attention(NAMES))
    assert draw(view, 100, 30, Cursor(END, END)).reading.startswith(f"query token '{NAMES[view.query_of(9)]}'")
    assert " attends to " in draw(view, 100, 30, Cursor(4, END)).reading


def test_tokens_are_shaded_by_their_own_values_and_bars_have_the_same_scale() -> None:
    data = random_attention(NAMES)
    high = round_end(data.js.max())
    expected = [min(LEVELS - 1, int(value / high * LEVELS)) for value in data.js]
    view = Example(data, "reader")
    shaded = {
        segment.text: segment.style.bgcolor
        for line in draw(view, 100, 30, depth=Depth.EIGHT_BIT).lines[:4]
        for segment in line
        if segment.style and segment.style.bgcolor is not None and segment.text.strip()
    }
    assert shaded == {name: palette(Depth.EIGHT_BIT).heat[i] for name, i in zip(NAMES, expected, strict=True)}
    lines = text(view, 200).splitlines()
    assert lines[0].split() == NAMES
    assert [glyphs[0] for glyphs in lines[1].split()] == [GLYPHS[i * len(GLYPHS) // LEVELS] for i in expected]
    assert lines[0].index("w17") == lines[1].index(lines[1].split()[17], lines[0].index("w17"))
    for query in view.text.listed if view.text else ():
        bar = next(line for line in lines if line.startswith(f" w{query} ")).split()[2]
        assert len(bar.replace("▌", "")) + bar.count("▌") / 2 == pytest.approx(data.js[query] / high * 10, abs=0.26)


def test_pieces_are_read_as_words_and_named_with_them() -> None:
    tokens = ["[CLS]", "a", "fan", "##ci", "##ful", "film", "[SEP]", "##x"]
    view = Example(random_attention(tokens), "reader")
    drawn = text(view, 200)
    assert drawn.splitlines()[0].strip() == "[CLS] a fanciful film [SEP] ##x", "after [SEP] no word goes on"
    assert "##ci in fanciful" in drawn
    assert PIECES in view.notes
    assert PIECES not in Example(random_attention(NAMES), "reader").notes
    again = text(Example(random_attention(["the", "end", "of", "the", "day"]), "reader"), 200)
    assert "the (0) " in again
    assert "the (3) " in again


@pytest.mark.parametrize(
    ("tokens", "reads"),
    [
        (["<s>", "A", "Ġfan", "ci", "ful", "Ġfilm", ".", "</s>"], "<s> A fanciful film. </s>"),
        (["<s>", "▁A", "▁fan", "ci", "ful", "▁", "长句子", "</s>"], "<s> A fanciful ▁长句子 </s>"),
    ],
)
def test_words_of_other_tokenizers_stand_together(tokens: list[str], reads: str) -> None:
    pieces, joined = running_text(tokens, [token.startswith("<") for token in tokens])
    assert "".join(piece if on else f" {piece}" for piece, on in zip(pieces, joined, strict=True)).strip() == reads


def test_long_sentences_are_text_and_short_ones_maps() -> None:
    short, long = (Example(random_attention(NAMES[:length])) for length in (20, 21))
    assert "JS bits of the row" not in text(short)
    assert "JS bits of the row" in text(long)
    said = (" ".join(long.notes), VIEWS["example"].parts["auto"])
    assert all("more than 20 tokens" in words for words in said)
    assert long.rows()[0] == short.rows()[0]
    assert len(long.rows()[1]) == 21 * 21
    assert list(VIEWS["example"].parts)[:2] == ["auto", "all"], "from the text the next variant shows maps"


def test_the_cursor_walks_the_listed_tokens_from_the_largest_down() -> None:
    data = random_attention(NAMES)
    view = Example(data, "reader")
    ranked = view.ranked()
    assert [cursor.y for cursor in ranked] == list(range(MOST - 1, -1, -1))
    queries = [view.query_of(cursor.y) for cursor in ranked]
    assert queries == sorted(range(30), key=lambda i: -data.js[i])[:MOST]
    for cursor, query in zip(ranked, queries, strict=True):
        picture = draw(view, 100, 30, cursor)
        assert picture.cursor == cursor
        assert picture.reading.startswith(f"query token 'w{query}' ({query}): JS {data.js[query]:.3f} bits")
        marked = re.findall(r"▸(w\d+)", to_text(picture.lines))
        assert marked == [f"w{query}"] * 2, "in the sentence and in the list"
    both = draw(view, 140, 30, Cursor(7, MOST - 1))
    assert both.reading.startswith(f"'w{queries[0]}' ({queries[0]}) attends to 'w7' (7): ")
    assert "◆w7 " in to_text(both.lines)


def test_the_same_token_is_pointed_at_in_text_and_maps() -> None:
    data = random_attention(NAMES)
    as_text, as_maps = Example(data, "reader"), Example(data, "all")
    parts = list(VIEWS["example"].parts)
    reads, maps = (State(mode="example", variants=(("example", parts.index(part)),)) for part in ("reader", "all"))
    for y in range(MOST):
        value = meant(reads, as_text, Cursor(3, y))
        there = drawn(maps.pointing(value), as_maps)
        assert (there.x, as_maps.query_of(there.y)) == (3, as_text.query_of(y))
        assert drawn(reads.pointing(meant(maps, as_maps, there)), as_text) == Cursor(3, y)
    listed = sorted(as_text.query_of(y) for y in range(MOST))
    for query in set(range(30)) - set(listed):  # not listed: the listed token before it, else the first
        at = drawn(reads.pointing(Cursor(3, query)), as_text)
        assert as_text.query_of(at.y) == max((n for n in listed if n < query), default=listed[0])


def test_a_sentence_in_which_nothing_moved_says_so() -> None:
    same = random_attention(NAMES).reference
    for tokens, attention in ((NAMES, same), (["x"], np.ones((1, 1)))):
        data = moved(tokens, checkpoint=attention, reference=attention, js=np.zeros(len(tokens)))
        view = Example(data, "reader")
        assert NOTHING in " ".join(text(view, 120).split())
        assert view.ranked() == ()
        assert draw(view, 120, 30, Cursor(0, 5)).reading == ""


def test_a_row_without_a_visible_change_has_no_arrow() -> None:
    before = np.full((30, 30), 1 / 30)
    after = before.copy()
    after[4, :15] += 0.002
    after[4, 15:] -= 0.002
    drawn = text(Example(moved(NAMES, checkpoint=after, reference=before, js=js_bits(after, before)), "reader"))
    (row,) = rows_of(drawn)
    assert row.split()[0] == "w4"
    assert row.endswith("each within .005 of the reference")


def test_what_finds_no_room_is_said_and_follows_the_cursor() -> None:
    tokens = [f"word{i}" for i in range(131)]
    view = Example(random_attention(tokens), "reader")
    for cursor in view.ranked():
        picture = draw(view, 80, 14, cursor)
        query = view.query_of(cursor.y)
        assert f"▸word{query}" in to_text(picture.lines[:7])
        assert f"▸word{query} " in to_text(picture.lines[7:])
        said = picture.notes[0]
        first, last = (int(n) for n in said.removeprefix("shows tokens ").split(" ")[0].split("-"))
        assert first <= query <= last
        assert " of 131 and " in said
    assert not any(note.startswith("shows") for note in draw(view, 250, 60).notes)


def test_colours_of_the_difference_end_at_the_99th_percentile_and_it_is_said() -> None:
    data = random_attention(NAMES)
    sizes = np.abs(data.checkpoint - data.reference)
    end = next(end for end in (0.001, 0.01, 0.1, 0.2, 0.3, 0.5, 0.7, 1.0) if np.quantile(sizes, 0.99) <= end)
    view = Example(data, "difference")
    panel = view.matrix().panels[0]
    assert (panel.low, panel.high) == (-end, end)
    beyond = int((sizes > end).sum())
    assert beyond > 0
    assert any(
        note.startswith(f"colours of the difference end at ±{end} (99th percentile")
        and f": {beyond} of 900 changes are larger, up to {sizes.max():.3f}" in note
        for note in view.notes
    )
    assert np.abs([row[-2] for row in view.rows()[1]]).max() == sizes.max()
    assert not any("99th" in note for note in Example(data, "checkpoint").notes)


@given(
    st.lists(st.one_of(st.text(max_size=30), st.sampled_from(HOSTILE)), min_size=1, max_size=60),
    st.integers(1, 130), st.integers(1, 40), st.sampled_from(Depth), st.booleans(), st.integers(-1, 99),
    st.integers(-1, 12),
)  # fmt: skip
def test_any_sentence_fills_exactly_the_cells(
    tokens: list[str], width: int, height: int, depth: Depth, ascii: bool, x: int, y: int
) -> None:
    view = Example(random_attention(tokens), "reader")
    picture = draw(view, width, height, Cursor(x, y), depth, ascii)
    assert [width_of(line) for line in picture.lines] == [width] * height
    drawn = to_text(picture.lines)
    assert not any(ord(char) < 32 or 0x7F <= ord(char) < 0xA0 or char == "\u202e" for char in drawn.replace("\n", ""))
    if ascii and all(token.isascii() for token in tokens):
        assert drawn.isascii()
    for target in picture.targets:
        assert 0 <= target.x < width
        assert 0 <= target.y < height
        assert target.row < len(view.ranked())


@pytest.mark.parametrize("width", [3, 12, 40])
def test_a_token_that_is_cut_is_marked_in_plain_characters(width: int) -> None:
    view = Example(random_attention(["a" * 50, "b" * 50, "c"]), "reader")
    drawn = to_text(draw(view, width, 12, Cursor(0, 0), Depth.NONE, True).lines)
    assert drawn.isascii()
    assert "~" in drawn


@given(st.lists(st.text("abcdefghij", min_size=1, max_size=25), min_size=1, max_size=60), st.integers(26, 130))
def test_the_wrapped_lines_have_every_word_once_and_in_order(words: list[str], width: int) -> None:
    view = Example(random_attention(words), "reader")
    lines = text(view, width, 200).splitlines()
    legend = next(i for i, line in enumerate(lines) if "JS bits of the row" in line or line.startswith(" 0 ."))
    assert " ".join(lines[:legend:2]).split() == words
    assert all(len(line) <= width for line in lines)


@pytest.mark.parametrize("part", ["reader", "words", "all", ""])
def test_a_figure_of_any_part_has_all_maps_and_notes_on_them(part: str) -> None:
    view = Example(random_attention(NAMES), part)
    (plot,) = view.sheet(DrawOptions()).parts
    assert "shown as text" not in caption(view)
    assert ("Colours of the difference end at" in caption(view)) == (part != "words")
    assert [panel.title for panel in plot.chart.panels] == [
        "sst2 seed 1 step 40",
        "the pre-trained model",
        "difference",
    ]
