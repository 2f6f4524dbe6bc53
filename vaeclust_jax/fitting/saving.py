"""A fitted model as a folder: `model.json` (config, preparation) and `arrays/` (orbax)."""

import json
import os
from dataclasses import asdict
from importlib.metadata import version
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from vaeclust_jax.data import Preparation, PrepareConfig
from vaeclust_jax.errors import InputError
from vaeclust_jax.fitting.config import Config, ModelConfig, TrainingConfig, check_config
from vaeclust_jax.fitting.run import Run
from vaeclust_jax.fitting.stages import clustering_learner, networks_of
from vaeclust_jax.networks.build import NetworkConfig
from vaeclust_jax.training.checkpoint import restore_arrays, save_arrays
from vaeclust_jax.types import Networks

_FORMAT = 1
_SECTIONS = {
    "prepare": PrepareConfig,
    "network": NetworkConfig,
    "model": ModelConfig,
    "training": TrainingConfig,
}


def config_from_json(fields: dict[str, Any]) -> Config:
    """The config that `dataclasses.asdict` and JSON turned into dicts and lists."""

    def section(values: dict[str, Any]) -> dict[str, Any]:
        return {name: tuple(value) if isinstance(value, list) else value for name, value in values.items()}

    sections = {name: kind(**section(fields[name])) for name, kind in _SECTIONS.items()}
    return Config(num_clusters=fields["num_clusters"], **sections)


def save(run: Run, path: str | os.PathLike[str]) -> None:
    """See `Run.save`."""
    folder = Path(path)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        if any(folder.iterdir()):
            raise InputError(f"path must be a new or empty folder, got {folder}, which holds files")
        arrays = {
            "params": run.params,
            "cluster_mean": run.cluster_mean,
            "cluster_scale": run.cluster_scale,
        }
        save_arrays(folder / "arrays", arrays)
        manifest = {
            "format": _FORMAT,
            "vaeclust_jax": version("vaeclust_jax"),
            "config": asdict(run.config),
            "preparation": run.preparation.to_json(),
        }
        (folder / "model.json").write_text(json.dumps(manifest, indent=2) + "\n", encoding="utf-8")
    except OSError as error:
        raise InputError(f"the model cannot be written to {folder}: {error}") from error


def load(path: str | os.PathLike[str], *, seed: int | None = None, networks: Networks | None = None) -> Run:
    """Reads a fitted model, onto whatever device is there.

    Args:
        path: the folder that `Run.save` wrote, or a run's folder of the command line.
        seed: which of a run's seeds; default the first.
        networks: the encoder and decoder of one's own that the model was fitted with, if it was.

    Raises:
        InputError: no model there, another format, a damaged file, or networks missing.
    """
    folder = _model_folder(Path(path), seed)
    config, preparation = _read_manifest(folder / "model.json")
    if config.network.network == "custom" and networks is None:
        raise InputError(f"{folder} was fitted with networks of its own: load(path, networks=Networks(...))")
    learner = clustering_learner(config, networks_of(config, preparation.output_shape, networks), 1)
    k, latent_dim = config.num_clusters, config.network.latent_dim
    like = {
        "params": jax.eval_shape(learner.init, jax.random.key(0)).params,
        "cluster_mean": jax.ShapeDtypeStruct((k, latent_dim), jnp.float32),
        "cluster_scale": jax.ShapeDtypeStruct((k, latent_dim, latent_dim), jnp.float32),
    }
    try:
        arrays = restore_arrays(folder / "arrays", like)
    except (ValueError, KeyError, TypeError, OSError) as error:
        raise InputError(f"{folder / 'arrays'} is damaged or of another model: {_short(error)}") from error
    return Run(
        config,
        preparation,
        learner,
        arrays["params"],
        np.asarray(arrays["cluster_mean"]),
        np.asarray(arrays["cluster_scale"]),
    )


def _read_manifest(path: Path) -> tuple[Config, Preparation]:
    """What `save` wrote as JSON, checked as thoroughly as what a person gives to `fit`."""
    try:
        manifest = json.loads(path.read_text(encoding="utf-8"))
        newer = manifest["format"] > _FORMAT
        if not newer:
            config = config_from_json(manifest["config"])
            preparation = Preparation.from_json(manifest["preparation"])
            _check_fits(config, preparation)
    except Exception as error:  # a file edited or cut short can fail in any way
        raise InputError(f"{path} is damaged: {_short(error)}") from error
    if newer:
        raise InputError(
            f"{path} was written by vaeclust_jax {manifest.get('vaeclust_jax')}, in a newer format than this version "
            f"({version('vaeclust_jax')}) reads: upgrade vaeclust_jax"
        )
    return config, preparation


def _check_fits(config: Config, preparation: Preparation) -> None:
    check_config(config, np.zeros((config.num_clusters, *preparation.output_shape), np.float32))
    if config.network.input_mean is None or config.network.input_std is None:
        raise ValueError("input_mean and input_std are missing")
    for values in (preparation.offset, preparation.scale):
        if values is not None and values.shape != preparation.input_shape:
            raise ValueError(f"scaling of {values.shape} features for input of {preparation.input_shape}")
    preparation.apply(np.zeros((1, *preparation.input_shape), np.float32))


def _short(error: Exception) -> str:
    """The start of a message; orbax tells its whole story in one."""
    text = " ".join(str(error).split("[tensorstore_spec")[0].split())
    return text if len(text) <= 200 else f"{text[:200]} ..."


def seed_folder(run_folder: Path, seed: int) -> Path:
    """Where a run of the command line keeps the model of a seed."""
    return run_folder / "model" / f"seed-{seed}"


def _model_folder(path: Path, seed: int | None) -> Path:
    if (path / "model.json").is_file():
        if seed is not None:
            raise InputError(f"seed chooses among the models of a run, but {path} is a single model; got seed {seed}")
        return path
    seeds = sorted(
        int(folder.name.removeprefix("seed-"))
        for folder in (path / "model").glob("seed-*")
        if (folder / "model.json").is_file() and folder.name.removeprefix("seed-").isdecimal()
    )
    if not seeds:
        raise InputError(f"{path} holds no model: give the folder of a run that finished, or one written by Run.save")
    if seed is not None and seed not in seeds:
        raise InputError(f"seed must be one of {', '.join(map(str, seeds))} in {path}, got {seed}")
    return seed_folder(path, seeds[0] if seed is None else seed)
