"""`partial_fit`: parts of a stream, and a reservoir that forgets none of them."""

import numpy as np
import pytest

import vaeclust_jax as vc
from tests.estimators.conftest import MAKE
from tests.fitting.made import blobs
from vaeclust_jax.estimators import stream
from vaeclust_jax.estimators.stream import Stream, _joined
from vaeclust_jax.metrics import scores


@pytest.fixture(autouse=True)
def _small(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stream, "RESERVOIR", 64)


def test_every_row_is_kept_with_the_same_probability() -> None:
    counts = np.zeros(200)
    for seed in range(300):
        now = Stream(np.random.default_rng(seed), np.zeros((0, 1)), 0, None)
        for part in np.split(np.arange(200.0)[:, None], [30, 100, 101]):
            now = _joined(now, part)
        assert (len(now.reservoir), now.seen) == (64, 200)
        counts[now.reservoir[:, 0].astype(int)] += 1
    assert counts.sum() == 300 * 64
    assert np.abs(counts / 300 - 0.32).max() < 5 * np.sqrt(0.32 * 0.68 / 300)


@pytest.mark.long
@pytest.mark.parametrize("name", ["VAEDEC", "VaDE"])
def test_clusters_are_kept_that_later_parts_lack(name: str) -> None:
    x, y = blobs(360)
    estimator = MAKE[name](pretrain_epochs=150, joint_epochs=10, beta=0.1)
    estimator.partial_fit(x[:120])
    first = scores(y, estimator.predict(x), x)["acc"]
    assert first == pytest.approx(1.0)
    for cluster in (0, 1, 0, 1):
        part = x[120:][y[120:] == cluster]
        assert estimator.partial_fit(part) is estimator
        assert estimator.labels_.shape == (len(part),)
    assert scores(y, estimator.predict(x), x)["acc"] > 0.95
    assert [row["stage"] for row in estimator.history_].count("stream") == 4
    assert estimator.n_iter_ == len(estimator.history_)


@pytest.mark.long
def test_parts_after_a_fit_begin_anew_and_say_so() -> None:
    x, _ = blobs()
    estimator = MAKE["VAEDEC"](pretrain_epochs=1, joint_epochs=1).fit(x)
    with pytest.warns(vc.InputWarning, match="partial_fit begins anew and forgets what fit or load gave") as told:
        estimator.partial_fit(x[:60])
    assert told[0].filename == __file__
    assert len(estimator.labels_) == 60


@pytest.mark.long
def test_the_same_calls_give_the_same_bits_and_fit_begins_anew() -> None:
    x, _ = blobs()
    one, other = MAKE["VAEDEC"](), MAKE["VAEDEC"]()
    for part in (x[:60], x[60:], x[60:]):
        one.partial_fit(part)
        other.partial_fit(part)
    np.testing.assert_array_equal(one.predict_proba(x), other.predict_proba(x))
    np.testing.assert_array_equal(one.fit(x).predict_proba(x), MAKE["VAEDEC"]().fit(x).predict_proba(x))
    assert not hasattr(one, "_stream")
