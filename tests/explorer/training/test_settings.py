"""Hyper-parameters from flags and from a file."""

from __future__ import annotations

from pathlib import Path

import pytest

from explorer.training.settings import Settings, settled
from store.errors import BertdynError


def test_flags_are_stronger_than_the_file_and_the_file_than_the_defaults(tmp_path: Path) -> None:
    file = tmp_path / "s.toml"
    file.write_text("learning_rate = 5e-5\nepochs = 2\ncheckpoints = [0, 10]\nfrozen_dropout = false\n")
    told = settled({"learning_rate": 3e-5, "epochs": None, "batch_size": None}, file)
    assert told == Settings(learning_rate=3e-5, epochs=2.0, checkpoints=(0, 10), frozen_dropout=False)


def test_defaults_are_those_of_devlin() -> None:
    told = settled({}, None)
    assert (told.epochs, told.batch_size, told.learning_rate, told.warmup) == (3, 32, 2e-5, 0.1)
    assert (told.weight_decay, told.max_length) == (0.01, 128)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("learning_rat = 1", "there is no setting 'learning_rat', only epochs, max_steps"),
        ("learning_rate = 'fast'", "learning_rate = 'fast' is not like its default, 2e-05"),
        ("batch_size = true", "batch_size = True is not like its default, 32"),
        ("checkpoints = [0, 0.5]", "is not like its default"),
        ("batch_size = 0", "--batch-size 0: out of range"),
        ("pooler = 'none'", "--pooler none: out of range"),
        ("[", "s.toml: "),
    ],
)
def test_a_bad_file_is_refused(tmp_path: Path, content: str, message: str) -> None:
    file = tmp_path / "s.toml"
    file.write_text(content)
    with pytest.raises(BertdynError) as caught:
        settled({}, file)
    assert message in str(caught.value)


def test_a_file_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BertdynError, match="No such file"):
        settled({}, tmp_path / "none.toml")


def test_steps_and_checkpoints() -> None:
    told = Settings(epochs=3, batch_size=32)
    assert told.total(2500) == 3 * 79  # the last batch of an epoch is smaller
    assert told.saved(200) == (0, 50, 100, 150, 200)
    assert Settings(checkpoints=(20, 0)).saved(30) == (0, 20, 30)
    assert Settings(max_steps=7).total(2500) == 7
    with pytest.raises(BertdynError, match="--checkpoints 40: the run ends at step 30"):
        Settings(checkpoints=(40,)).saved(30)
