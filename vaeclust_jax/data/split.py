"""Which rows a model is trained on and which are held out."""

import numpy as np

from vaeclust_jax.data.config import PrepareConfig
from vaeclust_jax.data.dataset import check_labels
from vaeclust_jax.errors import InputError


def split_rows(
    n: int, config: PrepareConfig, y: object = None, counted: np.ndarray | None = None
) -> tuple[np.ndarray, np.ndarray]:
    """Splits rows 0..n-1 into a training and a validation part, at random or where the last ones begin.

    The validation part has `round(n * config.validation)` rows; the same seed gives the same split.

    Args:
        n: the number of rows.
        config: share, seed and whether to keep the class proportions.
        y: labels `(n,)`, read only if `config.stratify`.
        counted: numbers of the rows that are in a part at all, as if there were no others; None: all.

    Returns:
        The row numbers of both parts, each sorted; together they are every row once.

    Raises:
        InputError: if a part would be empty, or the rows cannot be stratified.
    """
    if counted is not None:
        if config.stratify and y is not None:
            labels, names = check_labels(y, n)
            y = np.asarray(names)[labels[counted]]
        train, validation = split_rows(len(counted), config, y)
        return counted[train], counted[validation]
    held_out = round(n * config.validation)
    if config.validation > 0 and held_out == 0:
        raise InputError(f"validation={config.validation:g} of {n} rows leaves no validation rows; hold out more or 0")
    if held_out >= n:
        raise InputError(f"validation={config.validation:g} of {n} rows leaves no training rows; hold out less")
    if config.stratify:
        return _stratified(n, held_out, config.split_seed, y)
    if config.split == "last":
        return np.arange(n - held_out), np.arange(n - held_out, n)
    shuffled = np.random.default_rng(config.split_seed).permutation(n)
    return np.sort(shuffled[held_out:]), np.sort(shuffled[:held_out])


def _stratified(n: int, held_out: int, seed: int, y: object) -> tuple[np.ndarray, np.ndarray]:
    from sklearn.model_selection import train_test_split

    if y is None:
        raise InputError("stratify=True needs labels y, got none; pass them or set stratify=False")
    labels, names = check_labels(y, n)
    if held_out == 0:
        return np.arange(n), np.arange(0)
    counts = np.bincount(labels)
    if counts.min() < 2:
        raise InputError(
            f"stratify=True needs two members of every class, but class {names[counts.argmin()]!r} has one"
        )
    if min(held_out, n - held_out) < len(names):
        raise InputError(
            f"stratify=True needs a row of each of the {len(names)} classes in both parts,"
            f" but they would have {n - held_out} training and {held_out} validation rows"
        )
    train, validation = train_test_split(np.arange(n), test_size=held_out, stratify=labels, random_state=seed)
    return np.sort(train), np.sort(validation)
