"""AnnData in and out: genes by name, labels from obs, answers where the tools of single cells look for them."""

import warnings
from pathlib import Path
from typing import Any

import jax
import numpy as np
import pytest
import scipy.sparse
from sklearn.base import BaseEstimator

import vaeclust_jax as vc
from tests.fitting.made import blobs, config
from vaeclust_jax.cli.predict import predict
from vaeclust_jax.data import Dataset, ReadConfig, load
from vaeclust_jax.estimators.inputs import samples

anndata = pytest.importorskip("anndata")
X, Y = blobs()
GENES = [f"gene{j}" for j in range(5)]


@pytest.fixture(scope="module")
def cells() -> Any:
    import pandas as pd

    obs = pd.DataFrame({"kind": [f"k{label}" for label in Y]}, index=[f"cell{i}" for i in range(len(X))])
    found = anndata.AnnData(scipy.sparse.csr_matrix(X), obs, pd.DataFrame(index=GENES))
    found.layers["double"] = 2 * X
    found.obsm["X_pca"] = X[:, :2]
    return found


def read(path: Path, like: Any = None, **settings: Any) -> Dataset:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", vc.InputWarning)
        return load(path, ReadConfig(**settings), like)


def test_what_a_file_holds_can_be_named(cells: Any, tmp_path: Path) -> None:
    path = tmp_path / "c.h5ad"
    cells.write_h5ad(path)
    found = read(path, label_column="kind")
    np.testing.assert_array_equal(found.x, X)
    assert found.columns is not None
    assert found.columns.names == tuple(GENES)
    assert found.class_names == ("k0", "k1", "k2")
    assert found.row_names is not None
    assert found.row_names[0] == "cell0"
    assert read(path).y is None
    np.testing.assert_array_equal(read(path, array="double").x, 2 * X)
    np.testing.assert_array_equal(read(path, array="X_pca").x, X[:, :2])
    for settings in ({"array": "no"}, {"label_column": "no"}):
        with pytest.raises(vc.InputError, match="'no'"):
            read(path, **settings)
    path.write_bytes(b"nothing")
    with pytest.raises(vc.InputError, match="cannot be read as AnnData"):
        load(path)


@pytest.mark.long
def test_genes_are_taken_by_name_and_answers_written_back(cells: Any, tmp_path: Path) -> None:
    cells.write_h5ad(tmp_path / "c.h5ad")
    run = vc.fit(config(), read(tmp_path / "c.h5ad"), jax.random.key(0))
    other = cells[:, GENES[::-1]].copy()
    other.write_h5ad(tmp_path / "o.h5ad")
    np.testing.assert_array_equal(read(tmp_path / "o.h5ad", run.preparation).x, X)
    vc.to_anndata(run, other)
    assert other.obs["vaeclust"].astype(int).tolist() == run.predict(X).tolist()
    np.testing.assert_array_equal(other.obsm["X_vaeclust"], run.embed(X))
    assert set(other.obs) >= {"vaeclust_probability", "vaeclust_unlike"}
    assert not other.obsp, "k-means follows no graph"
    run.save(tmp_path / "m.vaeclust")
    arguments = [str(tmp_path / name) for name in ("m.vaeclust", "o.h5ad")]
    predict([*arguments, "--out", str(tmp_path / "l.csv"), "--write-h5ad", str(tmp_path / "w.h5ad")])
    written = anndata.read_h5ad(tmp_path / "w.h5ad")
    assert written.obs["vaeclust"].tolist() == other.obs["vaeclust"].tolist()
    with pytest.raises(vc.InputError, match="lacks 'gene0' of the 5 features"):
        vc.to_anndata(run, cells[:, GENES[1:]].copy())
    for mistaken in ((cells, run), (run, cells.X)):
        with pytest.raises(vc.InputError, match="to_anndata takes a model and an AnnData, in this order, got"):
            vc.to_anndata(*mistaken)  # type: ignore[arg-type]


def test_in_memory_its_matrix_is_asked_for(cells: Any) -> None:
    for fit in (lambda: vc.fit(config(), cells, 0), lambda: samples(BaseEstimator(), cells, None, reset=True)):
        with pytest.raises(vc.InputError, match=r"must be samples, got an AnnData: pass its matrix, such as \.X"):
            fit()


def test_a_folder_of_zarr_is_read_like_the_file(cells: Any, tmp_path: Path) -> None:
    pytest.importorskip("zarr")
    cells.write_zarr(tmp_path / "c.zarr")
    cells.write_h5ad(tmp_path / "c.h5ad")
    found, of_file = (read(tmp_path / f"c.{ending}", label_column="kind") for ending in ("zarr", "h5ad"))
    np.testing.assert_array_equal(found.x, of_file.x)
    np.testing.assert_array_equal(found.y, of_file.y)
    assert (found.columns, found.row_names, found.taken) == (of_file.columns, of_file.row_names, of_file.taken)


@pytest.mark.long
def test_the_graph_that_clusters_follow_is_written_back(cells: Any, tmp_path: Path) -> None:
    run = vc.fit(config(method="graph", joint_epochs=1), cells.to_df(), jax.random.key(0))
    run.save(tmp_path / "m.vaeclust")
    cells.write_zarr(tmp_path / "c.zarr")
    model, store, labels, answers = (str(tmp_path / name) for name in ("m.vaeclust", "c.zarr", "l.csv", "w.h5ad"))
    predict([model, store, "--out", labels, "--write-h5ad", answers])
    written = anndata.read_h5ad(answers)
    graph = written.obsp[written.uns["vaeclust"]["connectivities_key"]]
    assert graph.shape == (len(X), len(X))
    assert abs(graph - graph.T).max() == 0
    own = graph.tocoo()
    inside = own.data[Y[own.row] == Y[own.col]].sum() / own.data.sum()
    assert inside > 0.9, "the blobs stand apart"
    few = cells[:5].copy()
    vc.to_anndata(run, few)
    assert not few.obsp, "five cells have no five neighbours"
