"""Whatever is handed in, the arguments are checked with a sentence: ValueError or TypeError, and nothing else."""

from typing import Any

import numpy as np
import pytest
import scipy.sparse
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from tests.estimators.conftest import JOINT, SMALL
from vaeclust_jax.estimators import VAEDEC
from vaeclust_jax.fitting import fit as fitting


class TrainingReachedError(Exception):
    """All arguments were accepted."""


DTYPES = st.one_of(
    hnp.floating_dtypes(),
    hnp.integer_dtypes(),
    hnp.unsigned_integer_dtypes(),
    hnp.boolean_dtypes(),
    hnp.complex_number_dtypes(),
    hnp.datetime64_dtypes(),
    hnp.unicode_string_dtypes(max_len=3),
    hnp.byte_string_dtypes(max_len=3),
    st.just(np.dtype(object)),
)
SHAPES = st.one_of(
    hnp.array_shapes(min_dims=0, max_dims=5, min_side=0, max_side=9),
    st.tuples(st.integers(0, 12), st.just(5)),
    st.tuples(st.integers(0, 4), st.just(8), st.just(8), st.integers(0, 5)),
)


def arrays() -> st.SearchStrategy[Any]:
    def of(dtype: np.dtype[Any], shape: tuple[int, ...]) -> st.SearchStrategy[Any]:
        if dtype.kind == "O":
            return hnp.arrays(
                dtype, shape, elements=st.one_of(st.none(), st.floats(), st.text(max_size=2), st.just({}))
            )
        return hnp.arrays(dtype, shape)

    return st.tuples(DTYPES, SHAPES).flatmap(lambda both: of(*both))


ANYTHING = st.one_of(
    arrays(),
    arrays(),
    arrays().map(lambda array: array.tolist()),
    arrays().map(np.asfortranarray),
    arrays().filter(lambda array: array.dtype != object).map(lambda array: np.ma.masked_array(array, mask=True)),
    st.tuples(st.integers(1, 5), st.integers(1, 9)).map(lambda shape: scipy.sparse.random_array(shape, density=0.5)),
    st.none() | st.integers() | st.floats() | st.text(max_size=3) | st.binary(max_size=3) | st.just(object()),
    st.recursive(st.none() | st.floats() | st.text(max_size=2), st.lists, max_leaves=8),
    st.dictionaries(st.text(max_size=2), st.integers()),
    st.sets(st.integers()),
)
PARAMETERS = st.fixed_dictionaries(
    {},
    optional={
        name: st.one_of(st.none(), st.integers(-3, 10**20), st.floats(), st.text(max_size=2), st.lists(st.integers()))
        for name in VAEDEC().get_params()
    },
)


@pytest.fixture(scope="module")
def fitted() -> VAEDEC:
    from tests.fitting.made import blobs

    return VAEDEC(**SMALL | JOINT).fit(blobs()[0])


def check(call: Any, X: Any) -> None:
    said = "a whole sentence"
    try:
        call(X)
    except TrainingReachedError:
        pass
    except (ValueError, TypeError) as error:
        said = str(error)
    assert len(said.split()) > 2, f"no sentence: {said!r}"


def many(count: int) -> settings:
    return settings(max_examples=count, deadline=None, database=None, suppress_health_check=list(HealthCheck))


# Three tests: 200,000 inputs in the slow form.
COUNTS = [pytest.param(500, id="500"), pytest.param(67_000, id="67000", marks=pytest.mark.slow)]


@pytest.mark.long
@pytest.mark.parametrize("count", COUNTS)
@pytest.mark.parametrize("method", ["predict", "transform"])
def test_predict_and_transform(fitted: VAEDEC, method: str, count: int) -> None:
    many(count)(given(X=ANYTHING)(lambda X: check(getattr(fitted, method), X)))()


@pytest.mark.long
@pytest.mark.parametrize("count", COUNTS)
def test_fit(count: int, monkeypatch: pytest.MonkeyPatch) -> None:
    def train(*args: Any, **kwargs: Any) -> None:
        raise TrainingReachedError

    monkeypatch.setattr(fitting, "train", train)

    def fit(X: Any, parameters: dict[str, Any]) -> None:
        check(VAEDEC(**SMALL | JOINT).set_params(**parameters).fit, X)

    many(count)(given(X=ANYTHING, parameters=st.just({}) | PARAMETERS)(fit))()
