"""The estimator whose clusters follow a graph."""

from collections.abc import Sequence
from numbers import Integral, Real
from typing import Any, ClassVar, Self

import numpy as np
from jaxtyping import Int
from sklearn.base import _fit_context
from sklearn.utils._param_validation import Interval, StrOptions
from sklearn.utils.validation import check_is_fitted

from vaeclust_jax.estimators.base import DeepClusterer
from vaeclust_jax.estimators.inputs import in_own_words, number_or_name, samples
from vaeclust_jax.fitting.callback import Callback
from vaeclust_jax.graph.hints import Hints
from vaeclust_jax.graph.tree import Tree
from vaeclust_jax.methods.dec import GraphDEC
from vaeclust_jax.methods.settings import VAEMethod


class VAEGraph(DeepClusterer):
    """A VAE whose clusters follow the neighbour graph of its latents, with several Student-t prototypes a cluster.

    It needs more than 5 samples besides those held out. Seeds of `n_init` above 1 vote on the clusters, and each goes
    on with what most of them say and the mean of their graphs, before the best is kept.

    Args:
        gamma: weight of the clustering loss, which is summed over features; "auto": 100 for vectors, and as strong for
            images of any size.
        augment: of images, strength of the random views that the encoder sees while it is trained, 1 for shifts of up
            to a tenth of the size, turns of up to 10 degrees and zooms of up to a tenth; 0 for none, as vectors need.
        joint_epochs: of networks and prototypes together, all of which are run; as many again after a vote.

    Further arguments and the attributes are those of `DeepClusterer`, but no row is held out unless asked, and
    `cluster_centers_` holds the prototype of each cluster that stood for the most samples when it began. The objective
    is `vaeclust_jax.methods.dec_learner`.

    Attributes:
        tree_: how the graph's micro-clusters were merged; scipy's functions take it for a linkage matrix.

    Example:
        >>> x = np.random.default_rng(0).normal(np.repeat([[0.0] * 4, [9.0] * 4], 30, axis=0))
        >>> model = vc.estimators.VAEGraph(2, hidden=(8,), pretrain_epochs=1, joint_epochs=1, random_state=0).fit(x)
        >>> model.labels_.shape, model.transform(x).shape
        ((60,), (60, 10))
        >>> len(np.unique(model.cut(5)))
        5
    """

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        **DeepClusterer._parameter_constraints,
        "gamma": [Interval(Real, 0, None, closed="left"), StrOptions({"auto"})],
        "augment": [Interval(Real, 0, None, closed="left")],
        "joint_epochs": [Interval(Integral, 1, None, closed="left")],
    }

    def __init__(
        self,
        n_clusters: int | str = 8,
        *,
        latent_dim: int = 10,
        network: str = "auto",
        hidden: tuple[int, ...] = (512, 256),
        likelihood: str = "auto",
        beta: float | str = "auto",
        gamma: float | str = "auto",
        augment: float = 0.0,
        image_shape: tuple[int, ...] | None = None,
        pretrain_epochs: int = 50,
        joint_epochs: int = 20,
        batch_size: int = 64,
        learning_rate: float = 1e-3,
        patience: int = 10,
        validation_fraction: float = 0.0,
        n_init: int = 1,
        random_state: int | np.random.RandomState | None = None,
        verbose: bool = False,
    ):
        super().__init__(
            n_clusters,
            latent_dim=latent_dim,
            network=network,
            hidden=hidden,
            likelihood=likelihood,
            beta=beta,
            image_shape=image_shape,
            pretrain_epochs=pretrain_epochs,
            batch_size=batch_size,
            learning_rate=learning_rate,
            patience=patience,
            validation_fraction=validation_fraction,
            n_init=n_init,
            random_state=random_state,
            verbose=verbose,
        )
        self.gamma = gamma
        self.augment = augment
        self.joint_epochs = joint_epochs

    @_fit_context(prefer_skip_nested_validation=True)
    def fit(
        self,
        X: Any,
        y: Any = None,
        *,
        partial_labels: Any = None,
        must_link: Any = (),
        cannot_link: Any = (),
        sample_weight: Any = None,
        callbacks: Sequence[Callback] = (),
    ) -> Self:
        """Trains on X and clusters it; y is not read. With hints it is semi-supervised, see `vaeclust_jax.Hints`.

        Args:
            X: rows.
            y: ignored, as pipelines and searches pass it.
            partial_labels: (n,) classes from 0, -1 where none is known: class c is cluster c.
            must_link: pairs of rows, from 0, that belong to one cluster.
            cannot_link: pairs of rows that do not.
            sample_weight: as `DeepClusterer.fit` has them.
            callbacks: likewise.

        Raises:
            ValueError: X, a hint or a parameter that cannot be used, or hints that contradict each other.
            TrainingDivergedError: a loss turned non-finite.
        """
        x = samples(self, X, self.image_shape, reset=True)
        links = [() if one is None else one for one in (must_link, cannot_link)]
        asked = partial_labels is not None or any(not hasattr(one, "__len__") or len(one) for one in links)
        hints = Hints(partial_labels, *links) if asked else None
        return self._fit(x, callbacks, sample_weight, hints=hints)

    def _method(self, num_clusters: int) -> VAEMethod:
        return GraphDEC(
            num_clusters,
            gamma=number_or_name(self.gamma),
            augment=float(self.augment),
            joint_epochs=int(self.joint_epochs),
            **self._vae_settings(),
        )

    @property
    def tree_(self) -> Tree | None:
        """How the graph's micro-clusters were merged; None of a file of an older version."""
        check_is_fitted(self)
        return self._run().tree_

    @in_own_words()
    def cut(self, n_clusters: int | None = None, X: Any = None) -> Int[np.ndarray, " n"]:
        """Any number of clusters without training again, (n,) from 0: see `vaeclust_jax.Run.cut`.

        Args:
            n_clusters: how many; None: the number from 2 to 20 that lasts longest.
            X: rows; None: those of `fit`.

        Raises:
            ValueError: X or a number that cannot be used.
        """
        check_is_fitted(self)
        return self._run().cut(n_clusters, None if X is None else samples(self, X, self.image_shape))
