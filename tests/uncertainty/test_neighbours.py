"""What the graph says of how sure an assignment is, against loops over all pairs."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import sparse

from tests.graph.test_graph import asked, random_graph
from vaeclust_jax.errors import InputError
from vaeclust_jax.graph.neighbours import posterior_graph
from vaeclust_jax.uncertainty import edge_disagreement, error_auroc, neighbour_entropy, outside_share


@given(st.integers(0, 2**32 - 1))
@settings(max_examples=20, deadline=None)
def test_they_equal_loops_over_all_pairs(seed: int) -> None:
    graph, rng = random_graph(seed), np.random.default_rng(seed)
    dense, labels, q = graph.toarray(), rng.integers(0, 3, 12), rng.dirichlet(np.ones(3), 12)
    for i, row in enumerate(dense):
        leaving = sum(row[j] for j in range(12) if labels[j] != labels[i])
        agreed = sum(np.sqrt(row))
        said = row @ q / row.sum() if row.any() else q[i]
        wanted = leaving / row.sum() if row.any() else 1.0
        assert outside_share(graph, labels)[i] == pytest.approx(wanted)
        assert edge_disagreement(graph)[i] == pytest.approx(1 - row.sum() / agreed if agreed else 1.0)
        assert neighbour_entropy(graph, q)[i] == pytest.approx(-(said * np.log(said)).sum())


def test_a_sample_between_two_clusters_is_unsure_and_one_inside_is_not() -> None:
    rng = np.random.default_rng(0)
    y = np.repeat([0, 1], 60)
    z = rng.normal(size=(120, 2))
    z[:, 0] += 4 * y
    labels = (z[:, 0] > 2).astype(int)
    graph = posterior_graph(asked(z, np.full_like(z, -2.0)))
    assert (labels != y).any()
    share = outside_share(graph, labels)
    assert error_auroc(labels == y, share) > 0.8
    assert share[labels == y].min() == pytest.approx(0, abs=1e-12)


def test_draws_that_agree_and_draws_that_do_not() -> None:
    z = np.random.default_rng(0).normal(size=(60, 2))
    sure, unsure = (edge_disagreement(posterior_graph(asked(z, np.full_like(z, v)))) for v in (-100.0, 1.0))
    assert sure.mean() < unsure.mean() - 0.2


def test_a_graph_of_other_samples_is_refused() -> None:
    graph = sparse.csr_array((4, 4))
    with pytest.raises(InputError, match="a graph of 4 samples needs a row for each, got 3"):
        outside_share(graph, np.zeros(3, int))
    with pytest.raises(InputError, match="a graph of 4 samples needs a row for each, got 5"):
        neighbour_entropy(graph, np.ones((5, 1)))


def test_what_is_no_graph_is_refused() -> None:
    q, graph = np.ones((4, 1)), sparse.csr_array((4, 4))
    for wrong in (graph.toarray(), graph.tocsc(), q):
        for ask in (lambda one: neighbour_entropy(one, q), lambda one: outside_share(one, q[:, 0]), edge_disagreement):
            with pytest.raises(InputError, match="graph must be a sparse matrix of the form csr"):
                ask(wrong)
