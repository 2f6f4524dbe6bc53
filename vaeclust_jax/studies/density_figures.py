"""The figures of a density: how it was learned, its components, and what its Gibbs chains make of rows."""

from collections.abc import Iterator, Mapping

import jax
import jax.numpy as jnp
import numpy as np

from vaeclust_jax.fitting.prepared import Prepared
from vaeclust_jax.fitting.run import Run
from vaeclust_jax.folder.records.density import DensityRecord
from vaeclust_jax.keys import SAMPLES, VIEW_ROWS, key_of
from vaeclust_jax.methods.boltzmann import BoltzmannMethod
from vaeclust_jax.methods.rbm import sample
from vaeclust_jax.objectives.rbm import gibbs
from vaeclust_jax.plots import accuracy_by_labels, components, named_rows, samples_beside_data
from vaeclust_jax.studies.figures import Picture, history_of, loss_picture
from vaeclust_jax.studies.restoration import as_units, damaged, method_of, regions, restored
from vaeclust_jax.studies.task import Drawn, Measured, Study

_STEPS = (1, 2, 5, 10, 100, 1000)
_SAMPLED = (1, 10, 1000)
"""Gibbs steps of held-out rows, and of chains that begin without any."""
_SHOWN = 10
_SAMPLES = 40
_FEW_LABELS = "A logistic regression on features that read no label, and on the values. Bands: one standard deviation."


def density_figures(study: Study, measured: Measured) -> Drawn:
    """Of the first seed of the named arm and of the one that it is held against; restored regions of the former.

    What features of all arms are worth with few labels stands at the end.
    """
    experiment = study.experiment
    named, beside = experiment.named, dict.fromkeys((experiment.named, experiment.baseline))
    for arm in beside:
        runs = study.runs[arm]
        yield f"loss_parts_{arm}", loss_picture(arm, history_of(runs))
        yield from _of_arm(arm, runs[0], study.seeds[0], study.data[arm])
    data = study.data[named]
    if _are_images(data):
        chains = _sampled({arm: study.runs[arm][0] for arm in beside}, study.seeds[0], data)
        caption = "Column by column one chain, which begins with independent units: probabilities after so many steps."
        yield "chains", Picture(named_rows(chains), "Samples", "Samples after Gibbs steps", caption)
        drawn = named_rows(_restored_rows(study.runs[named][0], study.seeds[0], data))
        caption = "Each region missing (grey), and restored: the mean of Gibbs chains that hold what is known."
        yield f"restored_{named}", Picture(drawn, "Restoration", f"Missing regions, restored by {named}", caption)
    record = measured.metrics
    assert isinstance(record, DensityRecord)
    if record.few_labels:
        yield "few_labels", Picture(accuracy_by_labels(_lines(record)), "Features", "With few labels", _FEW_LABELS)


def _lines(record: DensityRecord) -> dict[str, tuple[list[float], list[float], list[float]]]:
    rows = record.few_labels
    counts: list[float] = [row.labels for row in rows]
    return {
        name: (counts, [row.accuracy[name] for row in rows], [row.deviation[name] for row in rows])
        for name in rows[0].accuracy
    }


def _are_images(data: Prepared) -> bool:
    shape = data.preparation.output_shape
    return len(shape) == 3 and shape[2] == 1 and min(shape[:2]) >= 2


def _of_arm(arm: str, run: Run, seed: int, data: Prepared) -> Iterator[tuple[str, Picture]]:
    method, shape = method_of(run), data.preparation.output_shape
    rows = as_units(method, data, data.validation_index, 2 * _SHOWN)
    samples = run.sample(key_of(seed, SAMPLES), _SAMPLES)
    drawn = samples_beside_data(samples.reshape(-1, *shape), rows.reshape(-1, *shape))
    yield f"samples_{arm}", Picture(drawn, "Samples", f"Samples of {arm}", "Ends of long chains, below held-out rows.")
    if not _are_images(data):
        return
    for layer, weights in method.components(run.params).items():
        drawn = components(weights, (shape[0], shape[1]))
        caption = "The strongest units, each on a scale of its own: white raises a pixel's log-odds, black lowers it."
        name = f"{layer}_{arm}".replace(" ", "_")
        yield name, Picture(drawn, "Components", f"{layer.capitalize()} of {arm}", caption)
    drawn = named_rows(_walked(run, method, seed, rows[:_SHOWN].reshape(-1, *shape)))
    caption = "Held-out rows, and the probabilities of their pixels after so many Gibbs steps."
    yield f"gibbs_{arm}", Picture(drawn, "Reconstruction", f"Gibbs reconstructions of {arm}", caption)


def _walked(run: Run, method: BoltzmannMethod, seed: int, images: np.ndarray) -> dict[str, np.ndarray]:
    machine, observed = method.machine(run.params), int(np.prod(images.shape[1:]))
    start = jnp.asarray(images.reshape(len(images), -1))
    more = jnp.full((len(images), len(machine.visible) - observed), 0.5)
    start = jnp.concatenate([start, more], axis=1)
    found = {"held out": images}
    for steps, key in zip(_STEPS, jax.random.split(key_of(seed, VIEW_ROWS), len(_STEPS)), strict=True):
        mean = gibbs(key, machine, start, steps).mean[:, :observed]
        found[_after(steps)] = np.asarray(mean).reshape(images.shape)
    return found


def _sampled(runs: Mapping[str, Run], seed: int, data: Prepared) -> dict[str, np.ndarray]:
    shape, found = data.preparation.output_shape, {}
    keys = jax.random.split(jax.random.fold_in(key_of(seed, SAMPLES), 2), len(_SAMPLED))  # `run.sample` has the key
    for arm, run in runs.items():
        machine, done, chain = method_of(run).machine(run.params), 0, None
        for steps, key in zip(_SAMPLED, jax.random.clone(keys), strict=True):
            more = steps - done
            chain = sample(key, machine, _SHOWN, more) if chain is None else gibbs(key, machine, chain.visible, more)
            found[f"{arm}, {_after(steps)}"] = np.asarray(chain.mean[:, : int(np.prod(shape))]).reshape(-1, *shape)
            done = steps
    return found


def _after(steps: int) -> str:
    return f"{steps} step{'' if steps == 1 else 's'}"


def _restored_rows(run: Run, seed: int, data: Prepared) -> dict[str, np.ndarray]:
    method, shape = method_of(run), data.preparation.output_shape
    x = as_units(method, data, data.validation_index, _SHOWN)
    found = {"held out": x}
    for region, missing in regions(*shape[:2]).items():
        gone = missing.ravel()
        found[f"{region} gone"] = damaged(x, gone)
        found[f"{region} restored"] = restored(run, seed, x, gone)
    return {name: rows.reshape(-1, *shape) for name, rows in found.items()}
