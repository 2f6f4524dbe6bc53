"""Which rows a model is trained on and which are held out."""

import numpy as np

from vaeclust_jax.data.config import PrepareConfig
from vaeclust_jax.data.dataset import Dataset, check_labels
from vaeclust_jax.errors import InputError


def subjects_of(x: object) -> np.ndarray | None:
    """(n,) whole numbers, whose each row of a data set is; None where nobody says.

    Raises:
        InputError: not one subject a row.
    """
    if not isinstance(x, Dataset) or x.subjects is None:
        return None
    return check_labels(x.subjects, len(x.x), "subjects")[0]


def random_parts(n: int, count: int, *, seed: int, subjects: np.ndarray | None) -> tuple[np.ndarray, np.ndarray]:
    """Rows 0..n-1 without a random part, and that part.

    Args:
        n, count: rows, and how many of them the part has; with subjects, as near to it as whole ones come.
        seed: of the part.
        subjects: (n,) whose each row is: all of one are in the same part; None: each row is one.

    Returns:
        The row numbers of both, each sorted.

    Raises:
        InputError: all rows are of one subject.
    """
    rng = np.random.default_rng(seed)
    if subjects is None:
        shuffled = rng.permutation(n)
        return np.sort(shuffled[count:]), np.sort(shuffled[:count])
    _, whose, sizes = np.unique(subjects, return_inverse=True, return_counts=True)
    if count and len(sizes) == 1:
        raise InputError("all rows are of one subject, so that none can be held out without it: hold out 0")
    order = rng.permutation(len(sizes))
    reached = np.cumsum(sizes[order])[:-1]  # one subject stays
    number = 0 if count == 0 else 1 + int(np.abs(reached - count).argmin())
    held_out = np.isin(whose, order[:number])
    return np.flatnonzero(~held_out), np.flatnonzero(held_out)


def split_rows(
    n: int,
    config: PrepareConfig,
    y: object = None,
    counted: np.ndarray | None = None,
    subjects: np.ndarray | None = None,
) -> tuple[np.ndarray, np.ndarray]:
    """Splits rows 0..n-1 into a training and a validation part, at random or where the last ones begin.

    The validation part has `round(n * config.validation)` rows, or so many whole subjects as come nearest; the same
    seed gives the same split.

    Args:
        n: the number of rows.
        config: share, seed and whether to keep the class proportions.
        y: labels `(n,)`, read only if `config.stratify`.
        counted: numbers of the rows that are in a part at all, as if there were no others; None: all.
        subjects: (n,) whose each row is: a part has all rows of a subject or none; None: each row is one.

    Returns:
        The row numbers of both parts, each sorted; together they are every row once.

    Raises:
        InputError: if a part would be empty, or the rows cannot be stratified.
    """
    if counted is not None:
        if config.stratify and y is not None:
            labels, names = check_labels(y, n)
            y = np.asarray(names)[labels[counted]]
        train, validation = split_rows(len(counted), config, y, None, None if subjects is None else subjects[counted])
        return counted[train], counted[validation]
    held_out = round(n * config.validation)
    if config.validation > 0 and held_out == 0:
        raise InputError(f"validation={config.validation:g} of {n} rows leaves no validation rows; hold out more or 0")
    if held_out >= n:
        raise InputError(f"validation={config.validation:g} of {n} rows leaves no training rows; hold out less")
    if subjects is not None and held_out and (config.stratify or config.split == "last"):
        asked = "stratify=True" if config.stratify else "split='last'"
        raise InputError(f"{asked} could part the rows of a subject: leave it out, or the subjects")
    if config.stratify:
        return _stratified(n, held_out, config.split_seed, y)
    if config.split == "last":
        return np.arange(n - held_out), np.arange(n - held_out, n)
    return random_parts(n, held_out, seed=config.split_seed, subjects=subjects)


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
