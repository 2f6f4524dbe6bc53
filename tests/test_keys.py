"""What is drawn after a fit shares no key with it, nor one use with another."""

import ast

import jax
import numpy as np

from tests.test_architecture import FILES, PACKAGE
from vaeclust_jax import keys
from vaeclust_jax.keys import OBJECTIVE_GRAPH, SCORE, key_of

USES = {
    "VIEW_ROWS": 2**32 - 7,
    "VIEW_GRAPHS": 2**32 - 6,
    "GRAPH": 2**32 - 5,
    "SEARCH": 2**32 - 4,
    "SAMPLES": 2**32 - 3,
    "OUTLIERS": 2**32 - 2,
    "PASSES": 2**32 - 1,
}


def test_every_use_keeps_its_number() -> None:
    """Another number, other results."""
    found = {name: value for name, value in vars(keys).items() if name.isupper()}
    assert found == USES | {"SCORE": 0, "OBJECTIVE_GRAPH": 1}


def test_every_use_of_a_seed_has_a_key_of_its_own() -> None:
    uses = [key_of(7, use) for use in USES.values()]
    stages = [jax.random.fold_in(jax.random.key(7), stage) for stage in range(10)]
    whole = [jax.random.key(number) for number in (7, SCORE, OBJECTIVE_GRAPH)]
    found = [np.asarray(jax.random.key_data(key)).tolist() for key in (*uses, *stages, *whole)]
    assert len({tuple(key) for key in found}) == len(found)


def test_no_other_file_has_numbers_of_uses() -> None:
    counted_down = {path for path in FILES if "2 ** 32 -" in ast.unparse(ast.parse(path.read_text(encoding="utf-8")))}
    assert counted_down == {PACKAGE / "keys.py"}
