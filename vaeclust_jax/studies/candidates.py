"""Classifiers to choose from: ranked on held-out rows, of which one is then scored; and what a transformer looks at."""

from collections.abc import Sequence
from dataclasses import replace

import jax
import jax.numpy as jnp
import numpy as np

from vaeclust_jax.data import Dataset
from vaeclust_jax.fitting.run import Run
from vaeclust_jax.folder.records.classification import Candidate
from vaeclust_jax.folder.table import Column, Table, spread
from vaeclust_jax.networks import ViT
from vaeclust_jax.plots import attention_maps, scores_by_size
from vaeclust_jax.streamed import spaced
from vaeclust_jax.studies.figures import Picture
from vaeclust_jax.studies.task import Study

_SHOWN = 6  # images whose attention is drawn


def ranked(study: Study) -> tuple[Candidate, ...]:
    """The arms by the accuracy on their held-out rows, the best first; of equal ones the smallest."""
    rows = study.runs[study.experiment.named][0].validation_index
    assert study.dataset.y is not None, "supervised"
    x, y = study.dataset.x[rows], study.dataset.y[rows]
    reported = {one.arm: one.accuracy for one in study.experiment.chooses}
    candidates = []
    for arm, runs in study.runs.items():
        accuracy = [float((run.predict(x) == y).mean()) for run in runs]
        candidates.append(
            Candidate(
                arm=arm,
                parameters=sum(leaf.size for leaf in jax.tree.leaves(runs[0].params)),
                epochs=float(np.mean([len(run.history) for run in runs])),
                accuracy=float(np.mean(accuracy)),
                std=float(np.std(accuracy, ddof=1)) if len(accuracy) > 1 else None,
                reported=reported[arm],
            )
        )
    return tuple(sorted(candidates, key=lambda one: (-one.accuracy, one.parameters)))


def with_arm(study: Study, arm: str) -> Study:
    """The study of this arm alone."""
    experiment = replace(study.experiment, arms={arm: study.experiment.arms[arm]})
    return study._replace(experiment=experiment, runs={arm: study.runs[arm]})


def candidates_table(candidates: Sequence[Candidate]) -> Table:
    """All of them, the best first."""
    columns = (
        Column("arm", "text"),
        Column("parameters", "integer"),
        Column("epochs"),
        Column("held-out accuracy"),
        Column("reported on the source's test part"),
    )
    rows = tuple(
        (one.arm, one.parameters, one.epochs, spread(one.accuracy, one.std), one.reported) for one in candidates
    )
    note = "Ranked by the accuracy on held-out rows; the first alone is scored on the test part."
    return Table("candidates", "Candidates", columns, rows, note)


def sizes_picture(study: Study, candidates: Sequence[Candidate]) -> Picture:
    """Accuracy against parameters and seconds, the source's beside ours."""
    of_source = {one.arm: one for one in study.experiment.chooses}
    seconds = [study.seconds.get(f"fit {one.arm}", np.nan) for one in candidates]
    drawn = scores_by_size(
        [one.parameters for one in candidates],
        seconds,
        [one.accuracy for one in candidates],
        [of_source[one.arm].seconds for one in candidates],
        [of_source[one.arm].accuracy for one in candidates],
    )
    caption = (
        "Ours on held-out rows, the source's on its test part of MNIST. Seconds are wall seconds of each fit, on two "
        "machines; of a run that was resumed, those since then."
    )
    return Picture(drawn, "Candidates", "Accuracy against size and time", caption)


def attention_picture(run: Run, test: Dataset) -> Picture:
    """What the patches of a few images of the test part look at, block by block."""
    network = run.config.network
    assert isinstance(network, ViT)
    x = run.prepare(test.x[spaced(len(test.x), _SHOWN)])
    shares = jax.jit(network.attention(x.shape[1:]))(run.params["encoder"], jnp.asarray(x))
    drawn = attention_maps(x, np.asarray(shares), network.patch)
    caption = (
        "How much all patches look at each one, the mean over heads; 1 is an even share. Rows are images of the test "
        "part, columns blocks."
    )
    return Picture(drawn, "Attention", "What patches look at", caption)
