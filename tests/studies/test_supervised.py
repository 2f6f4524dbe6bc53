"""What is drawn of classifiers beside each other."""

from types import SimpleNamespace
from typing import cast

from vaeclust_jax.studies.supervised import _held_out_accuracies
from vaeclust_jax.studies.task import Study


def test_an_arm_of_an_earlier_stage_is_drawn_by_that_stage() -> None:
    """Its runs have the history of the whole fit."""
    stages = [("layers", None), ("classes", 0.5), ("classes", 0.25), ("together", 0.125)]
    history = [{"stage": stage} | ({} if error is None else {"val_error": error}) for stage, error in stages]
    runs = {arm: [SimpleNamespace(history=history)] * 2 for arm in ("whole", "part")}
    arms = {"whole": SimpleNamespace(stage=None), "part": SimpleNamespace(stage="classes")}
    study = SimpleNamespace(runs=runs, experiment=SimpleNamespace(arms=arms))
    found = _held_out_accuracies(cast(Study, study))
    assert {arm: of.tolist() for arm, of in found.items()} == {"whole": [[0.875]] * 2, "part": [[0.5, 0.75]] * 2}
