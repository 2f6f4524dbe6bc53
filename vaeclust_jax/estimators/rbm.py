"""The restricted Boltzmann machine for scikit-learn, in the place of its `BernoulliRBM`."""

from numbers import Integral, Real
from typing import Any, ClassVar, Self

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Bool, Float
from sklearn.base import BaseEstimator, ClassNamePrefixFeaturesOutMixin, TransformerMixin, _fit_context
from sklearn.utils import Tags, check_random_state
from sklearn.utils._param_validation import Interval, StrOptions
from sklearn.utils.validation import check_is_fitted

from vaeclust_jax.compiling import share_programs
from vaeclust_jax.data import PrepareConfig
from vaeclust_jax.estimators.inputs import at_least_one, in_own_words, samples
from vaeclust_jax.fitting.answers import familiar_rows
from vaeclust_jax.fitting.config import Config, TrainingConfig
from vaeclust_jax.fitting.fit import fit
from vaeclust_jax.fitting.packed import Packed
from vaeclust_jax.fitting.run import Run
from vaeclust_jax.fitting.serialisation import unpack
from vaeclust_jax.keys import PASSES, SAMPLES, SCORE, key_of
from vaeclust_jax.methods import rbm as method
from vaeclust_jax.methods.boltzmann import ContrastiveDivergence, PersistentDivergence
from vaeclust_jax.methods.restoring import restore
from vaeclust_jax.objectives.ais import base_rates, forward_ais, schedule
from vaeclust_jax.objectives.rbm import RBMParams, gibbs, pseudo_log_likelihood
from vaeclust_jax.training.rows import by_chunk

_LARGEST_SEED = 2**31 - 1


class RBM(ClassNamePrefixFeaturesOutMixin, TransformerMixin, BaseEstimator):
    """A restricted Boltzmann machine, trained by persistent or plain contrastive divergence, centred.

    Values of X in [0, 1] are taken as they are. Where some lie outside, every feature is brought to [0, 1] by its
    extremes in `fit`.

    Args:
        n_components: hidden units.
        learning_rate: of the gradient; it falls along a line to nothing unless `decay` is False.
        batch_size: rows a gradient step.
        n_iter: passes over X.
        sampler: "persistent" chains, or "contrastive": chains that begin at the batch.
        n_steps: Gibbs steps between two gradient steps, k of PCD-k or CD-k.
        n_chains: persistent chains.
        centred: whether units are centred by their means.
        decay: whether the learning rate falls.
        binarise: "none": values are probabilities; "threshold": values of at least 1/2 are 1, the others 0.
        random_state: int, `RandomState` or None, as everywhere in scikit-learn.
        verbose: whether `fit` shows its progress.

    Attributes:
        components_: (n_components, F) weights.
        intercept_visible_: (F,) biases.
        intercept_hidden_: (n_components,) biases.
        n_iter_: passes.
        history_: a row a pass: loss (negative pseudo-log-likelihood by random units) and free energy, nats a row.
        n_features_in_: F.
        feature_names_in_: of a frame with text columns.

    Example:
        >>> x = np.repeat([[0.0, 0.0, 1.0, 1.0], [1.0, 1.0, 0.0, 0.0]], 30, axis=0)
        >>> model = vc.estimators.RBM(2, n_iter=2, random_state=0).fit(x)
        >>> model.transform(x).shape, model.gibbs(x).shape
        ((60, 2), (60, 4))
    """

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        **{
            name: [Interval(Integral, 1, None, closed="left")]
            for name in ("n_components", "batch_size", "n_iter", "n_steps", "n_chains")
        },
        "learning_rate": [Interval(Real, 0, None, closed="neither")],
        "sampler": [StrOptions({"persistent", "contrastive"})],
        "centred": ["boolean"],
        "decay": ["boolean"],
        "binarise": [StrOptions({"none", "threshold"})],
        "random_state": ["random_state"],
        "verbose": ["verbose"],
    }

    def __init__(
        self,
        n_components: int = 256,
        *,
        learning_rate: float = 0.1,
        batch_size: int = 20,
        n_iter: int = 10,
        sampler: str = "persistent",
        n_steps: int = 1,
        n_chains: int = 100,
        centred: bool = True,
        decay: bool = True,
        binarise: Any = "none",
        random_state: int | np.random.RandomState | None = None,
        verbose: bool = False,
    ):
        self.n_components = n_components
        self.learning_rate = learning_rate
        self.batch_size = batch_size
        self.n_iter = n_iter
        self.sampler = sampler
        self.n_steps = n_steps
        self.n_chains = n_chains
        self.centred = centred
        self.decay = decay
        self.binarise = binarise
        self.random_state = random_state
        self.verbose = verbose

    @_fit_context(prefer_skip_nested_validation=True)
    def fit(self, X: Any, y: Any = None) -> Self:
        """Learns the distribution of X; y is not read.

        Raises:
            ValueError: X or a parameter that cannot be used.
            TrainingDivergedError: a loss turned non-finite.
        """
        x = samples(self, X, None, reset=True)
        share_programs()
        seed = int(check_random_state(self.random_state).randint(_LARGEST_SEED))
        scaling: Any = "none" if x.min() >= 0 and x.max() <= 1 else "minmax"
        config = Config(
            self._method(),
            PrepareConfig(scaling=scaling, validation=0.0),
            training=TrainingConfig(batch_size=int(self.batch_size), learning_rate=float(self.learning_rate)),
        )
        run = fit(config, x, seed, verbose=bool(self.verbose))
        self._packed: Packed = run.pack()
        machine = self._machine()
        self.components_ = np.asarray(machine.weights).T
        self.intercept_visible_ = np.asarray(machine.visible)
        self.intercept_hidden_ = np.asarray(machine.hidden)
        self.history_ = run.history
        self.n_iter_ = len(run.history)
        return self

    def transform(self, X: Any) -> Float[np.ndarray, "n h"]:
        """P(h = 1 | v = X), (n, n_components)."""
        check_is_fitted(self)
        return self._run().embed(samples(self, X, None))

    def gibbs(self, X: Any, n_steps: int = 1) -> Float[np.ndarray, "n f"]:
        """Visible units of Gibbs chains so many steps from X, 0 or 1, (n, F)."""
        at_least_one("n_steps", n_steps)
        return np.asarray(gibbs(self._key(PASSES), self._machine(), jnp.asarray(self._units(X)), n_steps).visible)

    def restore(self, X: Any, known: Bool[np.ndarray, "..."], n_steps: int = 1000) -> Float[np.ndarray, "n f"]:
        """X with its unknown values replaced by what is likely beside the known ones, in [0, 1].

        Args:
            X: rows; unknown values may be any finite numbers.
            known: (F,) or (n, F), which values are known.
            n_steps: Gibbs steps of each row, of which the first half is passed over.

        Raises:
            InputError: a mask of another shape, or one by which everything or nothing is known.
        """
        at_least_one("n_steps", n_steps)
        return restore(self._key(PASSES), self._machine(), self._units(X, whole=False), known, n_steps)

    def sample(self, n_samples: int = 1) -> Float[np.ndarray, "n f"]:
        """New rows, 0 or 1: ends of Gibbs chains of 1,000 steps."""
        at_least_one("n_samples", n_samples)
        return np.asarray(method.sample(self._key(SAMPLES), self._machine(), n_samples).visible)

    def score_samples(self, X: Any) -> Float[np.ndarray, " n"]:
        """Pseudo-log-likelihood of each row in nats, exactly: `BernoulliRBM` estimates it from one feature."""
        return by_chunk(pseudo_log_likelihood, self._machine(), self._units(X))

    def score(self, X: Any, y: Any = None) -> float:
        """Mean pseudo-log-likelihood a row; y is not read."""
        return float(self.score_samples(X).mean())

    @in_own_words()
    def log_likelihood(self, X: Any, n_temperatures: int = 3000) -> Float[np.ndarray, " n"]:
        """Log-likelihood of each row in nats, with log Z by annealed importance sampling from the biases' own rates."""
        x, machine = self._units(X), self._machine()
        base = base_rates(jax.nn.sigmoid(machine.visible))
        log_z = forward_ais(self._key(SCORE), machine, base, schedule(n_temperatures)).value
        return -by_chunk(self._method().energy, self._run().params, x) - np.float32(log_z)

    def _method(self) -> method.RBM:
        steps = int(self.n_steps)
        persistent = self.sampler == "persistent"
        sampler = PersistentDivergence(steps, int(self.n_chains)) if persistent else ContrastiveDivergence(steps)
        return method.RBM(
            int(self.n_components),
            int(self.n_iter),
            sampler,
            binarise=self.binarise,
            centred=bool(self.centred),
            decay=bool(self.decay),
        )

    def _run(self) -> Run:
        """The fitted model; nothing of it is kept here, where it could not be pickled."""
        return unpack(self._packed)

    def _machine(self) -> RBMParams:
        check_is_fitted(self)
        run = self._run()
        assert isinstance(run.config.method, method.RBM)
        return run.config.method.machine(run.params)

    def _units(self, X: Any, whole: bool = True) -> Float[np.ndarray, "n f"]:
        """X as units, which are clipped; a warning says where whole rows are far from those of training."""
        check_is_fitted(self)
        run, x = self._run(), samples(self, X, None)
        assert isinstance(run.config.method, method.RBM)
        rows = familiar_rows(run.preparation, x) if whole else run.prepare(x)
        return np.asarray(run.config.method.units(jnp.asarray(rows)))

    def _key(self, use: int) -> jax.Array:
        return key_of(int(check_random_state(self.random_state).randint(_LARGEST_SEED)), use)

    @property
    def _n_features_out(self) -> int:
        return len(self.intercept_hidden_)

    def __sklearn_tags__(self) -> Tags:
        tags = super().__sklearn_tags__()
        tags.transformer_tags.preserves_dtype = ["float32"]
        return tags
