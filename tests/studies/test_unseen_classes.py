"""Where unseen classes land: counted by hand on models whose clusters are known."""

from typing import Any

import numpy as np

from tests.studies.made_assignments import made_answer, made_dataset, soft
from vaeclust_jax.folder.records.uncertainty import LandingOfSeed, LandingRecord
from vaeclust_jax.folder.table import Spread
from vaeclust_jax.studies.unseen_classes import landing, landing_table


class Assigning:
    """A model that puts samples into the clusters that their first feature names."""

    def predict(self, x: np.ndarray) -> np.ndarray:
        return x[:, 0].astype(int)


def records(labels: list[int], strange: list[int], classes: list[int], **changes: Any) -> tuple[LandingRecord, ...]:
    known = made_dataset(np.zeros((6, 1)), np.array([0, 0, 0, 1, 1, 1]))
    others = made_dataset(np.array(strange, float)[:, None], np.array(classes), **changes)
    return landing([Assigning()], [made_answer(soft(labels, 0.9, 3))], known, others)  # type: ignore[list-item]


def test_each_class_is_counted_in_the_cluster_that_holds_most_of_it() -> None:
    first, second = records([0, 0, 1, 1, 1, 1], [0, 0, 0, 1, 1, 1], [7, 7, 7, 7, 9, 9])
    assert (first.class_, first.samples) == ("7", 4)
    assert first.seeds == (LandingOfSeed(share=0.75, known="0", known_share=1.0),)
    assert second.seeds == (LandingOfSeed(share=1.0, known="1", known_share=0.75),)


def test_a_cluster_in_which_nothing_known_lies_is_nobodys() -> None:
    (only,) = records([0, 0, 1, 1, 1, 1], [2, 2], [0, 0], class_names=("stranger",))
    assert only.class_ == "stranger"
    assert only.seeds == (LandingOfSeed(share=1.0, known=None, known_share=None),)
    assert landing_table("others", [only]).rows == (("stranger", 2, Spread(1.0, None), "nobody", None),)


def test_the_table_is_over_seeds_and_says_for_how_many() -> None:
    seeds = (
        LandingOfSeed(share=0.5, known="a", known_share=0.8),
        LandingOfSeed(share=0.7, known=None, known_share=None),
        LandingOfSeed(share=0.6, known="a", known_share=1.0),
    )
    table = landing_table("others", [LandingRecord(class_="x", samples=10, seeds=seeds)])
    assert table.title == "Where do samples of others land?"
    ((name, samples, share, known, known_share),) = table.rows
    assert (name, samples, known) == ("x", 10, "a (2), nobody (1)")
    np.testing.assert_allclose(share, (0.6, 0.1))
    np.testing.assert_allclose(known_share, (0.9, 0.02**0.5))
