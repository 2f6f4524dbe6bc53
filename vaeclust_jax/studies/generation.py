"""The task of methods that generate: samples against rows that the training never saw, beside what data reach."""

from collections.abc import Callable, Mapping

import numpy as np

from vaeclust_jax.errors import InputError
from vaeclust_jax.fitting.prepared import Prepared
from vaeclust_jax.folder.records.generation import GenerationRecord, SampleScores, SeedSampleScores
from vaeclust_jax.folder.records.task import Summary
from vaeclust_jax.folder.table import Column, Table, spread
from vaeclust_jax.keys import SAMPLES, key_of
from vaeclust_jax.metrics.generation import frechet_distance, precision_recall
from vaeclust_jax.plots import samples_beside_data
from vaeclust_jax.studies.common import common_fields, over_seeds, split_sentence
from vaeclust_jax.studies.figures import Picture, history_of, loss_picture
from vaeclust_jax.studies.task import Drawn, Measured, Study, Task

SCORES = SampleScores.names
_MAX_ROWS = 2000  # of each side
_LEAST = 8  # held-out rows that a comparison can be made with
_COLLAPSED = 0.05  # recall
_SHOWN = 20  # of the held-out rows


def _check(data: Prepared) -> None:
    if len(data.validation_index) < _LEAST:
        raise InputError(f"samples are judged by held-out rows, at least {_LEAST}: set validation above 0")


def _measure(study: Study, step: Callable[[str], None]) -> Measured:
    step("scoring samples")
    named = study.experiment.named
    data = study.data[named]
    held_out = _flat(data, data.validation_index, _MAX_ROWS)
    drawn = {
        arm: [run.sample(key_of(seed, SAMPLES), len(held_out)) for run, seed in zip(runs, study.seeds, strict=True)]
        for arm, runs in study.runs.items()
    }
    results = {
        arm: over_seeds(
            SampleScores,
            SeedSampleScores,
            [_judged(held_out, samples.reshape(len(samples), -1)) for samples in of_seeds],
            study.seeds,
        )
        for arm, of_seeds in drawn.items()
    }
    of_named, floor = results[named], _judged(held_out, _flat(data, data.train_index, len(held_out)))
    record = GenerationRecord(
        **common_fields(study.experiment, study.dataset),
        protocol={
            "fitted_on": split_sentence(study),
            "scored_on": f"{len(held_out)} samples a seed against as many held-out rows, as values",
            "labels_used_for": "nothing",
            "spread": "standard deviation over seeds (n - 1)",
        },
        mean=of_named.mean,
        std=of_named.std,
        seeds=of_named.seeds,
        findings=(_finding(named, of_named.mean, floor),),
        warnings=_collapsed(results),
        results=results,
        floor=floor,
    )
    return Measured(record, None, {arm: of_seeds[0] for arm, of_seeds in drawn.items()})


def _spaced(index: np.ndarray, most: int) -> np.ndarray:
    """So many at most, evenly spaced: data sets may be sorted by class."""
    return index[np.linspace(0, len(index) - 1, min(len(index), most)).astype(int)]


def _flat(data: Prepared, index: np.ndarray, most: int) -> np.ndarray:
    """Some of the rows, as vectors."""
    rows = np.asarray(data.rows[_spaced(index, most)])
    return rows.reshape(len(rows), -1)


def _judged(real: np.ndarray, samples: np.ndarray) -> SampleScores:
    precision, recall = precision_recall(real, samples)
    return SampleScores(frechet=frechet_distance(real, samples), precision=precision, recall=recall)


def _finding(named: str, mean: SampleScores, floor: SampleScores) -> str:
    return (
        f"Samples of {named} lie at a Fréchet distance of {mean.frechet:.3g} from held-out rows, training rows at "
        f"{floor.frechet:.3g}; precision {mean.precision:.2f}, recall {mean.recall:.2f}."
    )


def _collapsed(results: Mapping[str, Summary[SampleScores, SeedSampleScores]]) -> tuple[str, ...]:
    return tuple(
        f"The samples of {arm} cover {row.recall:.1%} of the data with seed {row.seed}: it has collapsed."
        for arm, of in results.items()
        for row in of.seeds
        if row.recall is not None and row.recall < _COLLAPSED
    )


def _tables(record: GenerationRecord) -> list[Table]:
    rows = [
        (arm, *(spread(getattr(of.mean, key), getattr(of.std, key)) for key in SCORES))
        for arm, of in record.results.items()
    ]
    rows.append(("training rows (the floor)", *(getattr(record.floor, key) for key in SCORES)))
    columns = (Column("method", "text"), *map(Column, SCORES.values()))
    note = (
        "Against held-out rows, as values: the distance of Gaussians fitted to both (lower is better), the share of "
        "samples among the data (precision) and of the data among samples (recall, higher is better)."
    )
    return [Table("scores", "Samples", columns, tuple(rows), note)]


def _figures(study: Study, measured: Measured) -> Drawn:
    for arm, samples in measured.kept.items():
        yield f"loss_parts_{arm}", loss_picture(arm, history_of(study.runs[arm]))
        data = study.data[arm]
        drawn = samples_beside_data(samples, np.asarray(data.rows[_spaced(data.validation_index, _SHOWN)]))
        caption = "The first that were drawn, below rows that were held out."
        yield f"samples_{arm}", Picture(drawn, "Samples", f"Samples of {arm}", caption)


GENERATION = Task(("sample",), _check, _measure, _tables, _figures)
