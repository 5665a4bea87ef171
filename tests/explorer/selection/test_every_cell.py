"""Do the cells that a question asks for, their number, and the rows that are stored speak of the same?"""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from explorer.compute.run import compute
from explorer.measures.declaration import At, Known
from explorer.measures.registry import get
from explorer.selection import (
    EVERY,
    Against,
    Cell,
    Cells,
    Pair,
    Question,
    Ranges,
    Selection,
    ask,
    ask_store,
    list_store,
)
from explorer.selection.cells import count, shapes_of
from explorer.selection.stored import cell_columns, cell_of, cell_reader, conditions, finished_cells, further_axes
from store.keys import PRETRAINED_KEY, CheckpointKey
from store.rows import RowQuery
from store.store import Store
from tests.pools import here
from tests.questions import checkpoint
from tests.ridge import MEASURES as OWN
from tests.synthetic import make_store, write_checkpoint

TYPED = [
    Selection("svcca", "dev"),
    Selection("cca", "dev", layers=Ranges.parse("2-9", "--layer"), ref_layers=EVERY, against=Against("previous")),
    Selection("cka", "dev", against=Against("seeds"), seeds=("2",)),
    Selection("js", "dev", tasks=("sst2+freeze-6",), against=Against("plain"), detail="example"),
    Selection("clusters", "dev", tasks=("pretrained", "sst2"), steps=Ranges.parse("0-20", "--step")),
    Selection("effective-rank", "dev", layers=Ranges.parse("3,1", "--layer")),
    Selection("ridge", "dev"),
    Selection("drift", "dev"),
]
EACH = pytest.mark.parametrize("typed", TYPED, ids=[f"{n} {typed.measure}" for n, typed in enumerate(TYPED)])


def asked(store: Store, typed: Selection) -> Question:
    """With the measures that only tests know."""
    own = {measure.name: measure for measure in OWN}
    return ask(typed, own.get(typed.measure) or get(typed.measure), list_store(store))


def cells_of(store: Store, question: Question) -> Cells:
    return Cells(question, store.checkpoints("dev"), finished_cells(store, question))


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Store:
    """A task and its variant, a checkpoint without attentions, one of a smaller model; what is typed is computed."""
    path: Path = tmp_path_factory.mktemp("cells") / "s.bertdyn"
    store = make_store(path, tasks=("sst2", "sst2+freeze-6"), seeds=("1", "2"), steps=(0, 20))
    corpus = store.corpus("dev")
    write_checkpoint(store, corpus, CheckpointKey.of("sst2+freeze-6", "1", 40), attentions=False)
    write_checkpoint(store, corpus, CheckpointKey.plain("small", "1", 20), layers=2)
    for typed in TYPED:
        outcome = compute(store, [asked(store, typed)], workers=1, device="cpu", executor=here)
        assert outcome.ok, outcome
        assert outcome.computed
    return store


@EACH
def test_there_are_as_many_as_are_listed_each_once_and_each_is_among_them(store: Store, typed: Selection) -> None:
    cells = cells_of(store, asked(store, typed))
    every = list(cells)
    assert len(every) == len(cells) == len(set(every))
    assert all(cell in cells for cell in every)
    assert [cell for task in cells.tasks for cell in cells.of(task)] == sorted(
        every, key=lambda cell: cells.tasks.index(cell.recipe)
    )


@EACH
def test_any_other_is_not_among_them(store: Store, typed: Selection) -> None:
    cells = cells_of(store, asked(store, typed))
    for cell in cells:
        for other in (
            cell._replace(step=cell.step + 1),
            cell._replace(seed="77"),
            cell._replace(variant="other"),
            cell._replace(layer=99),
            cell._replace(ref_layer=99),
            cell._replace(more=(("elsewhere", 1),)),
            cell._replace(ref_task="none", ref_variant="", ref_seed="1", ref_step=0),
        ):
            assert other not in cells, other
        assert tuple(cell) not in cells
    assert None not in cells


@EACH
def test_the_cell_of_each_stored_row_is_among_them_and_none_lacks_rows(store: Store, typed: Selection) -> None:
    question = asked(store, typed)
    measure, cells = question.measure, cells_of(store, question)
    query = RowQuery(conditions(question, question.tasks), axes=further_axes(measure))
    rows = store.results(query)
    assert {cell_of(row, measure) for row in rows} == set(cells)
    columns = RowQuery(conditions(question, question.tasks), cell_columns(measure), axes=further_axes(measure))
    assert Counter(map(cell_reader(measure), store.result_columns(columns))) == Counter(
        cell_of(row, measure) for row in rows
    )


@EACH
def test_they_are_counted_without_being_made(store: Store, typed: Selection) -> None:
    question = asked(store, typed)
    number, whole = count(question, shapes_of(question, store.checkpoints("dev")))
    assert whole == (question.measure.cells is None)
    assert number == len(Cells(question, store.checkpoints("dev")))


def test_what_a_measure_reads_and_how_deep_models_are_decide_which_there_are(store: Store) -> None:
    js = cells_of(store, ask_store(store, Selection("js", "dev")))
    without = CheckpointKey.of("sst2+freeze-6", "1", 40)
    assert without not in {cell.key for cell in js}
    assert js.left_out == 1
    shallow = Pair(CheckpointKey.plain("small", "1", 20), PRETRAINED_KEY)
    assert js.at(shallow) == (At(1, 1), At(2, 2))
    crossed = cells_of(store, ask_store(store, Selection("cka", "dev", ref_layers=EVERY)))
    assert set(crossed.at(shallow)) == {At(n, m) for n in range(3) for m in range(4)}


def test_cells_that_are_proposed_in_rounds_follow_what_is_finished() -> None:
    (ridge, *_) = OWN
    key = CheckpointKey.plain("sst2", "1", 20)
    question = Question(ridge, "dev", "", (), (), None, None, None, ridge.settle({}), None, "")
    corners = {
        At(more=(("tilt", tilt), ("fold", fold))): (Known("", tilt + fold),) for tilt in (0.0, 1.0) for fold in (1, 2)
    }
    first = Cells(question, [checkpoint(key)])
    assert set(first) == {Cell.of(Pair(key, None), at) for at in corners}
    assert not first.exact
    second = Cells(question, [checkpoint(key)], {Pair(key, None): corners})
    (added,) = set(second) - set(first)
    assert added.more == (("tilt", 0.5), ("fold", 2))
    assert len(second) == 5
    assert added in second
    assert added not in first


@given(
    st.permutations([CheckpointKey.of(task, seed, 20) for task in ("a", "a+b", "c") for seed in "12"]),
    st.sampled_from(["seeds", "plain", "seed:1", "a/1/20"]),
)
def test_the_order_of_the_listing_does_not_matter(keys: list[CheckpointKey], against: str) -> None:
    cka = get("cka")
    question = Question(cka, "dev", "", (), (), None, None, Against.parse(against), cka.settle({}), None, "")
    cells = Cells(question, map(checkpoint, keys))
    assert list(cells) == list(Cells(question, map(checkpoint, sorted(keys))))
    assert len(cells) == len(set(cells))
    assert cells.pairs == sorted(cells.pairs, key=lambda p: (p.reference, p.key))
