"""The task of methods that learn a density up to its normalising constant: likelihoods, by estimates of that constant.

log Z is estimated by annealed importance sampling in both directions: forwards a likelihood is in expectation too high,
backwards too low, as far as the chains that it begins with are samples of the model. Of small machines it is exact.
"""

from collections.abc import Callable, Iterator

import jax
import jax.numpy as jnp
import numpy as np

from vaeclust_jax.errors import InputError
from vaeclust_jax.fitting.prepared import Prepared
from vaeclust_jax.fitting.run import Run
from vaeclust_jax.folder.records.density import DensityRecord, DensityScores, SeedDensityScores
from vaeclust_jax.folder.table import Column, Table, spread
from vaeclust_jax.keys import SCORE, key_of
from vaeclust_jax.objectives.ais import base_rates, forward_ais, reverse_ais, schedule
from vaeclust_jax.objectives.rbm import RBMParams, gibbs, log_partition, pseudo_log_likelihood
from vaeclust_jax.studies.common import common_fields, over_seeds, split_sentence
from vaeclust_jax.studies.density_figures import density_figures
from vaeclust_jax.studies.few_labels import few_labels
from vaeclust_jax.studies.restoration import as_units, method_of, restorations
from vaeclust_jax.studies.task import Measured, Study, Task
from vaeclust_jax.training.rows import by_chunk

SCORES = DensityScores.names
_TEMPERATURES = (3_000, 10_000)  # of machines of few weights, and of many
_MANY = 50_000
CHAINS = 100
_BURN_IN = 1000  # Gibbs steps before the way back
_MOST_EXACT = 16  # units whose states are enumerated
_MOST_ROWS = 10_000  # of training, and of held-out rows
_APART = 1.0
"""Nats by which the two directions may differ before it is said."""


def _check(data: Prepared) -> None:
    if len(data.validation_index) < 1:
        raise InputError("a density is judged by held-out rows, at least one: set validation above 0")


def _measure(study: Study, step: Callable[[str], None]) -> Measured:
    step("estimating partition functions")
    named = study.experiment.named
    scores = {arm: [judged(run, study.data[arm]) for run in runs] for arm, runs in study.runs.items()}
    results = {arm: over_seeds(DensityScores, SeedDensityScores, of, study.seeds) for arm, of in scores.items()}
    step("restoring missing regions")
    restored = restorations(study.runs[named], study.seeds, study.data[named])
    if study.dataset.y is not None:
        step("what features are worth with few labels")
    labelled = few_labels(study.runs, study.data, study.dataset, study.seeds)
    of_named = results[named]
    counts = sorted({_temperatures(method_of(run).machine(run.params)) for runs in study.runs.values() for run in runs})
    held_out = len(study.data[named].validation_index)
    record = DensityRecord(
        **common_fields(study.experiment, study.dataset),
        protocol={
            "fitted_on": split_sentence(study),
            "scored_on": f"{min(held_out, _MOST_ROWS)} held-out rows, which decided nothing",
            "log_z": f"annealed importance sampling both ways, {' or '.join(map(str, counts))} temperatures, {CHAINS} "
            "chains",
            "labels_used_for": "scoring features alone" if labelled else "nothing",
            "spread": "standard deviation over seeds (n - 1)",
        },
        mean=of_named.mean,
        std=of_named.std,
        seeds=of_named.seeds,
        findings=(_finding(named, of_named.mean),),
        warnings=tuple(line for arm, of in results.items() for row in of.seeds for line in _doubts(arm, row)),
        results=results,
        restored=restored,
        few_labels=labelled,
    )
    return Measured(record)


def judged(run: Run, data: Prepared) -> DensityScores:
    """The scores of one model on prepared rows, which depend on rows and model alone."""
    method = method_of(run)
    held_out = as_units(method, data, data.validation_index, _MOST_ROWS)
    train = as_units(method, data, data.train_index, _MOST_ROWS)
    machine, observed = method.machine(run.params), held_out.shape[1]
    more = len(machine.visible) - observed
    rates = base_rates(jnp.asarray(train.mean(axis=0)))
    base = jnp.concatenate([rates, jnp.zeros(more)])
    forward_key, burn_key, reverse_key = jax.random.split(key_of(0, SCORE), 3)
    betas = schedule(_temperatures(machine))
    forward = forward_ais(forward_key, machine, base, betas, CHAINS)
    seen = jnp.asarray(np.resize(train, (CHAINS, observed)))
    start = jnp.concatenate([seen, jnp.full((CHAINS, more), 0.5)], axis=1)
    samples = gibbs(burn_key, machine, start, _BURN_IN).visible
    reverse = reverse_ais(reverse_key, machine, base, betas, samples)
    small = min(machine.weights.shape) <= _MOST_EXACT
    energy, energy_of_train = (float(by_chunk(method.energy, run.params, rows).mean()) for rows in (held_out, train))
    return DensityScores(
        log_likelihood=-energy - forward.value,
        reverse=-energy - reverse.value,
        exact=-energy - float(log_partition(machine)) if small else None,
        train=-energy_of_train - forward.value,
        deviation=forward.deviation,
        pseudo=None if more else float(by_chunk(pseudo_log_likelihood, machine, held_out).mean()),
        independent=float((held_out @ rates - jax.nn.softplus(rates).sum()).mean()),
    )


def _temperatures(machine: RBMParams) -> int:
    return _TEMPERATURES[machine.weights.size > _MANY]


def _finding(named: str, mean: DensityScores) -> str:
    exact = "" if mean.exact is None else f", {mean.exact:.2f} exactly"
    return (
        f"Held-out rows have {mean.log_likelihood:.2f} nats under {named} by forward and {mean.reverse:.2f} by reverse "
        f"annealed importance sampling{exact}; training rows {mean.train:.2f}."
    )


def _doubts(arm: str, row: SeedDensityScores) -> Iterator[str]:
    """A sentence where the two directions disagree, so that neither may be believed, and where nothing was learned."""
    assert row.log_likelihood is not None
    assert row.reverse is not None
    assert row.independent is not None
    difference = row.log_likelihood - row.reverse
    if abs(difference) > _APART:
        exact = "" if row.exact is None else f"; exactly it is {row.exact:.2f} nats"
        yield (
            f"The two estimates of log Z of {arm} with seed {row.seed} are {abs(difference):.1f} nats apart: its "
            f"chains mix badly, neither can be believed, and the likelihood may lie outside both{exact}."
        )
    if difference < -_APART:
        yield (
            f"Of {arm} with seed {row.seed} the forward estimate of the likelihood, likely too high, is below the "
            "reverse one, likely too low: the reverse chains had not reached the machine's own samples."
        )
    if max(row.log_likelihood, row.reverse) < row.independent:
        yield (
            f"Held-out rows are less likely under {arm} with seed {row.seed} than under units without connections "
            f"({row.independent:.2f} nats): it learned nothing of use. Try a lower learning rate, or more epochs."
        )


def _tables(record: DensityRecord) -> list[Table]:
    rows = tuple(
        (arm, *(spread(getattr(of.mean, key), getattr(of.std, key)) for key in SCORES))
        for arm, of in record.results.items()
    )
    columns = (Column("method", "text"), *map(Column, SCORES.values()))
    note = (
        "Nats a held-out row, higher is better. Forward annealed importance sampling is likely to say too much, "
        "reverse too little. Of a deep machine all are of a lower bound."
    )
    tables = [Table("scores", "Log-likelihood", columns, rows, note).without_empty()]
    if record.restored:
        cells = tuple((one.region, one.machine, one.mean_image, one.neighbour) for one in record.restored)
        heads = ("missing", "text"), (record.method,), ("mean image",), ("nearest row",)
        note = "Squared error a missing pixel of held-out rows, lower is better. The nearest row is that of training."
        tables.append(Table("restored", "Restored regions", tuple(Column(*head) for head in heads), cells, note))
    if record.few_labels:
        names = list(record.few_labels[0].accuracy)
        curve = tuple(
            (one.labels, *(spread(one.accuracy[name], one.deviation[name]) for name in names))
            for one in record.few_labels
        )
        note = (
            "Accuracy on held-out rows of a logistic regression, higher is better: on the features of a machine, which "
            "read no label, and on the values. Mean ± standard deviation over seeds and draws of the labelled rows."
        )
        columns = (Column("labels a class", "integer"), *map(Column, names))
        tables.append(Table("few-labels", "With few labels", columns, curve, note))
    return tables


DENSITY = Task(("score", "sample"), _check, _measure, _tables, density_figures)
