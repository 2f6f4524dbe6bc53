"""T6: the checks that hold both sides to the same uncertainty, and PyTorch's summary by hand."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy import stats

from benchmarks import samples
from benchmarks.case import Effort, Row
from benchmarks.cases import passes
from benchmarks.cases.passes import check_posterior, check_uncertainty
from vaeclust_jax.objectives.dec import log_soft_assignment
from vaeclust_jax.types import Heads
from vaeclust_jax.uncertainty.latent import Uncertainty, stochastic_passes

N, L, K, M = 400, 3, 4, 100
STUDENT = Heads(assign=lambda params, z: log_soft_assignment(z, params["centroids"]))
CENTROIDS = {"centroids": jnp.asarray(np.random.default_rng(0).normal(0, 2, (K, L)))}


@pytest.fixture(autouse=True)
def _noise(monkeypatch: pytest.MonkeyPatch) -> None:
    """Seeded noise in place of COIL-20, whose files need not be here."""
    monkeypatch.setattr(samples, "images", lambda n: np.random.default_rng(0).random((n, 32, 32, 1), np.float32))


def posteriors(n: int = N) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(1)
    return rng.normal(size=(n, L)), rng.normal(-2, 0.5, (n, L))


def found(seed: int, spread: float = 1.0, order: slice = slice(None)) -> Uncertainty:
    mean, logvar = (part[order] for part in posteriors())
    return stochastic_passes(jax.random.key(seed), STUDENT, CENTROIDS, mean, logvar + 2 * np.log(spread), M)


def test_other_draws_of_the_same_posteriors_agree() -> None:
    for seed in range(1, 6):
        check_uncertainty(found(0), found(seed), M)


@pytest.mark.parametrize(
    ("other", "named"),
    [
        (found(1, spread=1.2), "agree on average"),
        (found(1, order=slice(None, None, -1)), "probabilities must agree row by row"),
        (found(1)._replace(entropy=found(1).entropy / np.log(2)), "^entropy must"),
        (found(1)._replace(expected_entropy=found(1).entropy), "^expected_entropy must"),
        (found(1)._replace(latent_variance=found(1).latent_variance * 0.9), "^latent_variance must"),
        (found(1)._replace(probabilities=found(1).probabilities[:, ::-1]), "^probabilities must"),
    ],
)
def test_another_uncertainty_is_found_out(other: Uncertainty, named: str) -> None:
    with pytest.raises(AssertionError, match=named):
        check_uncertainty(found(0), other, M)


def test_another_posterior_is_found_out() -> None:
    mean, logvar = posteriors()
    check_posterior((mean, logvar), (mean + 9e-5 * np.abs(mean).max(), logvar))
    for part in range(2):
        other = [mean, logvar]
        other[part] = other[part] + 1.1e-4 * np.abs(other[part]).max()
        with pytest.raises(AssertionError, match=("mean", "logvar")[part]):
            check_posterior((mean, logvar), (other[0], other[1]))


def test_pytorch_summarises_by_the_same_formulas() -> None:
    torch = pytest.importorskip("torch")
    from benchmarks.peers.torch_passes import _summary

    rng = np.random.default_rng(2)
    q, codes = rng.dirichlet(np.ones(K), (M, N)), rng.normal(size=(M, N, L))
    average, total, expected, information, variance = (
        part.numpy() for part in _summary(*map(torch.tensor, (q, codes)))
    )
    np.testing.assert_allclose(average, q.mean(axis=0))
    np.testing.assert_allclose(total, stats.entropy(q.mean(axis=0), axis=1))
    np.testing.assert_allclose(expected, stats.entropy(q, axis=2).mean(axis=0))
    np.testing.assert_allclose(information, total - expected)
    np.testing.assert_allclose(variance, codes.var(axis=0, ddof=1).sum(axis=1))


def test_every_way_of_pytorch_is_timed_beside_ours() -> None:
    pytest.importorskip("torch")
    every, once = _rows()
    assert (every.target, once.target) == (30.0, 1.0)
    assert every.peer is not None
    assert once.peer is not None
    assert "times 2" in every.note  # 2 of 4 passes were timed
    for row in (every, once):
        assert len(row.details["slower_peers_seconds"]) == 1  # of two memory formats


@pytest.mark.long
def test_without_pytorch_ours_stands_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(passes, "missing", lambda *names: "PyTorch is not installed")
    for row in _rows():
        assert row.peer is None
        assert row.ours.median > 0
        assert "PyTorch is not installed" in row.note


def _rows() -> list[Row]:
    (case,) = passes.CASES
    rows = list(case.run(Effort("smoke", 1)))
    assert [row.case for row in rows] == ["T6", "T6"]
    return rows
