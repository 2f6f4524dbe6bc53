"""A model's answers written into an AnnData, where the tools of single cells look for them."""

from typing import Any

import numpy as np

from vaeclust_jax.data import check_array
from vaeclust_jax.data.annotated import matrix_of
from vaeclust_jax.errors import InputError
from vaeclust_jax.fitting.run import Run
from vaeclust_jax.graph import NUM_NEIGHBOURS

_KEY = "vaeclust"


def to_anndata(run: Run, adata: Any, array: str | None = None) -> None:
    """Labels the cells of an `AnnData` in place.

    Writes `obs["vaeclust"]` (the cluster, categorical), `obs["vaeclust_probability"]`, `obs["vaeclust_unlike"]` (the
    distance to the nearest cluster in its standard deviations) and `obsm["X_vaeclust"]` (latent means, (n, L)). Of a
    method that follows a graph also `obsp["vaeclust_connectivities"]`, the neighbour graph of these cells (more than 5
    are needed), and `uns["vaeclust"]`, where scanpy looks for it (`neighbors_key="vaeclust"`).

    Args:
        run: a model that clusters.
        adata: with the features that the model was trained on, by name and in any order.
        array: the layer or entry of `obsm` that was trained on; None is `X`.

    Raises:
        InputError: features are missing, or the model does not cluster.

    Example:
        >>> import anndata
        >>> cells = anndata.AnnData(np.repeat([[0.0] * 4, [9.0] * 4], 30, axis=0))
        >>> run = vc.fit(vc.Config(vc.VAEKMeans(2, pretrain_epochs=1), network=vc.MLP(hidden=(8,))), cells.to_df(), 0)
        >>> vc.to_anndata(run, cells)
        >>> list(cells.obs), cells.obsm["X_vaeclust"].shape
        (['vaeclust', 'vaeclust_probability', 'vaeclust_unlike'], (60, 10))
    """
    import pandas as pd

    if not isinstance(run, Run) or not hasattr(adata, "obsm"):
        got = f"{type(run).__name__} and {type(adata).__name__}"
        raise InputError(f"to_anndata takes a model and an AnnData, in this order, got {got}")
    x, _, _ = matrix_of(adata, array, run.preparation.columns, "the AnnData")
    x = check_array(x)
    probabilities, unlike = run.predict_proba(x), run.unlikeness(x)
    clusters = pd.Categorical(probabilities.argmax(axis=1).astype(str), [str(k) for k in range(probabilities.shape[1])])
    adata.obs[_KEY] = clusters
    adata.obs[f"{_KEY}_probability"] = probabilities.max(axis=1)
    adata.obs[f"{_KEY}_unlike"] = unlike
    adata.obsm[f"X_{_KEY}"] = np.asarray(run.embed(x))
    if len(x) > NUM_NEIGHBOURS:
        _write_graph(adata, run.config.method.graph(run.heads, run.params, run.preparation.rows(x)))


def _write_graph(adata: Any, graph: Any) -> None:
    """As scanpy keeps neighbours, which has places for distances that we do not know."""
    from scipy.sparse import csr_matrix

    if graph is None:
        return
    connectivities, distances = f"{_KEY}_connectivities", f"{_KEY}_distances"
    adata.obsp[connectivities] = csr_matrix(graph, dtype=np.float32)
    adata.uns[_KEY] = {
        "connectivities_key": connectivities,
        "distances_key": distances,
        "params": {"method": _KEY, "n_neighbors": NUM_NEIGHBOURS, "use_rep": f"X_{_KEY}"},
    }
