"""Folders of pictures: flat, one sub-folder a class, or the same classes in parts; what is left out is counted."""

import re
from collections import Counter
from pathlib import Path

import numpy as np

from vaeclust_jax.data.column_names import words_of
from vaeclust_jax.data.dataset import Dataset, check_array, check_labels
from vaeclust_jax.data.pages import facts_of
from vaeclust_jax.data.pictures import IMAGE_SUFFIXES, Pictures, read_pictures
from vaeclust_jax.data.reading import ReadConfig, listed
from vaeclust_jax.errors import InputError

_BESIDE = (".txt", ".csv", ".tsv", ".json", ".xml", ".md", ".yaml", ".yml", ".html", ".pdf", ".db", ".ini", ".log", "")
"""Files that lie beside pictures and are none."""
_PARTS = {"train", "training", "test", "testing", "val", "valid", "validation"}
_DRAWN = frozenset(
    ("mask", "masks", "label", "labels", "annotation", "annotations", "segmentation", "segmentations", "seg",
     "groundtruth", "gt", "outline", "outlines", "overlay", "overlays", "thumb", "thumbs", "thumbnail", "thumbnails")
)  # fmt: skip
"""Words in the names of pictures, or of their folders, that hold what was drawn on others or made of them."""


def load_folder(folder: Path, config: ReadConfig | None = None, like: Pictures | None = None) -> Dataset:
    """Loads a folder of images: flat (no labels), one sub-folder a class, or parts such as train and test of these.

    Images are grey, `(n, H, W, 1)`, if every one of them is; otherwise RGB, `(n, H, W, 3)`. Pictures of more than 8
    bits are scaled by the range of them all, transparency is put on white, every page of a file is a sample, and
    pictures of many sizes are brought to their median size. What was taken is in `Dataset.taken`.

    Args:
        folder: where they are; hidden files are ignored.
        config: how to read them.
        like: as a model was trained on.

    Raises:
        InputError: if there are no images, one cannot be read, most are of formats that are not read, or all are equal.
    """
    found, taken = classes_in(folder)
    paths = [path for _, path in found]
    taken += left_out(folder, paths)
    where = f"the images in {folder}"
    x, pictures, counts, more = read_pictures(paths, config or ReadConfig(), like, where)
    classes = [shown(kind) for (kind, _), count in zip(found, counts, strict=True) for _ in range(count)]
    names = [name for path, count in zip(paths, counts, strict=True) for name in _names(path, folder, count)]
    if len(x) > len(paths):
        files = f" of {len(paths)} files" if len(paths) > 1 else ""
        taken.append(f"every page is a sample: {len(x)} pages{files}")
    labelled = found[0][0] is not None
    y, class_names = check_labels(np.array(classes), len(classes)) if labelled else (None, None)
    return Dataset(
        x=check_array(x, where),
        y=y,
        name=shown(folder.resolve().name),
        class_names=class_names,
        row_names=tuple(names),
        source=str(folder),
        pictures=pictures,
        taken=(*taken, *more),
    )


def load_picture(path: Path, config: ReadConfig, like: Pictures | None) -> Dataset:
    """Loads one file whose pages are samples.

    Raises:
        InputError: it has one page, or cannot be read.
    """
    if len(facts_of(path)) < 2 and like is None:
        raise InputError(f"{path} is one picture: give the folder of all of them, or a file with a page a sample")
    where = f"the pages of {path}"
    x, pictures, (count,), taken = read_pictures([path], config, like, where)
    taken = [f"every page is a sample: {count}", *taken]
    names = tuple(_names(path, path.parent, count))
    return Dataset(
        check_array(x, where), None, path.stem, row_names=names, source=str(path), pictures=pictures, taken=tuple(taken)
    )


def has_images(folder: Path) -> bool:
    """Whether a folder, or one at most two below it, holds images."""
    return holds(folder, IMAGE_SUFFIXES)


def holds(folder: Path, suffixes: tuple[str, ...]) -> bool:
    """Whether a folder, or one at most two below it, holds files of these endings."""
    subs = _folders_in(folder)
    return any(
        _files_in(one, suffixes) for one in (folder, *subs, *(deep for sub in subs for deep in _folders_in(sub)))
    )


def classes_in(
    folder: Path, suffixes: tuple[str, ...] = IMAGE_SUFFIXES, what: str = "images"
) -> tuple[list[tuple[str | None, Path]], list[str]]:
    """Every file with its class, None in a flat folder, and sentences on how the folders were understood.

    Args:
        folder: flat, with one sub-folder a class, or with parts that have the same classes.
        suffixes: of the files, in lower case.
        what: the errors call the files.

    Raises:
        InputError: there are none, or the folders can be understood in several ways.
    """

    def inside(place: Path) -> dict[str, list[Path]]:
        return {sub.name: files for sub in _folders_in(place) if (files := _files_in(sub, suffixes))}

    paths, classes = _files_in(folder, suffixes), inside(folder)
    if paths and classes:
        raise InputError(
            f"{folder} holds {what} both directly ({paths[0].name}) and in sub-folders"
            f" ({next(iter(classes))}); keep either a flat folder or one sub-folder a class"
        )
    if paths:
        stems = {path.stem for path in paths}
        beside = [path.name for path in paths if _is_drawn(path.stem) and stems & _begun(path.stem)]
        if beside and what == "images":
            raise InputError(
                f"{folder}: {listed(beside)} are called like what was drawn on other pictures, and no samples: put "
                "them into another folder"
            )
        return [(None, path) for path in paths], []
    parts = {part.name: inner for part in _folders_in(folder) if part.name not in classes and (inner := inside(part))}
    if classes and parts and (len(classes) == 1 or {name.lower() for name in (*classes, *parts)} <= _PARTS):
        raise InputError(
            f"{folder} holds {what} in {listed(classes)} and two folders deep in {listed(parts)}: give "
            f"{folder / next(iter(parts))}, whose sub-folders are classes, or another"
        )
    if len(classes) == 1:
        ((name, files),) = classes.items()
        return [(None, path) for path in files], [f"{name!r} is the only sub-folder, and no class"]
    if classes and {name.lower() for name in classes} <= _PARTS:
        said = f"{listed(classes)} are parts of one set, and no classes"
        return [(None, path) for files in classes.values() for path in files], [said]
    masks = [name for name in classes if _is_drawn(name)]
    if masks and len(masks) < len(classes) and what == "images":  # with_mask and without_mask are classes
        raise InputError(
            f"{folder}: {listed(masks)} is called like annotations of the pictures and no class: give one of the "
            f"folders {listed(classes)} alone, or call it otherwise"
        )
    if classes:
        return [(name, path) for name, files in classes.items() for path in files], _same_names(classes)
    if not parts:
        allowed = " ".join(suffix[1:] for suffix in suffixes)
        raise InputError(
            f"{folder} holds no {what}, neither directly nor in sub-folders (read are: {allowed})"
            f"{_instead(folder, suffixes)}"
        )
    if len({frozenset(inner) for inner in parts.values()}) > 1:
        raise InputError(
            f"{folder} holds {what} two folders deep, under {listed(parts)}, whose sub-folders differ: give one of them"
        )
    names = list(next(iter(parts.values())))
    if {name.lower() for name in names} <= _PARTS and not {name.lower() for name in parts} <= _PARTS:
        taken = [f"{listed(parts)} are classes, their sub-folders {listed(names)} parts of one set"]
        return [(name, path) for name, inner in parts.items() for files in inner.values() for path in files], taken
    taken = [f"{listed(parts)} are parts of one set, their sub-folders {listed(names)} are classes"]
    return [(name, path) for inner in parts.values() for name, files in inner.items() for path in files], taken


def _same_names(classes: dict[str, list[Path]]) -> list[str]:
    """A sentence where all sub-folders hold files of the same names, as channels or copies of the same samples do."""
    stems = {frozenset(path.stem for path in files) for files in classes.values()}
    if len(classes) < 2 or len(stems) > 1:
        return []
    return [
        f"{listed(classes)} are classes, though their files have the same names: give one of them if they are of the "
        "same samples"
    ]


def _is_drawn(name: str) -> bool:
    return bool({re.sub("[^a-z0-9]", "", name.lower()), *words_of(name)} & _DRAWN)


def _begun(stem: str) -> set[str]:
    """What comes before the later parts of a name: img0 and img0_cp of img0_cp_masks."""
    return {stem[: mark.start()] for mark in re.finditer("[_. -]", stem)} - {""}


def _instead(folder: Path, suffixes: tuple[str, ...]) -> str:
    """What is there, of a folder without files to read in their places."""
    files = [path for path in folder.rglob("*") if path.is_file() and not path.name.startswith(".")]
    deep = next((path.parent for path in files if path.suffix.lower() in suffixes), None)
    if deep is not None:
        return f": it holds some deeper, give {deep} or the folder above it"
    tables = sorted({path.parent for path in files if path.suffix.lower() in (".arrow", ".parquet")})
    if tables:
        more = ", or another, or write them as one" if len(tables) > 1 else ""
        return (
            f": it holds tables in {listed([str(one.relative_to(folder)) for one in tables])}, give {tables[0]}{more}"
        )
    return f": it holds {_counted(Counter(path.suffix.lower() for path in files))}" if files else ""


def _counted(endings: "Counter[str]") -> str:
    return ", ".join(f"{count} {suffix or 'without ending'}" for suffix, count in endings.most_common(6))


def left_out(
    folder: Path, paths: list[Path], suffixes: tuple[str, ...] = IMAGE_SUFFIXES, what: str = "images"
) -> list[str]:
    """A sentence on the files that are not read, counted by their ending; none if all are.

    Raises:
        InputError: they are more than those that are read.
    """
    read = set(paths)
    others = Counter(
        path.suffix.lower()
        for path in folder.rglob("*")
        if path not in read
        and not any(part.startswith(".") for part in path.relative_to(folder).parts)
        and path.is_file()
    )
    if not others:
        return []
    counted = _counted(others)
    if sum(count for suffix, count in others.items() if suffix not in _BESIDE) > len(paths):
        to_do = f"convert them to one of {' '.join(suffix[1:] for suffix in suffixes)}"
        if others.keys() & set(suffixes):
            to_do = f"put {what} of other sub-folders into those of their classes"
        raise InputError(
            f"{folder} holds {len(paths)} {what} that are read and more files that are not ({counted}): {to_do}, or "
            "give a folder of the others alone"
        )
    return [f"files left out: {counted}"]


def shown(name: str | None) -> str:
    """A name as it can be written and drawn: bytes that are not UTF-8 become question marks."""
    return str(name).encode("utf-8", "surrogateescape").decode("utf-8", "replace")


def _names(path: Path, folder: Path, count: int) -> list[str]:
    """Of the pages of a file."""
    name = path.relative_to(folder).as_posix()
    return [name] if count == 1 else [f"{name}[{page}]" for page in range(count)]


def _folders_in(folder: Path) -> list[Path]:
    return sorted(sub for sub in folder.iterdir() if sub.is_dir() and not sub.name.startswith((".", "@", "__")))


def _files_in(folder: Path, suffixes: tuple[str, ...]) -> list[Path]:
    return sorted(
        path
        for path in folder.iterdir()
        if path.suffix.lower() in suffixes and not path.name.startswith(".") and path.is_file()
    )
