"""What all estimators share: scikit-learn's methods around `fit_seeds` and a packed model."""

from abc import abstractmethod
from collections.abc import Callable, Sequence
from numbers import Integral, Real
from typing import Any, ClassVar, Self

import jax
import numpy as np
from jaxtyping import Float, Int
from sklearn.base import BaseEstimator, ClassNamePrefixFeaturesOutMixin, ClusterMixin, TransformerMixin, _fit_context
from sklearn.utils import Tags, check_array, check_random_state
from sklearn.utils._param_validation import Interval, StrOptions
from sklearn.utils.validation import check_is_fitted

from vaeclust_jax.compiling import share_programs
from vaeclust_jax.data import PrepareConfig
from vaeclust_jax.data.config import Scaling
from vaeclust_jax.errors import InputError
from vaeclust_jax.estimators.inputs import in_own_words, number_or_name, samples
from vaeclust_jax.estimators.serialisation import Kept
from vaeclust_jax.fitting.callback import Callback
from vaeclust_jax.fitting.config import Config, TrainingConfig, with_method
from vaeclust_jax.fitting.fit import fit_seeds
from vaeclust_jax.fitting.packed import Packed, reordered
from vaeclust_jax.fitting.prepared import of_mean_one
from vaeclust_jax.fitting.resolve import check_sample_weight
from vaeclust_jax.fitting.run import Run
from vaeclust_jax.graph.hints import Hints
from vaeclust_jax.keys import PASSES, SAMPLES, key_of
from vaeclust_jax.methods.method import score_all
from vaeclust_jax.methods.settings import VAEMethod
from vaeclust_jax.networks import MLP, Conv, convolutions_pay
from vaeclust_jax.selection.num_clusters import choose_num_clusters

_LARGEST_SEED = 2**31 - 1
_MOST_SEEDS = 2**16

Rows = Float[np.ndarray, "n ..."]


class DeepClusterer(Kept, ClassNamePrefixFeaturesOutMixin, ClusterMixin, TransformerMixin, BaseEstimator):
    """Base of the estimators: everything but the objective, which `_config` decides.

    `X` is anything that numpy reads: vectors (n, F), which are standardised inside, or images (n, H, W[, C]), uint8 or
    floats in [0, 1]; frames of pandas and polars too. Images that come as rows need `image_shape`.

    Args:
        n_clusters: K, or "auto": a number from 2 to 20, chosen by `vaeclust_jax.choose_num_clusters`.
        latent_dim: L, the size of the latent space, which `transform` maps to.
        network: "mlp", "conv" (images), or "auto": conv for images of more than 32 x 32 pixels, mlp else.
        hidden: widths of the MLP encoder's hidden layers; the decoder has them in reverse.
        likelihood: "bernoulli" or "squared" (values in [0, 1]), "gaussian", or "auto": bernoulli for images, gaussian
            for vectors.
        beta: weight of the KL term; "auto": 1 for vectors, and as strong for images of any size.
        image_shape: (H, W) or (H, W, C) of images that come as rows of X, as in a `Pipeline`.
        pretrain_epochs: of the VAE alone, at most.
        batch_size: rows a gradient step.
        learning_rate: Adam's.
        patience: epochs without a lower validation loss before the VAE's training stops.
        validation_fraction: share of X that is held out for this, from 0 (none, all epochs) to below 1.
        n_init: seeds, at most 65,536, trained as one program; the one with the best objective is kept.
        random_state: int, `RandomState` or None, as everywhere in scikit-learn.
        verbose: whether `fit` shows its progress, on stderr or in a notebook.

    Attributes:
        labels_: (n,) cluster of each row of X, consecutive from 0.
        cluster_centers_: (K, L), in the latent space.
        classes_: (K,) the clusters, 0 to K - 1: what the columns of `predict_proba` are of.
        n_iter_: epochs trained.
        choice_: of n_clusters="auto" alone: the number, the curves of all criteria, and why.
        history_: a row an epoch: stage, epoch, loss parts in nats a sample.
        objective_: what training minimised, of all of X, nats a sample.
        n_features_in_: F, or H * W * C.
        feature_names_in_: of a frame with text columns.
    """

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        "n_clusters": [Interval(Integral, 1, None, closed="left"), StrOptions({"auto"})],
        "latent_dim": [Interval(Integral, 1, None, closed="left")],
        "network": [StrOptions({"auto", "conv", "mlp"})],
        "hidden": [tuple, list],
        "likelihood": [StrOptions({"auto", "bernoulli", "gaussian", "squared"})],
        "beta": [Interval(Real, 0, None, closed="left"), StrOptions({"auto"})],
        "image_shape": [tuple, list, None],
        "pretrain_epochs": [Interval(Integral, 1, None, closed="left")],
        "batch_size": [Interval(Integral, 1, None, closed="left")],
        "learning_rate": [Interval(Real, 0, None, closed="neither")],
        "patience": [Interval(Integral, 1, None, closed="left")],
        "validation_fraction": [Interval(Real, 0, 1, closed="left")],
        "n_init": [Interval(Integral, 1, _MOST_SEEDS, closed="both")],
        "random_state": ["random_state"],
        "verbose": ["verbose"],
    }

    def __init__(
        self,
        n_clusters: int | str = 8,
        *,
        latent_dim: int = 10,
        network: Any = "auto",
        hidden: tuple[int, ...] = (512, 256),
        likelihood: Any = "auto",
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
        self.n_clusters = n_clusters
        self.latent_dim = latent_dim
        self.network = network
        self.hidden = hidden
        self.likelihood = likelihood
        self.beta = beta
        self.image_shape = image_shape
        self.pretrain_epochs = pretrain_epochs
        self.batch_size = batch_size
        self.learning_rate = learning_rate
        self.patience = patience
        self.validation_fraction = validation_fraction
        self.n_init = n_init
        self.random_state = random_state
        self.verbose = verbose

    @abstractmethod
    def _method(self, num_clusters: int) -> VAEMethod:
        """What the estimator fits."""

    def _vae_settings(self) -> dict[str, Any]:
        """Settings that all methods here have."""
        return {
            "likelihood": self.likelihood,
            "beta": number_or_name(self.beta),
            "pretrain_epochs": int(self.pretrain_epochs),
        }

    # Fitting --------------------------------------------------------------------------------------------

    @_fit_context(prefer_skip_nested_validation=True)
    def fit(self, X: Any, y: Any = None, *, sample_weight: Any = None, callbacks: Sequence[Callback] = ()) -> Self:
        """Trains on X and clusters it; y is not read.

        Args:
            X: rows.
            y: ignored, as pipelines and searches pass it.
            sample_weight: (n,) what each row counts: one of 2 as two rows, one of 0 is labelled and nothing else.
            callbacks: objects of `vaeclust_jax.Callback`, which are told how the training goes.

        Raises:
            ValueError: X or a parameter that cannot be used.
            TrainingDivergedError: a loss turned non-finite.
        """
        return self._fit(samples(self, X, self.image_shape, reset=True), callbacks, sample_weight)

    @in_own_words()
    def _fit(
        self,
        x: Rows,
        callbacks: Sequence[Callback] = (),
        sample_weight: Any = None,
        partial_labels: Any = None,
        hints: Hints | None = None,
    ) -> Self:
        share_programs()
        weight = None if sample_weight is None else check_sample_weight(sample_weight, len(x))
        if weight is not None and self.n_clusters == "auto":
            raise InputError("sample_weight needs a number of clusters: n_clusters='auto' is found without weights")
        first = int(check_random_state(self.random_state).randint(_LARGEST_SEED))
        config = self._config(first, x.shape[1:])
        self.__dict__.pop("choice_", None)  # of another fit
        if self.n_clusters == "auto":
            self.choice_ = choose_num_clusters(config, x, jax.random.key(first)).record()
            config = with_method(config, num_clusters=self.choice_["num_clusters"])
        seeds = [first + number for number in range(self.n_init)]
        runs = fit_seeds(
            config,
            x,
            seeds,
            partial_labels=partial_labels,
            sample_weight=weight,
            hints=hints,
            callbacks=callbacks,
            verbose=bool(self.verbose),
        )
        counted: Any = slice(None) if weight is None else np.flatnonzero(weight)
        counts = of_mean_one(weight, counted)
        values = [
            run.config.method.objective(run.heads, run.params, run.preparation.rows(x)[counted], counts) for run in runs
        ]
        run = runs[int(np.argmin(values))]
        self._packed, labels = _consecutive(run.pack(), run.predict(x))
        self.labels_ = labels
        self.cluster_centers_ = self._run().centroids
        self.history_ = run.history
        self.n_iter_ = len(run.history)
        self.objective_ = min(values)
        return self

    def _config(self, split_seed: int, shape: tuple[int, ...]) -> Config:
        # What must stay in [0, 1] is taken as it comes.
        scaling: Scaling = "none" if self.likelihood in ("bernoulli", "squared") else "auto"
        conv = self.network == "conv" or (self.network == "auto" and convolutions_pay(shape))
        latent_dim = int(self.latent_dim)
        return Config(
            self._method(1 if self.n_clusters == "auto" else int(self.n_clusters)),
            # Images keep their size: `inverse_transform` gives back rows like those of X.
            PrepareConfig(None, scaling=scaling, validation=float(self.validation_fraction), split_seed=split_seed),
            Conv(latent_dim=latent_dim) if conv else MLP(latent_dim=latent_dim, hidden=tuple(self.hidden)),
            TrainingConfig(
                batch_size=int(self.batch_size),
                learning_rate=float(self.learning_rate),
                patience=int(self.patience),
            ),
        )

    @property
    def classes_(self) -> Int[np.ndarray, " k"]:
        """(K,) the clusters, in the order of the columns of `predict_proba`."""
        check_is_fitted(self)
        return np.arange(len(self.cluster_centers_))

    # Asking ---------------------------------------------------------------------------------------------

    def predict(self, X: Any) -> Int[np.ndarray, " n"]:
        """The most probable cluster of each row, (n,)."""
        return self._ask(X, Run.predict)

    def predict_proba(self, X: Any) -> Float[np.ndarray, "n k"]:
        """Probability of every cluster, (n, K), rows sum to one."""
        return self._ask(X, Run.predict_proba)

    def transform(self, X: Any) -> Float[np.ndarray, "n l"]:
        """Posterior means of the latents, (n, L)."""
        return self._ask(X, Run.embed)

    def inverse_transform(self, X: Any) -> Rows:
        """The decoder's answer to latents (n, L), in the units of the X of `fit`; images in [0, 1]."""
        check_is_fitted(self)
        return self._in_units_of_x(self._run().decode(check_array(X, dtype=np.float32)))

    def score_samples(self, X: Any) -> Float[np.ndarray, " n"]:
        """Evidence lower bound of each row in nats: how likely it is to the model, from below."""
        return self._ask(X, _elbo)

    def score(self, X: Any, y: Any = None, sample_weight: Any = None) -> float:
        """Mean evidence lower bound a row, in nats, higher is better; y is not read, and rows count by weight."""
        bounds = self.score_samples(X)
        weight = None if sample_weight is None else check_sample_weight(sample_weight, len(bounds))
        return float(np.average(bounds, weights=weight))

    def uncertainty(self, X: Any, n_passes: int = 100) -> np.recarray:
        """How sure each assignment is, from draws of the latents: a table, which `pandas.DataFrame` takes as it is.

        Args:
            X: rows.
            n_passes: draws of each code; the encoder runs once.

        Returns:
            (n,) records: cluster, probability (of it, at the posterior's mean), entropy and mutual_information (nats,
            of the draws), latent_variance.
        """

        def table(run: Run, x: Rows) -> np.recarray:
            q, sure = run.predict_proba(x), run.uncertainty(x, self._key(PASSES), n_passes)
            columns = (q.argmax(axis=1), q.max(axis=1), sure.entropy, sure.mutual_information, sure.latent_variance)
            names = "cluster,probability,entropy,mutual_information,latent_variance"
            return np.rec.fromarrays(columns, formats=[column.dtype for column in columns], names=names)

        return self._ask(X, table)

    @in_own_words()
    def sample(self, n_samples: int = 1, cluster: int | None = None) -> Rows:
        """New rows, of a cluster or of the prior, in the units of X."""
        check_is_fitted(self)
        return self._in_units_of_x(self._run().sample(self._key(SAMPLES), n_samples, cluster))

    # Inside ---------------------------------------------------------------------------------------------

    @in_own_words()
    def _ask(self, X: Any, question: Callable[[Run, Rows], Any]) -> Any:
        check_is_fitted(self)
        return question(self._run(), samples(self, X, self.image_shape))

    def _key(self, use: int) -> jax.Array:
        # An int as `random_state` gives the seed of the fit again.
        return key_of(int(check_random_state(self.random_state).randint(_LARGEST_SEED)), use)

    def _in_units_of_x(self, prepared: Rows) -> Rows:
        preparation = self._packed.preparation
        if preparation.offset is not None and preparation.scale is not None:
            return (prepared * preparation.scale + preparation.offset).astype(np.float32)
        return prepared.reshape(len(prepared), -1) if self.image_shape is not None else prepared

    @property
    def _n_features_out(self) -> int:
        return int(self._packed.config.network.latent_dim)

    def __sklearn_tags__(self) -> Tags:
        tags = super().__sklearn_tags__()
        tags.transformer_tags.preserves_dtype = ["float32"]
        return tags


def _elbo(run: Run, x: Rows) -> Float[np.ndarray, " n"]:
    """(n,) evidence lower bound in nats, at beta 1 whatever beta the model was trained with."""
    return -score_all(run.heads, run.params, run.preparation.rows(x))


def _consecutive(packed: Packed, labels: np.ndarray) -> tuple[Packed, np.ndarray]:
    """The same model with its empty clusters last, so that the labels leave none out."""
    counts = np.bincount(labels, minlength=packed.config.num_clusters)
    order = np.argsort(counts == 0, kind="stable")
    return reordered(packed, order), np.argsort(order)[labels].astype(np.int32)
