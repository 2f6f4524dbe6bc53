"""The task of methods that generate: samples against rows that the training never saw, beside what data reach."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

import numpy as np

from vaeclust_jax.errors import InputError
from vaeclust_jax.fitting.doubts import died
from vaeclust_jax.fitting.prepared import Prepared
from vaeclust_jax.folder.records.generation import GenerationRecord, SampleScores, SeedSampleScores
from vaeclust_jax.folder.records.task import Summary
from vaeclust_jax.folder.table import Cell, Column, Table, spread
from vaeclust_jax.keys import SAMPLES, key_of
from vaeclust_jax.metrics.generation import frechet_distance, nearest, precision_recall
from vaeclust_jax.plots import class_shares, codes_beside_prior, samples_beside_data
from vaeclust_jax.streamed import spaced
from vaeclust_jax.studies.common import common_fields, over_seeds, split_sentence
from vaeclust_jax.studies.figures import Picture, history_of, loss_picture
from vaeclust_jax.studies.judge import Judge, judge_of, no_judge
from vaeclust_jax.studies.latent_prior import code_gaps, drawn_codes
from vaeclust_jax.studies.task import Drawn, Measured, Study, Task

SCORES = SampleScores.names
_MAX_ROWS = 10_000  # of each side
_LEAST = 8  # held-out rows that a comparison can be made with
_COLLAPSED = 0.05  # recall
_LOST = 0.1  # of the share that a class has of the data
_SHOWN = 20  # of the held-out rows
_HELD_OUT = "held-out rows"


def _check(data: Prepared) -> None:
    if len(data.validation_index) < _LEAST:
        raise InputError(
            f"samples are judged by held-out rows, at least {_LEAST}, got {len(data.validation_index)}: give more "
            "rows, or hold out a larger share (validation)"
        )


def _measure(study: Study, step: Callable[[str], None]) -> Measured:
    named = study.experiment.named
    data = study.data[named]
    held_out = _rows(data, data.validation_index, _MAX_ROWS)
    step("training the judge of samples")
    judge = judge_of(study.dataset, data, study.seeds[0])
    step("scoring samples")
    drawn = {
        arm: [run.sample(key_of(seed, SAMPLES), len(held_out)) for run, seed in zip(runs, study.seeds, strict=True)]
        for arm, runs in study.runs.items()
    }
    gaps = {arm: code_gaps(runs, study.data[arm], study.seeds) for arm, runs in study.runs.items()}
    results = {
        arm: over_seeds(
            SampleScores,
            SeedSampleScores,
            [
                replace(_judged(held_out, samples, judge), code_distance=gap)
                for samples, gap in zip(of_seeds, gaps[arm], strict=True)
            ],
            study.seeds,
        )
        for arm, of_seeds in drawn.items()
    }
    of_named, floor = results[named], _judged(held_out, _rows(data, data.train_index, len(held_out)), judge)
    firsts = {arm: of_seeds[0] for arm, of_seeds in drawn.items()}
    classes = {} if judge is None else {arm: [judge.classes(one) for one in of] for arm, of in drawn.items()}
    record = GenerationRecord(
        **common_fields(study.experiment, study.dataset),
        protocol={
            "fitted_on": split_sentence(study),
            "scored_on": f"{len(held_out)} samples a seed against as many held-out rows, as values",
            **_said_of(judge),
            "spread": "standard deviation over seeds (n - 1)",
        },
        mean=of_named.mean,
        std=of_named.std,
        seeds=of_named.seeds,
        findings=(_finding(named, of_named.mean, floor),),
        warnings=(
            *_stopped(study),
            *_collapsed(results),
            *([why] if (why := no_judge(study.dataset, data)) else []),
            *([] if judge is None else _missing(classes, judge.share, study.dataset.class_names)),
        ),
        results=results,
        floor=floor,
        classes={name: tuple(share.tolist()) for name, share in _of_first_seed(classes, judge).items()},
    )
    return Measured(record, None, firsts)


def _said_of(judge: Judge | None) -> dict[str, str]:
    if judge is None:
        return {"labels_used_for": "nothing"}
    return {
        "judged_by": f"features of a classifier of our own, with {judge.accuracy:.1%} of the held-out rows right",
        "labels_used_for": "the judge of samples alone, those of the training rows; no generator reads one",
    }


def _of_first_seed(classes: Mapping[str, Sequence[np.ndarray]], judge: Judge | None) -> dict[str, np.ndarray]:
    firsts = {arm: of_seeds[0] for arm, of_seeds in classes.items()}
    return firsts if judge is None else {**firsts, _HELD_OUT: judge.share}


def _rows(data: Prepared, index: np.ndarray, most: int) -> np.ndarray:
    """Some of the rows, as the models see them."""
    return np.asarray(data.rows[index[spaced(len(index), most)]])


def _judged(real: np.ndarray, samples: np.ndarray, judge: Judge | None) -> SampleScores:
    a, b = real.reshape(len(real), -1), samples.reshape(len(samples), -1)
    precision, recall = precision_recall(a, b)
    values = {"frechet": frechet_distance(a, b), "precision": precision, "recall": recall}
    return SampleScores(**values) if judge is None else replace(judge.score(real, samples), **values)


def _finding(named: str, mean: SampleScores, floor: SampleScores) -> str:
    if mean.fid is not None and floor.fid is not None:
        return (
            f"To the judge, samples of {named} lie at an FID of {mean.fid:.3g} from held-out rows, training rows at "
            f"{floor.fid:.3g}; precision {mean.feature_precision:.2f}, recall {mean.feature_recall:.2f}, "
            f"{mean.covered:.3g} classes covered."
        )
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


def _missing(
    classes: Mapping[str, Sequence[np.ndarray]], of_data: np.ndarray, class_names: Sequence[str] | None
) -> list[str]:
    """The classes that have next to no samples, and of how many seeds."""
    sentences = []
    for arm, of_seeds in classes.items():
        lost = (np.stack(of_seeds) < _LOST * of_data).sum(axis=0)
        names = ", ".join(
            f"{number if class_names is None else class_names[number]} ({count} of {len(of_seeds)} seeds)"
            for number, count in enumerate(lost)
            if count
        )
        if names:
            sentences.append(f"The judge sees next to no samples of class {names} from {arm}: it leaves them out.")
    return sentences


def _stopped(study: Study) -> list[str]:
    """Of adversarial networks, who died."""
    sentences = []
    for arm, runs in study.runs.items():
        for run, seed in zip(runs, study.seeds, strict=True):
            if reason := died(run):
                sentences.append(f"{arm}, seed {seed}: {reason}")
    return sentences


def _tables(record: GenerationRecord) -> list[Table]:
    rows: list[tuple[Cell, ...]] = [
        (arm, *(spread(getattr(of.mean, key), getattr(of.std, key)) for key in SCORES))
        for arm, of in record.results.items()
    ]
    rows.append(("training rows (the floor)", *(getattr(record.floor, key) for key in SCORES)))
    columns = (Column("method", "text"), *map(Column, SCORES.values()))
    note = (
        "Against held-out rows: the distance of Gaussians fitted to both (lower is better), the share of samples among "
        "the data (precision) and of the data among samples (recall, higher is better); as values, and on the features "
        "of the judge, which compare with no figure of another network. A class is covered whose share of the samples "
        "is within a factor of two of that of the data. Prior to codes: from what codes of samples are drawn from to "
        "codes of held-out rows."
    )
    tables = [Table("scores", "Samples", columns, tuple(rows), note).without_empty()]
    if record.classes:
        count = len(next(iter(record.classes.values())))
        shares: tuple[tuple[Cell, ...], ...] = tuple((arm, *share) for arm, share in record.classes.items())
        columns = (Column("method", "text"), *(Column(str(number)) for number in range(count)))
        tables.append(Table("classes", "Classes of samples", columns, shares, "Shares, as the judge sees them."))
    return tables


def _figures(study: Study, measured: Measured) -> Drawn:
    record = measured.metrics
    assert isinstance(record, GenerationRecord)
    for arm, samples in measured.kept.items():
        name, runs = _as_file(arm), study.runs[arm]
        yield f"loss_parts_{name}", loss_picture(arm, history_of(runs))
        data = study.data[arm]
        drawn = samples_beside_data(samples, _rows(data, data.validation_index, _SHOWN))
        caption = "The first that were drawn, below rows that were held out."
        yield f"samples_{name}", Picture(drawn, "Samples", f"Samples of {arm}", caption)
        train = np.asarray(data.train)
        near = train[nearest(samples[:_SHOWN].reshape(len(samples[:_SHOWN]), -1), train.reshape(len(train), -1))]
        caption = "Below each sample the training row that is nearest in its values."
        pairs = samples_beside_data(near, samples[:_SHOWN], ("samples", "nearest training rows"))
        yield f"nearest_{name}", Picture(pairs, "Samples", f"Nearest training rows of {arm}", caption)
    codes = {
        arm: both for arm, runs in study.runs.items() if (both := drawn_codes(runs[0], study.data[arm], study.seeds[0]))
    }
    if codes:
        caption = "First two principal components of the codes of held-out rows, and codes that samples are made of."
        yield "codes", Picture(codes_beside_prior(codes), "Latent space", "Aggregate posterior and prior", caption)
    if record.classes:
        caption = "Dashed: the same share of every class."
        drawn = class_shares(record.classes)
        yield "classes", Picture(drawn, "Samples", "Classes of samples, as the judge sees them", caption)


def _as_file(arm: str) -> str:
    """A name without commas and spaces."""
    return "_".join(re.findall(r"[a-z0-9-]+", arm.lower()))


GENERATION = Task(("sample or decode",), _check, _measure, _tables, _figures)
