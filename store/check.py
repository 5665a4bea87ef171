"""Check everything in a store (descriptions, chunks, checksums, tables, leftovers) and repair it where possible."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from store import fragments, index, layout, tables
from store.artefacts import sweep_artefacts
from store.attributes import annotation_info, corpus_info, read_attributes
from store.catalog import Catalog
from store.corpora.annotations import read_annotation
from store.corpora.stored import read_corpus
from store.errors import BertdynError, ForbiddenError
from store.groups import damage, read_info
from store.keys import NO_CORPUS, CheckpointKey
from store.places import closed, folders, stored_checkpoints
from store.shelf import kept_bytes, unused
from store.staging import collect, leftovers, modified, set_aside, writing

_GROUPS = ((layout.CORPORA, 1), (layout.ACTIVATIONS, 4), (layout.ARTEFACTS, 1))
"""Folders of groups, and how deep below them groups lie."""


@dataclass(frozen=True)
class Problem:
    """One fault in a store."""

    place: str
    """Path of the folder or file, relative to the store."""
    what: str


@dataclass(frozen=True)
class CheckReport:
    """The findings of ``check`` and its repairs."""

    corpora: int
    checkpoints: int
    bytes: int
    """Number of bytes that were compared with their checksums."""
    kept_bytes: int
    """Further bytes in the cache of arrays, which can be computed again."""
    problems: tuple[Problem, ...]
    mended: tuple[str, ...]

    @property
    def sound(self) -> bool:
        """Whether no fault was found."""
        return not self.problems


def check(root: Path, catalog: Catalog, repair: bool) -> CheckReport:
    """Check a store and, with ``repair``, repair it.

    Raises:
        BertdynError: the store is to be repaired, but is not writable.
    """
    if repair and not catalog.writable:
        raise BertdynError(f"'{root}' is not writable, so it cannot be repaired.")
    corpora, checkpoints = folders(root, layout.CORPORA, 1), folders(root, layout.ACTIVATIONS, 4)
    artefacts = folders(root, layout.ARTEFACTS, 1)
    annotations = [folder for folder in folders(root, layout.CORPORA, 3) if _is_annotation(folder)]
    damaged: dict[str, str] = {}
    size = 0
    unread = _closed(root)
    problems: list[Problem] = []
    for folder in sorted({*corpora, *annotations, *checkpoints, *artefacts} - {problem.place for problem in unread}):
        before = modified(root / folder)
        try:
            found = list(_wrong(root, folder))
        except ForbiddenError as error:  # for other users it may be intact: nothing to repair
            unread.append(Problem(folder, str(error)))
            continue
        if modified(root / folder) != before:
            continue  # replaced while we read: not damage
        if not found and folder.startswith(layout.ACTIVATIONS):
            # Its arrays are intact and usable again as soon as the corpus is: nothing to remove.
            problems += [Problem(folder, what) for what in _without_corpus(root, root / folder)]
        if found:
            damaged[folder] = "; ".join(found[:3]) + (f"; and {len(found) - 3} more" if len(found) > 3 else "")
        size += sum(file.stat().st_size for file in (root / folder).rglob("*") if file.is_file())
    broken = {path.relative_to(root).as_posix(): what for path, what in _faulty_fragments(root)}
    problems += [Problem(place, what) for place, what in (*damaged.items(), *broken.items())]
    if index.damaged(root):
        problems.append(Problem(index.NOTE, "is damaged: it does not match its checksum"))
    problems += [*_left(root), *unread]
    mended = list(_mend(root, catalog, damaged, broken, whole=not unread)) if repair else []
    return CheckReport(
        len(corpora), stored_checkpoints(checkpoints), size, kept_bytes(root), tuple(problems), tuple(mended)
    )


def look_over(root: Path) -> tuple[Problem, ...]:
    """Check everything but the arrays: descriptions, tables, index and leftovers. Changes nothing."""
    problems = _closed(root)
    groups = {folder for top, depth in _GROUPS for folder in folders(root, top, depth)}
    for folder in sorted(groups - {problem.place for problem in problems}):
        try:
            found = list(_wrong(root, folder, False))
        except ForbiddenError as error:
            found = [str(error)]
        problems += [Problem(folder, "; ".join(found))] if found else []
    problems += [Problem(path.relative_to(root).as_posix(), what) for path, what in _faulty_fragments(root)]
    if index.damaged(root):
        problems.append(Problem(index.NOTE, "is damaged: it does not match its checksum"))
    return (*problems, *_left(root))


def empty_trash(root: Path) -> int:
    """Remove everything that repairs set aside. Return the number of folders and files.

    Raises:
        BertdynError: the store is not writable.
    """
    with writing(root):
        aside = sorted((root / layout.TRASH).glob("*"))
        for place in aside:
            if place.is_dir() and not place.is_symlink():
                shutil.rmtree(place)
            else:
                place.unlink(missing_ok=True)
    return len(aside)


def _mend(root: Path, catalog: Catalog, damaged: dict[str, str], broken: dict[str, str], whole: bool) -> Iterator[str]:
    with writing(root):
        count = collect(root)
        if count:
            yield f"removed {count} unfinished folder{'s' if count > 1 else ''}"
        for place in damaged:
            if (root / place).exists():  # an annotation goes with its corpus
                yield f"moved {place} to {set_aside(root, place)}: {_again(place)}"
        for place, what in broken.items():
            if not what.startswith(fragments.UNREADABLE):  # an unreadable one may be intact for other users
                means = _means(root, root / place)
                yield f"moved {place} to {set_aside(root, place)}: {means}"
                fragments.note_of(root / place).unlink(missing_ok=True)
        dropped = list(unused(root, _digests(root))) if whole else []  # else what needs them may be unread
        for path in dropped:
            path.unlink(missing_ok=True)
        if dropped:
            yield f"removed {len(dropped):,} kept arrays that no checkpoint needs"
    swept = sweep_artefacts(root, catalog.artefacts_named())
    if swept:
        yield f"removed {swept:,} artefacts that no row names"
    catalog.rebuild()
    yield "rebuilt the tables and the index"


def _is_annotation(folder: str) -> bool:
    parts = folder.split("/")
    return len(parts) == 4 and (parts[0], parts[2]) == (layout.CORPORA, layout.ANNOTATIONS)


def _again(place: str) -> str:
    """Return how to restore a folder that was set aside."""
    if place.startswith(layout.ARTEFACTS):
        return "compute its row again"
    if place.startswith(f"{layout.ACTIVATIONS}/{layout.folder_name(NO_CORPUS)}/"):
        return "register it again with `bertdyn register`"
    return "add it again with `bertdyn annotate`" if _is_annotation(place) else "extract it again"


def _wrong(root: Path, folder: str, arrays: bool = True) -> Iterator[str]:
    """Yield the faults of a group; without ``arrays`` only those of its description.

    Raises:
        ForbiddenError: this user may not read a part of it.
    """
    place = root / folder
    try:
        if _is_annotation(folder):
            annotation = annotation_info(place)
            if layout.annotation_path(place.parent.parent, annotation.name) != place:
                yield f"it holds annotation '{annotation.name}', which belongs elsewhere"
            elif arrays:
                read_annotation(root, corpus_info(place.parent.parent).name, annotation)
        elif folder.startswith(layout.CORPORA):
            info = corpus_info(place)
            if layout.corpus_path(root, info.name) != place:
                yield f"it holds corpus '{info.name}', which belongs elsewhere"
            elif arrays:
                read_corpus(root, info.name)
        elif folder.startswith(layout.ARTEFACTS):
            read_attributes(place)
            yield from damage(place) if arrays else ()
        else:
            yield from _wrong_checkpoint(root, place)
            yield from damage(place) if arrays else ()
    except PermissionError as error:
        raise ForbiddenError(f"'{error.filename}' cannot be read: {error.strerror}.") from None
    except ForbiddenError:
        raise
    except (BertdynError, OSError) as error:
        yield str(error)


def _wrong_checkpoint(root: Path, place: Path) -> Iterator[str]:
    found = read_attributes(place)
    try:
        tables.checkpoint_row("", 0, found)
        key = CheckpointKey(*(found[name] for name in CheckpointKey._fields))
        belongs = layout.checkpoint_path(root, found["corpus"], key)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        yield f"its attributes lack {error}" if isinstance(error, KeyError) else f"its attributes are damaged: {error}"
        return
    if belongs != place:
        yield f"it holds {key} on corpus '{found['corpus']}', which belongs elsewhere"
        return
    if found["corpus"] == NO_CORPUS:
        return  # registered: it has no arrays
    try:
        info = corpus_info(layout.corpus_path(root, found["corpus"]))
    except BertdynError:
        return
    if found.get("corpus_fingerprint", info.fingerprint) != info.fingerprint:
        yield f"it was made with another version of corpus '{info.name}'"
    shapes = {layout.HIDDEN: (found["layers"] + 1, info.tokens, found["width"])}
    if layout.ATTENTION in found["digests"]:
        shapes[layout.ATTENTION] = (found["layers"], found["heads"], info.pairs)
    for name, shape in shapes.items():
        stored = read_info(place / name).shape
        if stored != shape:
            yield f"{name} has shape {list(stored)}, not {list(shape)}"


def _closed(root: Path) -> list[Problem]:
    """Return the folders that this user may not read."""
    places = [folder for top, depth in _GROUPS for folder in closed(root, top, depth)]
    for corpus in sorted(set(folders(root, layout.CORPORA, 1)) - set(places)):
        places += closed(root, f"{corpus}/{layout.ANNOTATIONS}", 1)
    return [Problem(place, "cannot be read: this user may not look into it") for place in places]


def _without_corpus(root: Path, place: Path) -> Iterator[str]:
    name = read_attributes(place)["corpus"]
    if name == NO_CORPUS:
        return
    try:
        corpus_info(layout.corpus_path(root, name))
    except ForbiddenError:
        return
    except BertdynError:
        yield f"its corpus '{name}' is missing or damaged: extract with it again"


def _faulty_fragments(root: Path) -> Iterator[tuple[Path, str]]:
    for table in tables.ALL:
        for path in fragments.listed(root, table):
            with suppress(FileNotFoundError):  # merged into another one since the listing
                if (what := fragments.fault(path)) is not None:
                    yield path, what


def _means(root: Path, fragment: Path) -> str:
    """Return the consequence of setting aside a damaged fragment, for the rows in it."""
    if fragment.parent.name not in (tables.RESULTS.name, tables.INPUTS.name):
        return "its rows are rebuilt from the groups"
    table = tables.RESULTS if fragment.parent.name == tables.RESULTS.name else tables.INPUTS
    if fragments.listing(root, table).spare(fragment.name):
        return "its rows are in other fragments too"
    return "the values in it are lost, compute them again"


def _digests(root: Path) -> set[str]:
    found: set[str] = set()
    for folder in folders(root, layout.ACTIVATIONS, 4):
        attributes = read_attributes(root / folder)
        found.update(map(str, (attributes.get("digests") or {}).values()))
    return found


def _left(root: Path) -> list[Problem]:
    try:
        found = [f"{layout.STAGING}/{name}" for name in leftovers(root)]
    except OSError as error:
        return [Problem(layout.STAGING, f"cannot be read: {error.strerror}")]
    return [Problem(place, "left by a process that died") for place in found if (root / place).is_dir()]
