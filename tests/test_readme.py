"""Does the README say what is so?"""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest

from explorer.commands import compute, show
from explorer.commands.measures import markdown_table
from explorer.commands.options import SELECTING, measure_named, questions
from explorer.export.files import FORMATS, format_of
from explorer.measures.registry import all_measures
from explorer.views.kinds import VIEWS
from store.store import Store
from tests.synthetic import make_store, sample_corpus, sample_labels

README = Path(__file__).resolve().parents[1] / "README.md"
COMMANDS = re.findall(r"^bertdyn ((?:compute|show) .*[^\\\n])$", README.read_text(encoding="utf-8"), re.MULTILINE)
OTHER_CORPORA = re.compile("--corpus (conll|spr)|ARCS|structural-probe|geometry|SLURM")
"""Commands on corpora that the store of ``store`` does not have, or on several annotations at once."""


def test_the_table_of_measures_is_the_registrys() -> None:
    """`bertdyn measures --markdown` prints it."""
    table = "\n".join(markdown_table([m for m in all_measures() if m.name != "ridge"]))
    assert f"\n\n{table}\n\n" in README.read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Store:
    """Runs on the corpora that the README extracts: sentences with a label, and a treebank with several."""
    corpora = [sample_corpus(name) for name in ("dev", "train")] + [sample_corpus("ewt", kind="word", labels=())]
    tasks = ("pos", "sst2", "sst2+freeze-6", "sst2+scratch")
    place = tmp_path_factory.mktemp("readme") / "runs.bertdyn"
    made = make_store(place, tasks=tasks, steps=(0, 2000), attentions=False, corpora=corpora)
    for name in ("UPOS", "DEPREL"):
        made.annotate("ewt", sample_labels("word", ("a", "b"), corpora[-1].info.words, name)[name])
    return made


def test_each_command_asks_for_something_that_can_be_answered(store: Store) -> None:
    asked = 0
    for said in COMMANDS:
        name, *arguments = shlex.split(said, comments=True)
        if OTHER_CORPORA.search(said):
            continue
        command = {"compute": compute.command, "show": show.command}[name]
        given = command.make_context(name, arguments).params
        if name == "compute":
            measures = given["measures"].split(",")
        else:
            measures = [given["measure"] or VIEWS[given["view"]].measure or "svcca"]
        parameters = {
            p.name: given[p.name] for m in measures for p in measure_named(m).parameters if given[p.name] is not None
        }
        flags = {flag: given[flag] for flag in SELECTING}
        found = [q for m in measures for q in questions(store, measure_named(m), **flags, parameters=parameters)]
        ending = format_of(given["output"]) if given["output"] else None
        if name == "show" and ending and FORMATS[ending].alone and given["part"] not in VIEWS[given["view"]].joins:
            assert len(found) == 1, f"{said}: one picture"
        asked += len(found)
    assert asked > len(COMMANDS) / 2
