"""Data in, for every command: what was taken of a file is said on stderr before anything is done with it."""

import sys

from vaeclust_jax.data import Dataset, Preparation, ReadConfig, loading


def read(name_or_path: str, config: ReadConfig, like: Preparation | Dataset | None = None) -> Dataset:
    """`data.load`, whose sentences become lines.

    Args:
        name_or_path: as for `data.load`.
        config: what the person said.
        like: of the model that is asked about the data, or what they are to be compared with.

    Raises:
        InputError: as `data.load`.
    """
    dataset = loading.read(name_or_path, config, like)
    for line in dataset.said:
        print(f"{dataset.name}: {line}", file=sys.stderr)
    return dataset
