"""Do "moved" and "matters" stand side by side as they are stored, with their rank correlation and what is missing?"""

from __future__ import annotations

import csv
import io
import shlex
from collections.abc import Callable
from pathlib import Path
from statistics import fmean, stdev

import pytest
from click.testing import CliRunner
from scipy.stats import spearmanr

from explorer.answers.profiles import Profile
from explorer.commands.show import command as show
from explorer.export.figure import caption
from explorer.measures.base import canonical
from explorer.measures.registry import get
from explorer.render.palette import Depth, palette
from explorer.selection import Ranges, Selection, ask_store
from explorer.views.base import PLAIN, Cursor, View
from explorer.views.kinds import VIEWS
from store.keys import NO_CORPUS, PRETRAINED, PRETRAINED_KEY
from store.results import Result
from store.store import Store
from tests.store.results import result
from tests.synthetic import LAYERS, make_store, sample_corpus

VALUES: dict[str, Callable[[int, int, int], float]] = {
    "weight-change": lambda layer, seed, step: (layer + 1) * step / 100 + seed / 1000,
    "svcca": lambda layer, seed, step: layer**2 * step / 1000 + seed / 1000,
    "js": lambda layer, seed, step: (5 - layer) * step / 1000,
    "rollback": lambda layer, seed, step: (-1) ** layer * layer * seed * step / 100,
}
"""Value of a layer by measure, seed and step."""


def write(store: Store, measure: str, steps: tuple[int, ...] = (20, 40), seeds: tuple[str, ...] = ("1", "2")) -> None:
    declared = get(measure)
    corpus = "dev" if declared.on_corpus else NO_CORPUS
    rows: list[Result] = []
    for of in store.checkpoints("dev"):
        if of.key.task == PRETRAINED or of.key.step not in steps or of.key.seed not in seeds:
            continue
        for layer in range(1 if measure == "js" else 0, LAYERS + 1):
            about = {
                "measure": measure, "corpus": corpus, "version": declared.version, "statistic": declared.main,
                "annotation": "label" if declared.labels else "", "layer": layer, "unit": declared.unit,
                "ref_layer": layer, "parameters": canonical(dict(declared.settle({}))),
            }  # fmt: skip
            value = VALUES[measure](layer, int(of.key.seed), of.key.step)
            rows.append(result(of, store.checkpoint("dev", PRETRAINED_KEY), value=value, **about))
    store.add_results(rows)


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Store:
    path = tmp_path_factory.mktemp("moved") / "s.bertdyn"
    made = make_store(path, tasks=["sst2"], corpora=[sample_corpus()], classes=("negative", "positive"))
    for measure in VALUES:
        write(made, measure)
    return made


def view(store: Store, **more: object) -> View:
    asked = ask_store(store, Selection("rollback", "dev", annotation="label", **more))
    return VIEWS["moved"].load(store, asked)


def table(store: Store, *flags: str) -> list[dict[str, str]]:
    done = CliRunner().invoke(show, ["moved", str(store.path), *flags, "--format", "csv"], catch_exceptions=False)
    assert done.exit_code == 0, done.output
    return list(csv.DictReader(io.StringIO(done.stdout)))


def test_its_caption_names_no_unit_beside_an_axis_of_shares(store: Store) -> None:
    said = caption(view(store, steps=Ranges.one(40)))
    assert "each line is a share of its own largest mean" in said
    assert "Unit" not in said


@pytest.mark.parametrize("step", [20, 40])
def test_rows_are_the_stored_numbers_with_their_rank_correlation(store: Store, step: int) -> None:
    rows = table(store, "--step", str(step))
    assert {row["step"] for row in rows} == {str(step)}
    means: dict[str, dict[int, float]] = {name: {} for name in VALUES}
    for row in rows:
        layer, of = int(row["layer"]), VALUES[row["measure"]]
        values = [of(layer, seed, step) for seed in (1, 2)]
        assert float(row["value"]) == pytest.approx(fmean(values))
        assert float(row["sd"]) == pytest.approx(stdev(values))
        means[row["measure"]][layer] = fmean(values)
    assert {name: set(found) for name, found in means.items()} == {
        name: set(range(name == "js", LAYERS + 1)) for name in VALUES
    }
    for row in rows:
        found, damage = means[row["measure"]], means["rollback"]
        assert float(row["of_maximum"]) == pytest.approx(
            found[int(row["layer"])] / max(abs(value) for value in found.values())
        )
        if row["measure"] == "rollback":
            assert row["spearman"] == ""
            continue
        expected = spearmanr(list(found.values()), [damage[layer] for layer in found]).statistic
        assert float(row["spearman"]) == pytest.approx(expected)
        assert int(row["spearman_layers"]) == len(found)


def test_the_last_step_is_shown_and_each_line_ends_at_its_own_maximum(store: Store) -> None:
    shown = view(store)
    assert "step 40" in shown.title
    sheet = shown.sheet(PLAIN)
    assert sheet is not None
    for line in sheet.parts[0].chart.chart.series:
        assert max(abs(y) for y in line.y.tolist() if y == y) == pytest.approx(1.0)


def test_a_reading_has_the_numbers(store: Store) -> None:
    shown, colours = view(store, seeds=("1",)), palette(Depth.NONE)
    said = shown.draw(120, 24, colours, Cursor(2, -1)).reading
    for name, of in VALUES.items():
        assert get(name).title in said
        assert f"{of(2, 1, 40):.3g}"[:4] in said
    one = shown.draw(120, 24, colours, Cursor(2, 3)).reading
    assert one.startswith("layer 2: Rollback damage")
    assert "SVCCA" not in one
    assert shown.places("layer") == tuple(range(LAYERS + 1))


def test_rollback_is_a_map_of_layers_by_steps(store: Store) -> None:
    shown = VIEWS["heat"].load(store, ask_store(store, Selection("rollback", "dev", annotation="label", seeds=("2",))))
    columns, rows = shown.rows()
    layer, step, value = (columns.index(name) for name in ("layer", "step", "value"))
    found = {(row[layer], row[step]): row[value] for row in rows}
    assert found == {(n, at): pytest.approx(VALUES["rollback"](n, 2, at)) for n in range(LAYERS + 1) for at in (20, 40)}
    assert "group of layers" not in shown.title


def test_what_is_missing_comes_with_the_command_that_computes_it(tmp_path: Path) -> None:
    made = make_store(tmp_path / "s.bertdyn", tasks=["sst2"], classes=("negative", "positive"))
    asked = ["moved", str(made.path), "--step", "40"]
    empty = CliRunner().invoke(show, asked, catch_exceptions=False)
    assert "is computed at this step" in empty.stdout
    write(made, "svcca")
    write(made, "rollback", seeds=("1",))
    done = CliRunner().invoke(show, asked, catch_exceptions=False)
    told = dict(line.split(": ", 1) for line in done.stdout.splitlines() if ": bertdyn compute" in line)
    titles = {name: get(name).title for name in VALUES}
    assert set(told) == {titles[name] for name in ("weight-change", "js", "rollback")}
    for name in ("weight-change", "js", "rollback"):
        said = shlex.split(told[titles[name]])
        assert said[2:4] == [name, str(made.path)]
        assert said[said.index("--step") + 1] == "40"
        assert ("--corpus" in said) == (name != "weight-change")
    assert "bertdyn compute rollback" in done.stderr
    assert "--step 40" in done.stderr


def test_checkpoints_without_attentions_say_so(tmp_path: Path) -> None:
    made = make_store(tmp_path / "s.bertdyn", tasks=["sst2"], classes=("negative", "positive"), attentions=False)
    write(made, "svcca")
    notes = view(made).draw(120, 24, palette(Depth.NONE)).notes
    assert any(note == f"{get('js').title}: js has no values of these checkpoints" for note in notes)


def test_a_rank_correlation_needs_three_layers_and_a_difference() -> None:
    measure = get("svcca")

    def profile(*means: float) -> Profile:
        return Profile(measure, {layer: (mean,) for layer, mean in enumerate(means)})

    assert profile(1, 2).correlation(profile(1, 2)) == (None, 2)
    assert profile(1, 1, 1).correlation(profile(1, 2, 3)) == (None, 3)
    value, layers = profile(1, 2, 2, 5).correlation(profile(3, 1, 2, 0))
    assert (value, layers) == (pytest.approx(spearmanr([1, 2, 2, 5], [3, 1, 2, 0]).statistic), 4)
