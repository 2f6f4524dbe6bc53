"""Fitted models on disk: a file of one's own, or those of a run's folder."""

import os
from pathlib import Path

from vaeclust_jax.errors import InputError
from vaeclust_jax.fitting.model_file import read_model, shortened, write_model
from vaeclust_jax.fitting.packing import pack, unpack
from vaeclust_jax.fitting.run import Run
from vaeclust_jax.types import Networks

_SUFFIX = ".vaeclust"


def save(run: Run, path: str | os.PathLike[str]) -> None:
    """See `Run.save`."""
    write_model(Path(path), pack(run))


def load(path: str | os.PathLike[str], *, seed: int | None = None, networks: Networks | None = None) -> Run:
    """Reads a fitted model, onto whatever device is there; files of strangers are safe to read.

    Args:
        path: the file that `Run.save` wrote, or a run's folder of the command line.
        seed: which of a run's seeds; default the first.
        networks: the encoder and decoder of one's own that the model was fitted with, if it was.

    Raises:
        InputError: no model there, another format, a damaged file, or networks missing.
    """
    file = _model_file(Path(path), seed)
    packed, _ = read_model(file)
    if packed.config.network.network == "custom" and networks is None:
        raise InputError(f"{file} was fitted with networks of its own: load(path, networks=Networks(...))")
    try:
        return unpack(packed, networks)
    except Exception as error:  # a manifest may say anything
        raise InputError(f"{file} is damaged: {shortened(error)}") from error


def seed_file(run_folder: Path, seed: int) -> Path:
    """Where a run of the command line keeps the model of a seed."""
    return run_folder / "model" / f"seed-{seed}{_SUFFIX}"


def _model_file(path: Path, seed: int | None) -> Path:
    if path.is_file():
        if seed is not None:
            raise InputError(f"seed chooses among the models of a run, but {path} is a single model; got seed {seed}")
        return path
    numbers = [file.name.removeprefix("seed-").removesuffix(_SUFFIX) for file in (path / "model").glob("seed-*")]
    seeds = sorted(int(number) for number in numbers if number.isdecimal() and seed_file(path, int(number)).is_file())
    if not seeds:
        raise InputError(f"{path} holds no model: give the folder of a run that finished, or a file of Run.save")
    if seed is not None and seed not in seeds:
        raise InputError(f"seed must be one of {', '.join(map(str, seeds))} in {path}, got {seed}")
    return seed_file(path, seeds[0] if seed is None else seed)
