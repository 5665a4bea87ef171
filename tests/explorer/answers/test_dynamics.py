"""Do weight change, sharpness and path stand along the steps as they are stored, and is it said what is missing?"""

from __future__ import annotations

import csv
import io
import shlex
import shutil
from pathlib import Path
from statistics import fmean, stdev

import numpy as np
import pytest
from click.testing import CliRunner
from rich.cells import cell_len

from explorer.answers.dynamics import PATH
from explorer.commands.show import command as show
from explorer.measures.base import canonical
from explorer.measures.registry import get
from explorer.render.palette import Depth, palette
from explorer.selection import Against, Ranges, Selection, ask_store
from explorer.views.base import PLAIN, Cursor, View
from explorer.views.kinds import VIEWS
from store.extract.plan import ExtractOptions
from store.extract.run import extract
from store.keys import NO_CORPUS, PRETRAINED, PRETRAINED_KEY, CheckpointKey
from store.results import Result
from store.store import Store
from tests.store.results import result
from tests.synthetic import LAYERS, make_store
from tests.training import weights
from tests.two_seeds import SEEDS, STEPS, asked, computed

LAST = 40
PLAINLY = palette(Depth.NONE)


def sharpness(seed: str, step: int) -> float:
    return 5.0 + int(seed) * (step + 1) / 10


def weight_change(seed: str, step: int, layer: int) -> float:
    return (layer + 1) * step / 1000 + int(seed) / 100


def path(statistic: str, seed: str, step: int) -> float:
    return {"length": 1.0, "tortuosity": 2.0, "step-cosine": -0.3}[statistic] + step / 100 + int(seed) / 1000


def about(name: str, **more: object) -> dict[str, object]:
    measure = get(name)
    return {
        "measure": name, "corpus": "dev" if measure.on_corpus else NO_CORPUS, "version": measure.version,
        "statistic": measure.main, "annotation": "label" if measure.labels else "", "unit": measure.unit,
        "layer": None, "ref_layer": None, "parameters": canonical(dict(measure.settle({}))), **more,
    }  # fmt: skip


def write(store: Store, *measures: str) -> None:
    rows: list[Result] = []
    base = store.checkpoint("dev", PRETRAINED_KEY)
    for of in store.checkpoints("dev"):
        task, _, seed, step = of.key
        if task == PRETRAINED:
            continue
        if "sharpness" in measures:
            rows.append(result(of, value=sharpness(seed, step), **about("sharpness")))
        if "weight-change" in measures:
            for layer in range(LAYERS + 1):
                value, at = weight_change(seed, step, layer), {"layer": layer, "ref_layer": layer}
                rows.append(result(of, base, value=value, **about("weight-change", **at)))
                rows.append(result(of, base, value=9.0, axes=(("module", "query"),), **about("weight-change", **at)))
        if "trajectory" in measures and step == LAST:
            other = store.checkpoint("dev", CheckpointKey.plain(task, "2" if seed == "1" else "1", step))
            for side in ("checkpoint", "reference"):
                for point in (0, 20, 40):
                    for name in PATH:
                        value = path(name, seed, point) if side == "checkpoint" else 99.0
                        axes = (("side", side), ("point", point))
                        rows.append(result(of, other, value=value, axes=axes, **about("trajectory", statistic=name)))
                whole = about("trajectory", statistic="length")
                rows.append(result(of, other, value=77.0, axes=(("side", side),), **whole))
    store.add_results(rows)


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Store:
    place = tmp_path_factory.mktemp("dynamics") / "s.bertdyn"
    made = make_store(place, tasks=["sst2"], classes=("negative", "positive"))
    write(made, "sharpness", "weight-change", "trajectory")
    return made


def table(store: Store, *flags: str) -> list[dict[str, str]]:
    done = CliRunner().invoke(show, ["dynamics", str(store.path), *flags, "--format", "csv"], catch_exceptions=False)
    assert done.exit_code == 0, done.output
    return list(csv.DictReader(io.StringIO(done.stdout)))


def view(store: Store, **more: object) -> View:
    return VIEWS["dynamics"].load(store, ask_store(store, Selection("sharpness", "dev", annotation="label", **more)))  # type: ignore[arg-type]


def test_every_quantity_is_the_mean_over_seeds_at_each_step(store: Store) -> None:
    rows = table(store)
    found = {(row["statistic"], int(row["step"])): row for row in rows}
    assert len(found) == len(rows) == 5 * 3
    for step in (0, 20, 40):
        expected = {
            "eigenvalue": [sharpness(seed, step) for seed in "12"],
            "relative": [fmean(weight_change(seed, step, layer) for layer in range(LAYERS + 1)) for seed in "12"],
            **{name: [path(name, seed, step) for seed in "12"] for name in PATH},
        }
        for name, values in expected.items():
            row = found[name, step]
            assert float(row["value"]) == pytest.approx(fmean(values))
            assert float(row["sd"]) == pytest.approx(stdev(values))
            assert row["seeds"] == "2"
            largest = max(abs(float(found[name, at]["value"])) for at in (0, 20, 40))
            assert float(row["of_maximum"]) == pytest.approx(fmean(values) / largest)
    units = {name: row["unit"] for (name, _), row in found.items()}
    assert (units["eigenvalue"], units["relative"], units["length"]) == ("nats", "relative", "")


def test_chosen_seeds_and_steps_are_shown_alone(store: Store) -> None:
    rows = table(store, "--seed", "2", "--step", "20,40")
    assert {row["step"] for row in rows} == {"20", "40"}
    by = {(row["statistic"], row["step"]): float(row["value"]) for row in rows}
    assert by["eigenvalue", "20"] == pytest.approx(sharpness("2", 20))
    assert by["tortuosity", "20"] == pytest.approx(path("tortuosity", "2", 20))


@pytest.mark.parametrize("size", [(80, 24), (120, 40), (250, 60)])
def test_each_quantity_has_a_chart_of_its_own_with_its_numbers(store: Store, size: tuple[int, int]) -> None:
    shown = view(store)
    assert shown.title == "Dynamics · sst2, mean of seeds 1, 2"
    drawn = shown.draw(*size, PLAINLY, Cursor(1, -1))
    assert len(drawn.lines) == size[1]
    text = "\n".join("".join(segment.text for segment in line) for line in drawn.lines)
    assert all(name in text for name in ("Mean weight change", "Sharpness of the loss", *PATH.values()))
    assert {target.row for target in drawn.targets if target.row >= 0} == set(range(5))
    assert {target.column for target in drawn.targets if target.row < 0} == {0, 1, 2}
    assert drawn.reading.startswith("step 20: Mean weight change 0.06")
    for label in PATH.values():
        assert label in drawn.reading
    assert "band: standard deviation over seeds" in drawn.notes
    one = shown.draw(*size, PLAINLY, Cursor(1, 1))
    assert one.reading == f"step 20: Sharpness of the loss {8.15:.3g} ± {stdev([7.1, 9.2]):.3g}"


def test_charts_have_the_values_in_their_units(store: Store) -> None:
    sheet = view(store).sheet(PLAIN)
    assert sheet is not None
    found = {part.name: part.chart.chart.series for part in sheet.parts}
    assert list(found) == ["Mean weight change (relative)", "Sharpness of the loss (nats)", *PATH.values()]
    (line,) = found["Sharpness of the loss (nats)"]
    both = np.array([[sharpness(seed, step) for seed in "12"] for step in (0, 20, 40)])
    assert line.y == pytest.approx(both.mean(1))
    assert line.high - line.y == pytest.approx(both.std(1, ddof=1))
    (line,) = found["Step cosine"]
    assert line.y == pytest.approx([-0.3 + step / 100 + 0.0015 for step in (0, 20, 40)])


def test_steps_of_one_seed_alone_are_named(tmp_path: Path) -> None:
    made = make_store(tmp_path / "s.bertdyn", tasks=["sst2"], classes=("negative", "positive"))
    write(made, "weight-change", "trajectory")
    every = [of for of in made.checkpoints("dev") if of.key.recipe == "sst2"]
    kept = [of for of in every if of.key.seed == "1" or of.key.step == 0]
    made.add_results([result(of, value=sharpness(of.key.seed, of.key.step), **about("sharpness")) for of in kept])
    notes = view(made).draw(120, 40, PLAINLY).notes
    said = [note for note in notes if "every seed" in note]
    assert said == ["Sharpness of the loss: not of every seed at steps 20, 40"]


@pytest.mark.parametrize("size", [(1, 1), (10, 3), (20, 7), (40, 16), (79, 9), (300, 8)])
def test_a_small_screen_shows_the_chart_that_is_pointed_at(store: Store, size: tuple[int, int]) -> None:
    shown = view(store)
    for y in range(5):
        drawn = shown.draw(*size, PLAINLY, Cursor(1, y))
        assert [sum(cell_len(s.text) for s in line) for line in drawn.lines] == [size[0]] * size[1]
        assert size == (1, 1) or y in {target.row for target in drawn.targets}


def test_what_is_missing_comes_with_one_command_each(tmp_path: Path) -> None:
    made = make_store(tmp_path / "s.bertdyn", tasks=["sst2"], classes=("negative", "positive"))
    done = CliRunner().invoke(show, ["dynamics", str(made.path)], catch_exceptions=False)
    assert "is computed" in done.stdout
    write(made, "sharpness")
    notes = view(made, seeds=("1",), steps=Ranges.parse("20-40", "")).draw(120, 24, PLAINLY).notes
    said = [shlex.split(note.split(": ", 1)[1]) for note in notes if ": bertdyn compute" in note]
    assert [words[2] for words in said] == ["weight-change", "trajectory"]
    for words in said:
        assert words[words.index("--seed") + 1] == "1"
    assert said[0][said[0].index("--step") + 1] == "20-40"
    assert said[1][said[1].index("--against") + 1] == "next-seed"


def test_a_single_seed_is_compared_with_its_own_checkpoint_before(tmp_path: Path) -> None:
    made = make_store(tmp_path / "s.bertdyn", tasks=["sst2"], seeds=("1",), classes=("negative", "positive"))
    notes = view(made).draw(120, 24, PLAINLY).notes
    assert any("compute trajectory" in note and "--against previous" in note for note in notes)


@pytest.mark.parametrize("seeds", [SEEDS, SEEDS[:1]])
def test_tortuosity_and_turns_are_those_of_the_checkpoints_files(
    two_seeds: Path, tmp_path: Path, seeds: tuple[str, ...]
) -> None:
    """Of all seeds of a task, or of the only one."""
    made = two_seeds.parent
    for seed in seeds:
        shutil.copytree(made / "runs" / "t" / f"seed-{seed}", tmp_path / "runs" / "t" / f"seed-{seed}")
    options = ExtractOptions(reference=str(made / "base"))
    assert extract(tmp_path / "s.bertdyn", [tmp_path / "runs"], {"dev": made / "dev.tsv"}, options).exit_code == 0
    opened = Store.open(tmp_path / "s.bertdyn")
    against = Against("next-seed" if len(seeds) > 1 else "previous")
    assert computed(opened, asked(opened, "trajectory", against=against)).ok
    found = {(r["statistic"], int(r["step"])): float(r["value"]) for r in table(opened, "--corpus", "dev")}
    expected: dict[str, list[float]] = {"tortuosity": [], "step-cosine": []}
    for seed in seeds:
        run = [weights(two_seeds.parent / "runs" / "t" / f"seed-{seed}" / f"checkpoint-{step}") for step in STEPS]
        first, middle, last = (np.concatenate([one[n].double().ravel().numpy() for n in sorted(one)]) for one in run)
        before, after = middle - first, last - middle
        sizes = [np.linalg.norm(d) for d in (before, after, last - first)]
        expected["tortuosity"].append((sizes[0] + sizes[1]) / sizes[2])
        expected["step-cosine"].append(before @ after / (sizes[0] * sizes[1]))
    for name, values in expected.items():
        assert found[name, STEPS[-1]] == pytest.approx(fmean(values), rel=1e-6)
    assert found["length", STEPS[0]] == 0.0
    assert ("tortuosity", STEPS[0]) not in found
