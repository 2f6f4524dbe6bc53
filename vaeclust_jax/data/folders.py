"""Folders of pictures: flat, one sub-folder a class, or the same classes in parts; what is left out is counted."""

from collections import Counter
from pathlib import Path

import numpy as np

from vaeclust_jax.data.dataset import Dataset, check_array, check_labels
from vaeclust_jax.data.pictures import IMAGE_SUFFIXES, Pictures, read_pages, stack_pages
from vaeclust_jax.data.reading import ReadConfig, listed
from vaeclust_jax.errors import InputError

_BESIDE = (".txt", ".csv", ".tsv", ".json", ".xml", ".md", ".yaml", ".yml", ".html", ".pdf", ".db", ".ini", ".log", "")
"""Files that lie beside pictures and are none."""
_ALLOWED = " ".join(suffix[1:] for suffix in IMAGE_SUFFIXES)


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
    found, taken = _classes_in(folder)
    paths = [path for _, path in found]
    taken += _left_out(folder, paths)
    pages, names, classes = [], [], []
    for kind, path in found:
        own = read_pages(path)
        pages += own
        classes += [kind] * len(own)
        name = path.relative_to(folder).as_posix()
        names += [name] if len(own) == 1 else [f"{name}[{page}]" for page in range(len(own))]
    if len(pages) > len(paths):
        taken.append(f"every page is a sample: {len(pages)} pages of {len(paths)} files")
    where = f"the images in {folder}"
    x, pictures, more = stack_pages(pages, config or ReadConfig(), like, where)
    y, class_names = (None, None) if classes[0] is None else check_labels(np.array(classes), len(classes))
    return Dataset(
        x=check_array(x, where),
        y=y,
        name=folder.resolve().name,
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
    pages = read_pages(path)
    if len(pages) < 2 and like is None:
        raise InputError(f"{path} is one picture: give the folder of all of them, or a file with a page a sample")
    x, pictures, taken = stack_pages(pages, config, like, f"the pages of {path}")
    names = tuple(f"{path.name}[{page}]" for page in range(len(pages)))
    taken = [f"every page is a sample: {len(pages)}", *taken]
    x = check_array(x, f"the pages of {path}")
    return Dataset(x, None, path.stem, row_names=names, source=str(path), pictures=pictures, taken=tuple(taken))


def has_images(folder: Path) -> bool:
    """Whether a folder, or one of its sub-folders, holds images."""
    return bool(_images_in(folder)) or any(_images_in(sub) for sub in _folders_in(folder))


def _classes_in(folder: Path) -> tuple[list[tuple[str | None, Path]], list[str]]:
    """Every picture with its class, and sentences on how the folders were understood."""
    paths = _images_in(folder)
    classes = {sub.name: images for sub in _folders_in(folder) if (images := _images_in(sub))}
    if paths and classes:
        raise InputError(
            f"{folder} holds images both directly ({paths[0].name}) and in sub-folders"
            f" ({next(iter(classes))}); keep either a flat folder or one sub-folder a class"
        )
    if paths:
        return [(None, path) for path in paths], []
    if classes:
        return [(name, path) for name, images in classes.items() for path in images], []
    parts = {
        part.name: inner
        for part in _folders_in(folder)
        if (inner := {sub.name: images for sub in _folders_in(part) if (images := _images_in(sub))})
    }
    if not parts:
        raise InputError(f"{folder} holds no images, neither directly nor in sub-folders (read are: {_ALLOWED})")
    if len({frozenset(inner) for inner in parts.values()}) > 1:
        raise InputError(
            f"{folder} holds images two folders deep, under {listed(parts)}, whose sub-folders differ: give one of them"
        )
    names = list(next(iter(parts.values())))
    taken = [f"{listed(parts)} are parts of one set, their sub-folders {listed(names)} are classes"]
    return [(name, path) for inner in parts.values() for name, images in inner.items() for path in images], taken


def _left_out(folder: Path, paths: list[Path]) -> list[str]:
    """Files that are not read, counted by their ending.

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
    counted = ", ".join(f"{count} {suffix or 'without ending'}" for suffix, count in others.most_common(6))
    if sum(count for suffix, count in others.items() if suffix not in _BESIDE) > len(paths):
        raise InputError(
            f"{folder} holds {len(paths)} images that are read and more files that are not ({counted}): convert them "
            f"to one of {_ALLOWED}, or give a folder of the others alone"
        )
    return [f"files left out: {counted}"]


def _folders_in(folder: Path) -> list[Path]:
    return sorted(sub for sub in folder.iterdir() if sub.is_dir() and not sub.name.startswith("."))


def _images_in(folder: Path) -> list[Path]:
    return sorted(
        path
        for path in folder.iterdir()
        if path.suffix.lower() in IMAGE_SUFFIXES and not path.name.startswith(".") and path.is_file()
    )
