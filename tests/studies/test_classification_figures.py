"""Pictures of clusters as a classifier: which there are, and how latents and components lie on the plane."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from matplotlib.figure import Figure
from matplotlib.patches import Ellipse
from scipy.special import log_softmax
from scipy.stats import multivariate_normal
from sklearn.decomposition import PCA
from sklearn.metrics import adjusted_rand_score

from tests.fitting.made import K, config
from tests.studies.conftest import tiny
from vaeclust_jax.data import Dataset
from vaeclust_jax.folder.records.named_clusters import NamedClusters
from vaeclust_jax.methods.mixture import VAEMixture, mixture_of, params_of
from vaeclust_jax.objectives.mixture import Mixture
from vaeclust_jax.plots import save_figures
from vaeclust_jax.studies.classification import classification, hold_back
from vaeclust_jax.studies.classification_figures import classification_pictures
from vaeclust_jax.studies.figures import Picture
from vaeclust_jax.types import Heads

L, N = 5, 420
RNG = np.random.default_rng(0)
MEANS = 2 * RNG.normal(size=(K, L))
FACTORS, VARIANCES = RNG.normal(size=(K, L, L)), RNG.uniform(0.2, 4, size=(K, L))
COVARIANCES = {"full": FACTORS @ FACTORS.transpose(0, 2, 1), "diag": VARIANCES, "spherical": VARIANCES[:, :1]}
PLAIN = ["naming_curve", "classification_confusion", "classification_reliability"]


class Mixed:
    """A model whose latents are the rows, under three equally likely Gaussians."""

    def __init__(self, covariance: str = "full", **changes: Any) -> None:
        self.config = config(**{"method": "mixture", "joint_epochs": 0, "latent_dim": L, **changes})
        given = COVARIANCES[covariance]
        self.params = params_of(Mixture(np.full(K, -np.log(K)), MEANS, given))  # type: ignore[arg-type]
        # SciPy, too, takes a matrix, its diagonal or one number for all of it.
        self.components = [multivariate_normal(MEANS[k], np.squeeze(given[k])) for k in range(K)]
        self.validation_index = np.arange(200)
        self.heads = Heads(prior=mixture_of if isinstance(self.config.method, VAEMixture) else None)

    def embed(self, x: np.ndarray) -> np.ndarray:
        return x.astype(np.float32)

    def log_assign(self, z: np.ndarray) -> np.ndarray:
        return log_softmax(np.stack([component.logpdf(z) for component in self.components], axis=1), axis=1)

    def predict_proba(self, x: np.ndarray) -> np.ndarray:
        return np.exp(self.log_assign(x))

    def rows(self) -> Dataset:
        """Some of every component, which is their class."""
        x = [component.rvs(N // K, random_state=number) for number, component in enumerate(self.components)]
        return tiny(x=np.concatenate(x).astype(np.float32), y=np.repeat(np.arange(K), N // K))


def pictures(model: Mixed) -> tuple[dict[str, Picture], NamedClusters, Dataset]:
    """With the record they show and the rows it is of."""
    seen, test = hold_back(model.rows())
    record = classification({"ours": [model]}, "ours", seen, test, [7])  # type: ignore[list-item]
    return dict(classification_pictures(record, model, test, "ours", 7)), record, test  # type: ignore[arg-type]


def dots(figure: Figure) -> tuple[np.ndarray, np.ndarray]:
    """Where the points are, and which have the same colour."""
    (scatter,) = figure.axes[0].collections
    return np.asarray(scatter.get_offsets()), np.unique(scatter.get_facecolors(), axis=0, return_inverse=True)[1]


def ellipses_of(figure: Figure) -> list[tuple[np.ndarray, np.ndarray]]:
    """Centre and covariance that each stands for at two standard deviations."""
    found = []
    for patch in figure.axes[0].patches:
        assert isinstance(patch, Ellipse)
        angle = np.radians(patch.angle)
        turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
        spread = np.diag([(patch.width / 4) ** 2, (patch.height / 4) ** 2])
        found.append((np.asarray(patch.center), turn @ spread @ turn.T))
    return found


def test_the_pictures_are_made_and_show_the_record(tmp_path: Path) -> None:
    drawn, record, _ = pictures(Mixed())
    assert list(drawn) == [*PLAIN, "pca_by_class", "pca_by_component"]
    for path in save_figures(tmp_path, {name: picture.figure for name, picture in drawn.items()})[::2]:
        assert path.read_bytes().startswith(b"\x89PNG\r\n\x1a\n")
    curve, confusion, reliability = (drawn[name].figure.axes[0] for name in PLAIN)
    assert [text.get_text() for text in curve.get_legend().get_texts()] == ["ours, majority", "ours, hungarian"]
    for line, naming in zip(curve.containers, ("majority", "hungarian"), strict=True):
        means = [point.mean for point in record.curve if point.naming == naming]
        np.testing.assert_allclose(np.asarray(line.lines[0].get_ydata(), float), means)
    reached = record.methods["ours"].mean
    assert confusion.get_title() == f"accuracy {reached.accuracy:.3f}"
    assert reliability.get_title() == f"ECE {reached.ece:.3f}"


@pytest.mark.parametrize("changes", [{"method": "dec"}, {"latent_dim": 1}])
def test_without_a_mixture_or_a_plane_there_is_no_picture_of_it(changes: dict[str, Any]) -> None:
    assert list(pictures(Mixed(**changes))[0]) == PLAIN


@pytest.mark.parametrize("covariance", ["full", "diag", "spherical"])
def test_the_plane_is_that_of_pca_and_ellipses_are_its_components_seen_on_it(covariance: str) -> None:
    model = Mixed(covariance)
    drawn, _, test = pictures(model)
    pca = PCA(2, svd_solver="full").fit(test.x.astype(np.float64))
    expected = pca.transform(test.x)
    for picture in (drawn["pca_by_class"], drawn["pca_by_component"]):
        points, ellipses = dots(picture.figure)[0], ellipses_of(picture.figure)
        signs = np.sign((points * expected).sum(axis=0))  # an axis has no direction of its own
        np.testing.assert_allclose(points * signs, expected, atol=1e-4)
        for component, (centre, seen) in zip(model.components, ellipses, strict=True):
            many = pca.transform(component.rvs(100_000, random_state=0)) * signs
            size = np.trace(np.cov(many.T))
            np.testing.assert_allclose(centre, many.mean(axis=0), atol=0.02 * np.sqrt(size))
            np.testing.assert_allclose(seen, np.cov(many.T), atol=0.02 * size)
        assert f"hold {pca.explained_variance_ratio_.sum():.0%} of their variance" in picture.caption


def test_colours_are_classes_and_most_likely_components() -> None:
    model = Mixed()
    drawn, _, test = pictures(model)
    likely = np.argmax([component.logpdf(test.x) for component in model.components], axis=0)
    assert (likely != test.y).any()
    for name, ids, shown in (("class", test.y, ["a", "b", "c"]), ("component", likely, ["0", "1", "2"])):
        figure = drawn[f"pca_by_{name}"].figure
        assert figure.axes[0].get_title() == f"ours, seed 7: PCA of the latents, by {name}"
        assert [text.get_text() for text in figure.axes[0].get_legend().get_texts()] == shown
        assert adjusted_rand_score(ids, dots(figure)[1]) == 1
