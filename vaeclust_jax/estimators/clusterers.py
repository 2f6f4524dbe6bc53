"""Estimators: each a `DeepClusterer` with an objective of its own."""

from collections.abc import Sequence
from numbers import Integral, Real
from typing import Any, ClassVar, Self

import numpy as np
from sklearn.utils._param_validation import Interval, StrOptions

from vaeclust_jax.estimators.base import DeepClusterer
from vaeclust_jax.estimators.inputs import number_or_name
from vaeclust_jax.estimators.stream import StreamingClusterer
from vaeclust_jax.fitting.callback import Callback
from vaeclust_jax.graph.hints import Hints
from vaeclust_jax.methods import dec, kmeans, mixture, vade
from vaeclust_jax.methods.joint import Settled
from vaeclust_jax.methods.settings import VAEMethod


class VAEKMeans(DeepClusterer):
    """A VAE, then k-means on its latents. Arguments and attributes are those of `DeepClusterer`, and:

    Attributes:
        inertia_: sum of the squared distances of X's latents to the centers of their clusters, times `sample_weight`.

    Example:
        >>> x = np.repeat([[0.0] * 4, [9.0] * 4], 30, axis=0)
        >>> model = vc.estimators.VAEKMeans(2, hidden=(8,), pretrain_epochs=1, random_state=0).fit(x)
        >>> model.labels_.shape, model.transform(x).shape
        ((60,), (60, 10))
    """

    def _method(self, num_clusters: int) -> VAEMethod:
        return kmeans.VAEKMeans(num_clusters, **self._vae_settings())

    def _fit(
        self,
        x: np.ndarray,
        callbacks: Sequence[Callback] = (),
        sample_weight: Any = None,
        partial_labels: Any = None,
        hints: Hints | None = None,
    ) -> Self:
        super()._fit(x, callbacks, sample_weight, partial_labels, hints)
        squares = np.square(self._run().embed(x) - self.cluster_centers_[self.labels_])
        if sample_weight is not None:
            squares = squares * np.asarray(sample_weight, float)[:, np.newaxis]
        self.inertia_ = float(squares.sum())
        return self


class VAEGaussianMixture(DeepClusterer):
    """A VAE, then a mixture of Gaussians on its latents, fitted by EM.

    Args:
        covariance_type: of the components, "full", "diag" or "spherical".

    Further arguments and the attributes are those of `DeepClusterer`.

    Example:
        >>> x = np.repeat([[0.0] * 4, [9.0] * 4], 30, axis=0)
        >>> model = vc.estimators.VAEGaussianMixture(2, hidden=(8,), pretrain_epochs=1, random_state=0).fit(x)
        >>> model.labels_.shape, model.transform(x).shape
        ((60,), (60, 10))
    """

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        **DeepClusterer._parameter_constraints,
        "covariance_type": [StrOptions({"full", "diag", "spherical"})],
    }

    def __init__(
        self,
        n_clusters: int | str = 8,
        *,
        covariance_type: Any = "full",
        latent_dim: int = 10,
        network: str = "auto",
        hidden: tuple[int, ...] = (512, 256),
        likelihood: str = "auto",
        beta: float | str = "auto",
        image_shape: tuple[int, ...] | None = None,
        pretrain_epochs: int = 50,
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
        self.covariance_type = covariance_type

    def _method(self, num_clusters: int) -> VAEMethod:
        return mixture.VAEMixture(num_clusters, covariance=self.covariance_type, **self._vae_settings())


class VaDE(StreamingClusterer):
    """Variational deep embedding (Jiang et al., 2017): a VAE whose prior is a mixture of Gaussians, trained with it.

    Args:
        joint_epochs: of networks and mixture together, at most.
        tolerance: they end once less than this share of the assignments changes between two looks.

    Further arguments and the attributes are those of `DeepClusterer`; the objective is `vaeclust_jax.methods.vade`.

    Example:
        >>> x = np.repeat([[0.0] * 4, [9.0] * 4], 30, axis=0)
        >>> model = vc.estimators.VaDE(2, hidden=(8,), pretrain_epochs=1, joint_epochs=1, random_state=0).fit(x)
        >>> model.labels_.shape, model.transform(x).shape
        ((60,), (60, 10))
    """

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        **DeepClusterer._parameter_constraints,
        "joint_epochs": [Interval(Integral, 1, None, closed="left")],
        "tolerance": [Interval(Real, 0, 1, closed="both")],
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
        image_shape: tuple[int, ...] | None = None,
        pretrain_epochs: int = 50,
        joint_epochs: int = 20,
        batch_size: int = 64,
        learning_rate: float = 1e-3,
        patience: int = 10,
        tolerance: float = 0.001,
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
        self.joint_epochs = joint_epochs
        self.tolerance = tolerance

    def _method(self, num_clusters: int) -> VAEMethod:
        return vade.VaDE(
            num_clusters,
            joint_epochs=int(self.joint_epochs),
            stopping=Settled(float(self.tolerance)),
            **self._vae_settings(),
        )


class VAEDEC(StreamingClusterer):
    """A VAE whose latents are drawn to Student-t centroids: reconstruction + beta KL + gamma KL(P || Q).

    Args:
        gamma: weight of the clustering loss, which is summed over features; "auto": 100 for vectors, and as strong for
            images of any size.
        joint_epochs: of networks and centroids together, at most.
        update_target_interval: epochs between refreshes of the target P.
        tolerance: training ends once less than this share of the assignments changes between two refreshes.

    Further arguments and the attributes are those of `DeepClusterer`; the objective is `vaeclust_jax.methods.dec`.

    Example:
        >>> x = np.repeat([[0.0] * 4, [9.0] * 4], 30, axis=0)
        >>> model = vc.estimators.VAEDEC(2, hidden=(8,), pretrain_epochs=1, joint_epochs=1, random_state=0).fit(x)
        >>> model.labels_.shape, model.transform(x).shape
        ((60,), (60, 10))
    """

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        **VaDE._parameter_constraints,
        "gamma": [Interval(Real, 0, None, closed="left"), StrOptions({"auto"})],
        "update_target_interval": [Interval(Integral, 1, None, closed="left")],
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
        image_shape: tuple[int, ...] | None = None,
        pretrain_epochs: int = 50,
        joint_epochs: int = 20,
        update_target_interval: int = 5,
        batch_size: int = 64,
        learning_rate: float = 1e-3,
        patience: int = 10,
        tolerance: float = 0.001,
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
        self.gamma = gamma
        self.joint_epochs = joint_epochs
        self.update_target_interval = update_target_interval
        self.tolerance = tolerance

    def _method(self, num_clusters: int) -> VAEMethod:
        return dec.DEC(
            num_clusters,
            gamma=number_or_name(self.gamma),
            joint_epochs=int(self.joint_epochs),
            update_target_interval=int(self.update_target_interval),
            stopping=Settled(float(self.tolerance)),
            **self._vae_settings(),
        )
