"""The task of methods that classify: errors on rows that nothing has seen, and how honest their probabilities are."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
from jaxtyping import Float

from vaeclust_jax.data import Dataset
from vaeclust_jax.fitting.run import Run
from vaeclust_jax.folder.records.classification import Candidate, ClassificationRecord, ClassScores, SeedClassScores
from vaeclust_jax.folder.table import Column, Table, spread
from vaeclust_jax.networks import ViT
from vaeclust_jax.plots import accuracy_bands, class_confusion, loss_phases, reliability_diagram
from vaeclust_jax.studies.candidates import attention_picture, candidates_table, ranked, sizes_picture, with_arm
from vaeclust_jax.studies.common import common_fields, over_seeds, split_sentence
from vaeclust_jax.studies.figures import Picture, history_of, loss_picture
from vaeclust_jax.studies.task import Drawn, Measured, Study, Task
from vaeclust_jax.uncertainty.calibration import expected_calibration_error, reliability
from vaeclust_jax.uncertainty.temperature import fit_temperature

SCORES = ClassScores.names
_MOST_LINES = 8
_TINY = np.finfo(np.float32).tiny


def _measure(study: Study, step: Callable[[str], None]) -> Measured:
    candidates: tuple[Candidate, ...] = ()
    if study.experiment.chooses:
        step("ranking on held-out rows")
        candidates = ranked(study)
        study = with_arm(study, candidates[0].arm)
    step("scoring the test part")
    assert study.test is not None, "kept back"
    assert study.test.y is not None, "which has labels"
    x, y = study.test.x, study.test.y
    models = {arm: [at_held_out(run, study.dataset) for run in runs] for arm, runs in study.runs.items()}
    answers = {arm: [run.predict_proba(x) for run in runs] for arm, runs in models.items()}
    results = {
        arm: over_seeds(ClassScores, SeedClassScores, [_judged(run, x, y) for run in runs], study.seeds)
        for arm, runs in models.items()
    }
    named, held_out = study.experiment.named, len(study.runs[study.experiment.named][0].validation_index)
    of_named = results[named]
    assert of_named.mean.accuracy is not None, "of at least one row"
    record = ClassificationRecord(
        **common_fields(study.experiment, study.dataset),
        protocol={
            "fitted_on": split_sentence(study),
            "stopped_on": f"the other {held_out} rows (their loss)" if held_out else "nothing",
            "temperature_from": f"labels of those {held_out} rows" if held_out else "nothing",
            **({"chosen_on": f"accuracy on those {held_out} rows"} if candidates else {}),
            "scored_on": f"{len(y)} rows beside those above, once",
            "labels_used_for": "training, stopping and scoring, each on rows of its own",
            "spread": "standard deviation over seeds (n - 1)",
        },
        mean=of_named.mean,
        std=of_named.std,
        seeds=of_named.seeds,
        findings=(f"{named} errs on {1 - of_named.mean.accuracy:.2%} of {len(y)} rows it never saw.",),
        warnings=(),
        results=results,
        candidates=candidates,
    )
    return Measured(record, _columns(study, answers[named]), answers, models[named])


def at_held_out(run: Run, dataset: Dataset) -> Run:
    """The classifier at the temperature under which the labels of its held-out rows are likeliest (Guo et al. 2017).

    As it is where nothing is held out, or where every one of those rows is right: then no temperature is best.
    """
    rows = run.validation_index
    if not len(rows) or dataset.y is None:
        return run
    found = fit_temperature(np.log(np.maximum(run.predict_proba(dataset.x[rows]), _TINY)), dataset.y[rows])
    return run if found is None else replace(run, temperature=found)


def _judged(run: Run, x: np.ndarray, y: np.ndarray) -> ClassScores:
    raw = replace(run, temperature=1.0).predict_proba(x)
    correct = raw.argmax(axis=1) == y
    scores = ClassScores(
        accuracy=float(correct.mean()), nll=_nll(raw, y), ece=expected_calibration_error(raw.max(axis=1), correct)
    )
    if run.temperature == 1:
        return scores
    q = run.predict_proba(x)
    error = expected_calibration_error(q.max(axis=1), correct)
    return replace(scores, temperature=run.temperature, scaled_nll=_nll(q, y), scaled_ece=error)


def _nll(q: np.ndarray, y: np.ndarray) -> float:
    own = np.take_along_axis(q, y[:, np.newaxis], axis=1)[:, 0]
    return float(-np.log(np.maximum(own, _TINY)).mean())


def _columns(study: Study, answers: list[np.ndarray]) -> dict[str, np.ndarray]:
    """What is said of each row of the test part."""
    assert study.test is not None
    assert study.test.y is not None
    n, seeds = len(study.test.x), study.seeds
    return {
        "seed": np.repeat(seeds, n),
        "row": np.tile(np.arange(n), len(seeds)),
        "part": np.full(n * len(seeds), "test", object),
        "predicted": np.concatenate([q.argmax(axis=1) for q in answers]),
        "probability": np.concatenate([q.max(axis=1) for q in answers]),
        "class": np.tile(study.test.y, len(seeds)),
    }


def _tables(record: ClassificationRecord) -> list[Table]:
    rows = tuple(
        (arm, *(spread(getattr(of.mean, key), getattr(of.std, key)) for key in SCORES), len(of.seeds))
        for arm, of in record.results.items()
    )
    columns = (Column("method", "text"), *map(Column, SCORES.values()), Column("seeds", "integer"))
    note = (
        "On the test part, which neither training nor stopping saw. ECE: 15 bins. The temperature is that under which "
        "labels of held-out rows are likeliest."
    )
    tables = [Table("scores", "Classification", columns, rows, note)]
    return [*tables, candidates_table(record.candidates)] if record.candidates else tables


def _figures(study: Study, measured: Measured) -> Drawn:
    """Of the first seed of the named arm; the losses of all seeds."""
    assert study.test is not None
    assert study.test.y is not None
    y, named = study.test.y, measured.metrics.method
    q, runs = measured.kept[named][0], study.runs[named]
    counts = np.zeros((q.shape[1], q.shape[1] + 1), int)  # the last column is of answers without a class
    np.add.at(counts, (y, q.argmax(axis=1)), 1)
    bins = reliability(q.max(axis=1), q.argmax(axis=1) == y)
    drawn = reliability_diagram(bins.confidence, bins.accuracy, bins.count, bins.low, bins.high, ece=bins.ece)
    caption = "Accuracy against the probability of the class; on the diagonal a model means what it says."
    history = history_of(runs)
    yield "loss_parts", loss_picture(named, history)
    if len({row["stage"] for row in history}) > 1:
        of_phases = (
            "Thin lines are seeds, the thick one their mean; held-out rows dashed. Each stage has its own scale."
        )
        yield "phases", Picture(loss_phases(history), "Training", f"Stages of {named}, one by one", of_phases)
    if 1 < len(study.runs) <= _MOST_LINES and (accuracies := _held_out_accuracies(study)):
        of_arms = "The mean over seeds, with a band of one standard deviation."
        yield "arms", Picture(accuracy_bands(accuracies), "Training", "Accuracy on held-out rows over epochs", of_arms)
    confusion = class_confusion(counts, study.test.class_names)
    yield "confusion", Picture(confusion, "Classification", "Confusion on the test part", "Classes by answers.")
    yield "reliability", Picture(drawn, "Uncertainty", "Reliability on the test part", caption)
    if isinstance(runs[0].config.network, ViT):
        yield "attention", attention_picture(runs[0], study.test)
    if isinstance(measured.metrics, ClassificationRecord) and measured.metrics.candidates:
        yield "sizes", sizes_picture(study, measured.metrics.candidates)


def _held_out_accuracies(study: Study) -> dict[str, Float[np.ndarray, "s e"]]:
    """Of every arm, in the epochs that all its seeds have in its own stage; none where no rows are held out."""
    found = {}
    for arm, runs in study.runs.items():
        stage = study.experiment.arms[arm].stage  # of a fit whose history goes on beyond it
        last = [[row for row in run.history if row["stage"] == (stage or run.history[-1]["stage"])] for run in runs]
        if not all("val_error" in row for rows in last for row in rows):
            return {}
        shortest = min(map(len, last))
        found[arm] = 1 - np.array([[row["val_error"] for row in rows[:shortest]] for rows in last])
    return found


CLASSIFICATION = Task(("predict",), lambda data: None, _measure, _tables, _figures)
