"""`bertdyn clusters-export`: write one layer's clusters as DirectProbe's files."""

from __future__ import annotations

import os
import shutil
import sys
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click

from explorer.commands.streams import say
from explorer.measures import MeasureError
from explorer.measures.registry import get
from explorer.selection import list_store
from explorer.selection.question import annotation_for, fitting
from store.errors import BertdynError
from store.keys import CheckpointKey

if TYPE_CHECKING:
    import numpy as np

    from explorer.measures.label_geometry import LabelGeometry
    from explorer.measures.nearest_hull import Prediction
    from store.keys import CorpusInfo


@click.command(no_args_is_help=True)
@click.argument("store", metavar="STORE", type=click.Path(path_type=Path))
@click.argument("checkpoint", metavar="TASK/SEED/STEP")
@click.argument("folder", metavar="FOLDER", type=click.Path(path_type=Path))
@click.option("--layer", type=click.IntRange(min=0), required=True, help="0 is the embedding output.")
@click.option("--corpus", metavar="NAME", help="Corpus; default: the only one with labels.")
@click.option("--annotation", metavar="NAME", help="Labels; default: the only ones of the corpus.")
@click.option(
    "--method", default="directprobe", show_default=True, metavar="directprobe|pairs", help="As measure clusters."
)
@click.option("--held-out", default="0", show_default=True, metavar="SHARE", help="Share of examples to predict.")
@click.option("--split-seed", default="0", show_default=True, metavar="N", help="Seed of their choice.")
def command(
    store: Path,
    checkpoint: str,
    folder: Path,
    layer: int,
    corpus: str | None,
    annotation: str | None,
    method: str,
    held_out: str,
    split_seed: str,
) -> None:
    """Write the clusters of one layer of one checkpoint into FOLDER, in the format of DirectProbe's authors.

    clusters.txt: the cluster of each labelled point, in the corpus's order (with --held-out, of those kept).
    dis.txt: a line '(i-A, j-B): distance' for each pair of clusters of different labels; nan where it is not known.
    prediction.txt (with --held-out): the label of each held-out point, then 'cluster-label,distance', nearest first.

    \b
    bertdyn clusters-export runs.bertdyn pos/1/80 clusters-pos-80 --layer 6 --corpus ewt
    """
    from explorer.compute.inputs import StoredLayer
    from explorer.measures import Context
    from explorer.measures.label_geometry import side, solve
    from explorer.measures.labelled import labelled_points
    from explorer.measures.nearest_hull import predict
    from store.store import Store

    try:
        settled = dict(get("clusters").settle({"method": method, "held_out": held_out, "split_seed": split_seed}))
    except MeasureError as error:
        raise BertdynError(str(error)) from None
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise BertdynError(f"{folder} exists and is not an empty folder: name another.")
    key = CheckpointKey.parse(checkpoint)
    if key is None:
        raise BertdynError(f"'{checkpoint}' is not a checkpoint: name it as TASK/SEED/STEP.")
    opened = Store.open(store)
    texts = opened.corpus(_corpus(opened.corpora(), corpus))
    listing = list_store(opened)
    labels = texts.annotations[annotation_for(get("clusters"), texts.info, annotation or "", listing)]
    found = opened.checkpoint(texts.info.name, key)
    if layer > found.layers:
        raise BertdynError(f"--layer: {key} has layers 0 to {found.layers}.")
    stored = StoredLayer.of(opened, found, layer)
    share, prediction, gold = float(str(settled["held_out"])), None, None
    with _progress() as progress:
        try:
            if share:
                kept, held = labelled_points(stored, texts, labels).split(share, int(str(settled["split_seed"])))
                if not len(kept.points) or not len(held.points):
                    raise BertdynError("--held-out leaves no labelled point on one side: name another share.")
                lain, gold = solve(kept, method, progress), held.labels
                groups = [kept.points[lain.assignment == k] for k in range(len(lain.cluster_label))]
                prediction = predict(held.points, groups, lain.cluster_label, everything=True, progress=progress)
            else:
                lain = side(stored, texts, labels, method, Context(shelf=opened.shelf(), progress=progress))
        except MeasureError as error:
            raise BertdynError(str(error)) from None
    files = {"clusters.txt": clusters_lines(lain), "dis.txt": distance_lines(lain, labels.names)}
    if prediction is not None and gold is not None:
        files["prediction.txt"] = prediction_lines(lain, labels.names, prediction, gold)
    _write(folder, files)
    if lain.too_many:
        say(f"note: {len(lain.cluster_label):,} clusters: too many pairs to compare, dis.txt is empty.", error=True)
    say(f"{folder}: {len(lain.cluster_label):,} clusters, {', '.join(files)}.", error=True)


def clusters_lines(side: LabelGeometry) -> Iterator[str]:
    """Return lines with one cluster number per point."""
    return (str(k) for k in side.assignment)


def distance_lines(side: LabelGeometry, names: tuple[str, ...]) -> Iterator[str]:
    """Yield one line per pair of clusters of different labels."""
    for (i, j), distance in zip(side.pairs.tolist(), side.distances, strict=True):
        a, b = (names[side.cluster_label[k]] for k in (i, j))
        yield f"({i}-{a}, {j}-{b}): {distance:.4f}"


def prediction_lines(
    side: LabelGeometry, names: tuple[str, ...], prediction: Prediction, gold: np.ndarray
) -> Iterator[str]:
    """Yield one line per held-out point: its label, then all clusters by distance."""
    for row, label in zip(prediction.upper, gold, strict=True):
        near = (f"{k}-{names[side.cluster_label[k]]},{row[k]:.4f}" for k in row.argsort(kind="stable"))
        yield "\t".join((names[label], *near))


def _corpus(infos: tuple[CorpusInfo, ...], name: str | None) -> str:
    if name is not None:
        return name
    labelled = [info.name for info in infos if fitting(get("clusters"), info)]
    if len(labelled) != 1:
        raise BertdynError(f"--corpus: name one of the corpora with labels ({', '.join(labelled) or 'there is none'}).")
    return labelled[0]


def _write(folder: Path, files: dict[str, Iterator[str]]) -> None:
    """Write all files or none: into a temporary folder, which is then renamed."""
    draft = folder.with_name(f".{folder.name}-{uuid.uuid4().hex}")
    try:
        draft.mkdir(parents=True)
        for name, lines in files.items():
            (draft / name).write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
        os.replace(draft, folder)
    except OSError as error:
        raise BertdynError(f"{folder} cannot be written: {error.strerror or error}.") from None
    finally:
        shutil.rmtree(draft, ignore_errors=True)


@contextmanager
def _progress() -> Iterator[Callable[[str, float], None]]:
    """Show progress as a line on stderr if it is a terminal."""
    if not sys.stderr.isatty():
        yield lambda what, share: None
        return
    from rich.console import Console

    with Console(stderr=True).status("reading") as status:
        yield lambda what, share: status.update(f"{what} ({share:.0%})")
