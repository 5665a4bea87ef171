"""Does a listing know the runs of each corpus and their steps?"""

from __future__ import annotations

from explorer.selection import Listing
from explorer.selection.listing import Run
from store.keys import CheckpointKey
from tests.synthetic import sample_corpus


def test_the_runs_of_each_corpus_and_their_steps() -> None:
    keys = [
        *(
            CheckpointKey.of(recipe, seed, step)
            for recipe in ("sst2", "sst2+freeze-6")
            for seed in "12"
            for step in (0, 20)
        ),
        CheckpointKey.plain("pretrained", "0", 0),
    ]
    corpora = tuple(sample_corpus(name).info for name in ("dev", "ewt", "bare"))
    there = Listing(corpora, (tuple(sorted(keys)), (keys[0], keys[1]), ()))
    runs = there.runs("dev")
    assert {(run.recipe, run.seed): steps for run, steps in runs.items()} == {
        ("pretrained", "0"): (0,),
        **{(recipe, seed): (0, 20) for recipe in ("sst2", "sst2+freeze-6") for seed in "12"},
    }
    assert there.runs("ewt") == {Run("sst2", "", "1"): (0, 20)}
    assert there.runs("bare") == there.runs("unknown") == {}
