"""AnnData in files (.h5ad) and folders (.zarr): cells as rows, genes as named features, a column of `obs` as labels."""

import warnings
from pathlib import Path
from typing import Any

import numpy as np

from vaeclust_jax.data.dataset import Dataset, check_array, check_labels
from vaeclust_jax.data.frames import dense
from vaeclust_jax.data.reading import NONE, Columns, ReadConfig, listed
from vaeclust_jax.errors import InputError


def is_annotated(path: Path) -> bool:
    """Whether it is an .h5ad file, or a .zarr folder that AnnData's `write_zarr` wrote."""
    return (path.suffix.lower() == ".h5ad" and path.is_file()) or all(
        (path / part).is_dir() for part in ("obs", "var", "obsm")
    )


def load_annotated(path: Path, config: ReadConfig, like: Columns | None = None) -> Dataset:
    """Loads `X`, or the layer or entry of `obsm` that `config.array` names.

    Args:
        path: as for `is_annotated`.
        config: `label_column` names a column of `obs`; without, there are no labels.
        like: the columns that a model was trained on: genes are taken by name, in any order.

    Raises:
        InputError: anndata is not installed, the file cannot be read, or a name is not in it.
    """
    found = read_annotated(path)
    x, names, taken = matrix_of(found, config.array, like, str(path))
    row_names = tuple(map(str, found.obs_names))
    y, class_names, subjects = None, None, None
    if config.label_column not in (None, NONE):
        y, class_names = _of_obs(found, config.label_column, path)
    if config.subject_column is not None:
        subjects, whose = _of_obs(found, config.subject_column, path)
        taken.append(f"column {config.subject_column!r} of obs says whose a row is, of {len(whose)} subjects")
    columns = None if names is None else Columns(names)
    return Dataset(
        x=check_array(x, f"x of {path}"), y=y, name=path.stem, class_names=class_names, row_names=row_names,
        source=str(path), columns=columns, taken=tuple(taken), subjects=subjects,
        names_are="sample",
    )  # fmt: skip


def _of_obs(found: Any, name: str, path: Path) -> tuple[np.ndarray, tuple[str, ...]]:
    if name not in found.obs:
        raise InputError(f"obs of {path} has no column {name!r}: it has {listed(found.obs.columns)}")
    if found.obs[name].isna().any():
        raise InputError(f"column {name!r} of obs of {path} has missing values")
    return check_labels(np.asarray(found.obs[name].astype(str)), len(found.obs), f"{name} of {path}")


def read_annotated(path: Path) -> Any:
    """The file or folder as an `anndata.AnnData`.

    Raises:
        InputError: anndata (or, for a folder, zarr) is not installed, or it cannot be read.
    """
    try:
        import anndata

        if path.is_dir():
            import zarr  # noqa: F401
    except ModuleNotFoundError as error:
        extra = "zarr" if error.name == "zarr" else "anndata"
        raise InputError(f"{path} needs {extra}: pip install 'vaeclust_jax[{extra}]'") from error
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # its own, of its dependencies
            return anndata.read_zarr(path) if path.is_dir() else anndata.read_h5ad(path)
    except Exception as error:  # a damaged file may fail in any way
        raise InputError(f"{path} cannot be read as AnnData: {str(error)[:150]}") from error


def matrix_of(
    found: Any, array: str | None, like: Columns | None, where: str
) -> tuple[np.ndarray, tuple[str, ...] | None, list[str]]:
    """The samples as an array, the names of their features, and sentences on what was taken.

    Args:
        found: an `AnnData`.
        array: of a layer or of `obsm`; None is `X`.
        like: the columns of a model.
        where: what errors call it.

    Raises:
        InputError: no such array, or features that the model knows and this does not.
    """
    taken = []
    if array is None or array in found.layers:
        names = tuple(map(str, found.var_names))
        if len(set(names)) < len(names):
            raise InputError(f"var_names of {where} must differ: call var_names_make_unique() and write it again")
        if like is not None:
            known = set(names)
            missing = [name for name in like.names if name not in known]
            if missing:
                raise InputError(
                    f"{where} lacks {listed(missing)} of the {len(like.names)} features that the model was trained on"
                )
            if len(names) > len(like.names):
                taken.append(f"{len(names) - len(like.names)} features that the model does not know were left out")
            found, names = found[:, list(like.names)], like.names
        values = found.X if array is None else found.layers[array]
        if values is None:
            raise InputError(f"{where} has no X: --array names one of {listed([*found.layers, *found.obsm])}")
        taken.append("samples: X" if array is None else f"samples: layer {array!r}")
        return np.asarray(dense(values)), names, taken
    if array in found.obsm:
        return np.asarray(dense(found.obsm[array])), None, [f"samples: obsm {array!r}"]
    raise InputError(f"{where} has no array {array!r}: it has X, {listed([*found.layers, *found.obsm])}")
