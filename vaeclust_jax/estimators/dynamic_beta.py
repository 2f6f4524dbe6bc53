"""The estimator whose beta a controller moves, and which may be told some classes."""

from collections.abc import Sequence
from typing import Any, ClassVar, Self

import numpy as np
from sklearn.base import _fit_context

from vaeclust_jax.estimators.base import DeepClusterer
from vaeclust_jax.estimators.clusterers import VAEKMeans
from vaeclust_jax.estimators.inputs import samples
from vaeclust_jax.fitting.callback import Callback


class DynamicBetaVAE(VAEKMeans):
    """A VAE whose beta a controller moves while it trains, then k-means on its latents.

    Args:
        beta: the controller, with arguments by name as in "dynamic:a=0.05,interval=11" (see `vaeclust_jax.control`),
            or a number.

    Further arguments and the attributes are those of `VAEKMeans`. Under a beta that changes no loss compares with
    the one before, so that all epochs are run and `patience` waits for nothing.

    Example:
        >>> x = np.repeat([[0.0] * 4, [9.0] * 4], 30, axis=0)
        >>> model = vc.estimators.DynamicBetaVAE(2, hidden=(8,), pretrain_epochs=1, random_state=0).fit(x)
        >>> model.labels_.shape, model.transform(x).shape
        ((60,), (60, 2))
    """

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        **DeepClusterer._parameter_constraints,
        "beta": [str, *DeepClusterer._parameter_constraints["beta"]],
    }

    def __init__(
        self,
        n_clusters: int | str = 8,
        *,
        latent_dim: int = 2,
        network: str = "auto",
        hidden: tuple[int, ...] = (512, 256),
        likelihood: str = "auto",
        beta: float | str = "dynamic",
        image_shape: tuple[int, ...] | None = None,
        pretrain_epochs: int = 100,
        batch_size: int = 64,
        learning_rate: float = 1e-3,
        patience: int = 10,
        validation_fraction: float = 0.2,
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

    @_fit_context(prefer_skip_nested_validation=True)
    def fit(
        self,
        X: Any,
        y: Any = None,
        partial_labels: Any = None,
        *,
        sample_weight: Any = None,
        callbacks: Sequence[Callback] = (),
    ) -> Self:
        """Trains on X and clusters it; y is not read.

        Args:
            X: rows.
            y: ignored, as pipelines and searches pass it.
            partial_labels: (n,) classes from 0, -1 where none is known: training is then semi-supervised and keeps
                the known rows of a class together.
            sample_weight: as `DeepClusterer.fit` has them; not beside `partial_labels`.
            callbacks: as `DeepClusterer.fit` has them.

        Raises:
            ValueError: X, a label or a parameter that cannot be used.
            TrainingDivergedError: a loss turned non-finite.
        """
        return self._fit(samples(self, X, self.image_shape, reset=True), callbacks, sample_weight, partial_labels)
