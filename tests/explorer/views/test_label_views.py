"""Do the views of labels show which labels lie near, along which steps, and where their centroids went?"""

from dataclasses import replace

import numpy as np
import pytest

from explorer.answers import sources
from explorer.answers.centroids import fetch_centroids, principal_plane, run_keys, token_weights
from explorer.answers.labels import Spot, first_run, labelled_in
from explorer.answers.look import ANYWHERE, END
from explorer.pages.paths import Paths
from explorer.render.cells import width_of
from explorer.render.output import to_text
from explorer.render.palette import Depth, palette
from explorer.selection import Selection, ask_store
from explorer.views.base import NOWHERE, Cursor, DrawOptions
from explorer.views.clusters import Clusters
from explorer.views.label_lines import LabelLines
from store.keys import CheckpointKey
from tests.explorer.views.part_samples import ALONE, LABELS, distance, label_rows
from tests.explorer.views.samples import result, rows
from tests.synthetic import hidden_of, make_store, sample_corpus

FEW = "everything separates: 30 points in 384 dimensions"


def draw(view, width=80, height=17, cursor=NOWHERE, depth=Depth.NONE, **options):
    return view.draw(width, height, palette(depth), cursor, DrawOptions(**options))


def text(view, *size, **how):
    return to_text(draw(view, *size, **how).lines)


def test_the_map_opens_with_the_last_step_and_the_highest_layer():
    data = label_rows(seeds=("2", "10"))
    assert first_run(labelled_in(data), data.tasks)[-1] == Spot(CheckpointKey.plain("pos", "2", 40), 6)
    assert len(labelled_in(data)) == 12
    view = Clusters(data)
    assert view.title == "Distance between labels · pos, seed 2, step 40, layer 6"
    assert view.notes[-1] == "the selection has 11 more layers and steps"


def test_each_pair_stands_at_both_its_places():
    spot = Spot(CheckpointKey.plain("pos", "1", 20), 5)
    for statistic, scale in (("hull_distance", 1), ("centroid_distance", 10)):
        view = Clusters(label_rows(), spot, statistic)
        assert view.labels == LABELS
        expected = np.full((3, 3), np.nan)
        for i in range(3):
            for j in range(i + 1, 3):
                expected[i, j] = expected[j, i] = scale * distance(i, j, 20)
        assert view.values == pytest.approx(expected, nan_ok=True)


def test_the_cursor_reads_a_pair_in_words():
    view = Clusters(label_rows(steps=(0,)))
    picture = draw(view, cursor=Cursor(2, view.row_of(0)))
    assert picture.reading == "ADJ and VERB: hulls 4.10 apart; centroids 41.0 apart"
    assert draw(view, cursor=Cursor(0, view.row_of(0))).reading == "ADJ: nearest label NOUN, hulls 2.10 apart"


def test_figures_are_the_distances():
    line = next(line for line in text(Clusters(label_rows(steps=(0,))), digits=True).splitlines() if " NOUN " in line)
    assert line.split()[1:] == ["2.10", "·", "5.10"]


def test_pairs_that_separate_anyway_and_pairs_without_a_value_are_marked():
    def changed(row):
        if (row.label_a, row.label_b) == ("ADJ", "NOUN"):
            return row._replace(reason=FEW)
        return row._replace(value=None, reason="undecided: at most 3") if row.label_a == "NOUN" else row

    view = Clusters(label_rows(steps=(0,), layers=(6,), changed=changed))
    shown = text(view, 60, 12)
    assert (shown.count("!"), shown.count("×")) == (2, 2)
    assert view.notes == (
        "! marks 1 of 3 pairs that are unreliable: everything separates, too few points for the width",
        "1 of 3 pairs have no value: undecided: at most 3",
    )
    assert FEW in draw(view, cursor=Cursor(1, 2)).reading
    assert "no value, undecided" in draw(view, cursor=Cursor(2, 1)).reading


def test_overlapping_hulls_say_so():
    view = Clusters(label_rows(steps=(0,), layers=(6,), changed=lambda r: r._replace(value=0.0)))
    assert "hulls overlap" in draw(view, cursor=Cursor(1, 2)).reading
    assert "all 3 pairs overlap" in view.notes[0]


def test_lines_show_each_labels_nearest_other_label():
    view = LabelLines(label_rows(), layer=6)
    for step, place in ((0, 0), (20, 1), (40, 2)):
        found = {label: float(view.field.values[i, place]) for i, label in enumerate(view.labels)}
        assert found == pytest.approx(
            {"ADJ": distance(0, 1, step), "NOUN": distance(0, 1, step), "VERB": distance(0, 2, step)}
        )
    assert draw(view, cursor=Cursor(1, 2)).reading == "label VERB, step 20: 4.90 to its nearest other label, ADJ"
    assert draw(view, cursor=Cursor(0, -1)).reading == "step 0: 2.10 (ADJ) to 4.10 (VERB)"
    centroids = LabelLines(label_rows(), 6, "centroid_distance")
    assert centroids.field.values == pytest.approx(10 * view.field.values)


def test_several_seeds_are_shown_by_mean_and_spread():
    view = LabelLines(label_rows(seeds=("1", "2", "3")))
    assert view.field.values[0] == pytest.approx([distance(0, 1, step, 2) for step in (0, 20, 40)])
    assert view.field.spread[0] == pytest.approx([0.1] * 3)
    assert "± 0.100" in draw(view, cursor=Cursor(0, 0)).reading
    assert "mean of seeds 1, 2, 3" in view.title


def test_a_least_distance_that_is_not_known_is_no_value():
    """Of a label whose distance to one other label is undecided, that one may be the nearest."""

    def changed(row):
        unknown = (row.label_a, row.label_b, row.statistic) == ("ADJ", "VERB", "hull_distance")
        return row._replace(value=None, reason="undecided") if unknown else row

    view = LabelLines(label_rows(changed=changed))
    assert np.isnan(view.field.values[[0, 2]]).all()
    assert np.isfinite(view.field.values[1]).all()


def test_a_reading_says_that_its_value_is_unreliable():
    """ADJ and NOUN are nearest to each other; VERB is nearest to ADJ."""
    why = "everything separates: 60 points in 96 dimensions"

    def changed(row):
        doubted = (row.label_a, row.label_b, row.statistic, row.step) == ("ADJ", "NOUN", "hull_distance", 20)
        return row._replace(reason=why) if doubted else row

    view = LabelLines(label_rows(seeds=("1", "2"), changed=changed))
    assert draw(view, cursor=Cursor(1, 0)).reading.endswith(f"to its nearest other label, NOUN; ! {why}")
    assert draw(view, cursor=Cursor(1, -1)).reading.endswith(
        "; ! unreliable for 2 of 3 labels: everything separates, too few points for the width"
    )
    for elsewhere in (Cursor(0, 0), Cursor(1, 2), Cursor(0, -1)):
        assert "!" not in draw(view, cursor=elsewhere).reading
    matrix = Clusters(label_rows(steps=(20,), changed=changed))
    assert draw(matrix, cursor=Cursor(-1, 2)).reading.endswith(f"apart; ! {why}")
    assert "!" not in draw(matrix, cursor=Cursor(-1, 0)).reading


def test_the_measures_own_least_distances_and_clusters_are_taken():
    key = CheckpointKey.plain("pos", "1", 20)
    extra = [
        result(key, 6, 0.5, statistic="label_min", label_a="ADJ", **ALONE),
        result(key, 6, 5.0, statistic="clusters", **ALONE),
        result(key, 6, 3.0, statistic="clusters", label_a="VERB", **ALONE),
    ]
    view = LabelLines(label_rows(extra=extra))
    assert view.field.values[0, 1] == 0.5
    assert view.count[1] == 5
    assert draw(view, cursor=Cursor(1, 0)).reading.endswith("; 5 clusters of 3 labels")
    shown = text(view, 120, 20)
    assert "number of clusters" in shown
    columns, found = view.rows()
    row = next(dict(zip(columns, r, strict=True)) for r in found if r[3] == 20 and r[5] == "VERB")
    assert (row["clusters"], row["label_clusters"], row["nearest"]) == (5.0, 3.0, "ADJ")


def test_without_clusters_a_note_says_where_they_come_from():
    assert "the number of clusters comes with method directprobe" in LabelLines(label_rows()).notes


@pytest.mark.parametrize("view", [Clusters, LabelLines])
def test_another_measure_or_nothing_computed_says_so(view):
    assert "measure 'clusters', not with 'svcca'" in " ".join(text(view(rows()), 200, 10).split())
    nothing = replace(label_rows(), results=(), wanted=())
    assert draw(view(nothing), 60, 10).lines


@pytest.mark.parametrize("view", [Clusters, LabelLines])
def test_no_size_breaks_the_views_of_stored_rows(view):
    many = tuple(f"L{i}" for i in range(17))
    for data in (label_rows(), label_rows(labels=many), label_rows(labels=("只", "b"), steps=(0,))):
        made = view(data)
        for size in ((1, 1), (3, 2), (40, 10), (80, 17), (250, 60)):
            for depth in (Depth.NONE, Depth.EIGHT_BIT):
                for cursor in (NOWHERE, Cursor(0, 0), Cursor(END, END)):
                    for options in ({}, {"digits": True, "ascii": True}, {"scale": "log"}):
                        lines = draw(made, *size, cursor, depth, **options).lines
                        assert [width_of(line) for line in lines] == [size[0]] * size[1]


@pytest.fixture(scope="module")
def stores(tmp_path_factory):
    sentence = sample_corpus()
    word = sample_corpus("words", kind="word", labels=("NOUN", "VERB", "X"))
    path = tmp_path_factory.mktemp("paths") / "s.bertdyn"
    return make_store(path, tasks=("pos",), seeds=("1",), steps=(0, 20, 40), corpora=[sentence, word], attentions=False)


def points_of(corpus, key, layer):
    """Points and labels, one by one."""
    hidden = hidden_of(corpus, key)[layer].astype(np.float16).astype(np.float64)
    labels = corpus.annotations["label"]
    if labels.level == "sentence":
        return np.array([hidden[start] for start in corpus.offsets[:-1]]), labels.values
    words = zip(corpus.word_first, corpus.word_length, strict=True)
    return np.array([hidden[first : first + length].mean(0) for first, length in words]), labels.values


@pytest.mark.parametrize("name", ["dev", "words"])
def test_centroids_are_the_means_of_the_labels_points(stores, name):
    corpus = stores.corpus(name)
    found = fetch_centroids(stores, name, "label", run_keys(stores, name, "pos", "1"), 2)
    assert [key.step for key in found.keys] == [0, 20, 40]
    for s, key in enumerate(found.keys):
        points, labels = points_of(corpus, key, 2)
        expected = [points[labels == i].mean(0) for i in range(len(corpus.annotations["label"].names))]
        assert found.values[s] == pytest.approx(np.array(expected), abs=1e-9)
    assert found.counts == tuple(np.bincount(corpus.annotations["label"].values).tolist())


def test_labels_without_points_are_left_out():
    corpus = sample_corpus(labels=("a", "b", "c"))
    corpus.annotations["label"].values[corpus.annotations["label"].values == 1] = -1
    _, weight, counts = token_weights(corpus, corpus.annotations["label"])
    assert counts[1] == 0
    assert weight.sum() == counts.sum()


def test_the_plane_holds_the_most_variance():
    """Against the eigenvectors of the covariance; and a turn of the whole space moves no point in the plane."""
    rng = np.random.default_rng(0)
    values = rng.standard_normal((5, 4, 7)) * [5, 3, 1, 1, 1, 0.5, 0.1]
    places, shares = principal_plane(values)
    flat = values.reshape(-1, 7)
    sizes, vectors = np.linalg.eigh(np.cov(flat.T, bias=True))
    assert shares == pytest.approx((sizes[-1] / sizes.sum(), sizes[-2] / sizes.sum()))
    expected = (flat - flat.mean(0)) @ vectors[:, [-1, -2]]
    assert np.abs(places.reshape(-1, 2)) == pytest.approx(np.abs(expected))
    turn, _ = np.linalg.qr(rng.standard_normal((7, 7)))
    turned, again = principal_plane(values @ turn)
    assert again == pytest.approx(shares)
    assert np.abs(turned) == pytest.approx(np.abs(places))


def test_one_point_has_no_variance():
    places, shares = principal_plane(np.ones((1, 2, 3)))
    assert (places == 0).all()
    assert shares == (0.0, 0.0)


def test_a_path_is_read_in_all_dimensions(stores):
    data = fetch_centroids(stores, "words", "label", run_keys(stores, "words", "pos", "1"), 3)
    view = Paths(data)
    values = data.values
    moved, last = np.linalg.norm(values[2, 0] - values[0, 0]), np.linalg.norm(values[2, 0] - values[1, 0])
    apart = [np.linalg.norm(values[2, 0] - values[2, i]) for i in (1, 2)]
    nearest = int(np.argmin(apart))
    assert draw(view, cursor=Cursor(2, 0)).reading == (
        f"label NOUN, step 40: {moved:.2f} from step 0, {last:.2f} from step 20; "
        f"nearest label {('VERB', 'X')[nearest]}, {apart[nearest]:.2f} away"
    )
    assert view.title == "Paths of the labels' centroids · pos, seed 1, layer 3"
    columns, found = view.rows()
    row = dict(zip(columns, found[6], strict=True))
    assert (row["step"], row["label"]) == (40, "NOUN")
    assert row["from_first"] == pytest.approx(moved)
    assert row["pc1"] == pytest.approx(data.plane[0][2, 0, 0])


def test_no_size_breaks_the_paths(stores):
    for name, keys in (("words", 3), ("dev", 1)):
        run = run_keys(stores, name, "pos", "1")[:keys]
        view = Paths(fetch_centroids(stores, name, "label", run, 1))
        for size in ((1, 1), (3, 2), (40, 10), (80, 17), (250, 60)):
            for cursor in (NOWHERE, Cursor(0, 0), Cursor(END, END)):
                for options in ({}, {"ascii": True}):
                    lines = draw(view, *size, cursor, Depth.EIGHT_BIT, **options).lines
                    assert [width_of(line) for line in lines] == [size[0]] * size[1]


def test_a_run_of_many_checkpoints_says_which_share_of_them_is_shown(stores, monkeypatch):
    monkeypatch.setattr(sources, "PATH_STEPS", 2)
    chosen = ask_store(stores, Selection("clusters", "words", tasks=("pos",), seeds=("1",)))
    there = len(run_keys(stores, "words", "pos", "1"))
    assert there > 2
    notes = Paths(sources.centroids(stores, chosen, ANYWHERE)).notes
    assert f"shows 2 of the run's {there} checkpoints, evenly spaced" in notes
    monkeypatch.undo()
    assert not any("evenly" in note for note in Paths(sources.centroids(stores, chosen, ANYWHERE)).notes)


def test_the_colours_of_a_map_say_what_they_measure_where_there_is_room():
    wide, narrow = (to_text(Clusters(label_rows()).draw(width, 16, palette(Depth.NONE)).lines) for width in (90, 50))
    assert "0 = they overlap, in units of the hidden states" in wide
    assert "overlap" not in narrow
