"""A fitted model: what `fit` returns and `load` reads back."""

from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Bool, Float, Int

from vaeclust_jax.checks import is_whole
from vaeclust_jax.data import Preparation, Rows
from vaeclust_jax.data.mapped import parts_of
from vaeclust_jax.errors import InputError
from vaeclust_jax.fitting.answers import at_temperature, distances, familiar_rows, of_codes, probabilities, questions
from vaeclust_jax.fitting.config import Config
from vaeclust_jax.fitting.forecasts import continued, following
from vaeclust_jax.fitting.frame import cluster_table, frame_library, frame_of
from vaeclust_jax.fitting.history import kept_history
from vaeclust_jax.fitting.model_file import write_model
from vaeclust_jax.fitting.packed import OF_CLUSTERS, TREE, Packed, named_arrays
from vaeclust_jax.fitting.pickled import Pickled
from vaeclust_jax.graph.clarity import Separation
from vaeclust_jax.graph.hints import Hints
from vaeclust_jax.graph.tree import Tree, cuttable
from vaeclust_jax.keys import SAMPLES, as_key
from vaeclust_jax.objectives.mixture import sample as draw
from vaeclust_jax.random import normal
from vaeclust_jax.shown import settings, shape_of, table
from vaeclust_jax.training.rows import by_chunk, encode_rows
from vaeclust_jax.types import Heads, Key, Params
from vaeclust_jax.uncertainty.latent import Uncertainty, stochastic_passes


@dataclass(frozen=True, eq=False)
class Run(Pickled):
    """A fitted model of one seed. What it cannot be asked, because its method has no such head, is an `InputError`.

    Every method that takes `x` takes raw data, as `fit` did: images (n, H, W[, C]) or vectors (n, F), prepared
    (resized, scaled) the way the training rows were; another shape than the model's is an `InputError`. A
    `numpy.memmap` or an array of Zarr of more than 256 MB is read in parts. Of a frame the columns are those trained
    on, by name, in any order.

    Attributes:
        config: resolved; what the fit really used.
        preparation: from raw data to the model's input, fitted on the training rows.
        heads: the pure functions.
        params: their parameters.
        cluster_mean: (C, L) mean of the latents of each component in training: of each cluster, or of each of its
            prototypes, those of a cluster one after the other. None, as the next two, where nothing is clustered.
        cluster_scale: (C, L, L) Cholesky factor of their covariance, the posteriors' variance included.
        cluster_share: (C,) share of the cluster's training samples that the component has.
        train_index, validation_index: rows that were trained on and held out; empty after `load`. Of rows that are read
            by blocks, places among the few that are evenly spaced (`Prepared.sampled`).
        history: a row an epoch, see `training.loop`; after `load` the last 10,000, if the file has any.
        temperature: T of the probabilities, softmax(log q / T): 1 as trained, see `calibrated`.
        tree_: of a method that follows a graph: how its micro-clusters were merged, which scipy takes for a linkage
            matrix; see `cut`. None elsewhere, and in files of older versions. After a vote it is still the seed's own.
        starts_: of such a method, how a graph shows the clusters that training could begin with, by name: `clarity` and
            `cut`, see `methods.shallow_starts`. None elsewhere, where none were asked, and after `load`.
        hints: that the fit was given; None: none.

    Example:
        >>> x = np.repeat([[0.0] * 4, [9.0] * 4], 30, axis=0)
        >>> config = vc.Config(vc.VAEKMeans(2, pretrain_epochs=1), network=vc.MLP(latent_dim=3, hidden=(8,)))
        >>> run = vc.fit(config, x, 0)
        >>> run.embed(x).shape, run.predict_proba(x).shape, run.sample(1, 5, cluster=0).shape
        ((60, 3), (60, 2), (5, 4))
        >>> list(run.to_frame(x).columns)
        ['row', 'cluster', 'probability', 'entropy']
    """

    config: Config
    preparation: Preparation
    heads: Heads
    params: Params
    cluster_mean: Any = None
    cluster_scale: Any = None
    cluster_share: Any = None
    train_index: Int[np.ndarray, " n"] = field(default_factory=lambda: np.zeros(0, int))
    validation_index: Int[np.ndarray, " m"] = field(default_factory=lambda: np.zeros(0, int))
    history: list[dict[str, Any]] = field(default_factory=list)
    temperature: float = 1.0
    tree_: Tree | None = None
    starts_: dict[str, Separation] | None = None
    hints: Hints | None = None

    def __repr__(self) -> str:
        """In place of the arrays, which fill screens: how many there are."""
        return f"Run({', '.join(self._facts().values())})"

    def _repr_html_(self) -> str:
        facts, last = self._facts(), self.history[-1] if self.history else {}
        facts |= {name: f"{last[name]:.4g} nats a sample" for name in ("loss", "val_loss") if name in last}
        return table("Run", facts)

    def _facts(self) -> dict[str, str]:
        weights = sum(leaf.size for leaf in jax.tree.leaves(self.params))
        facts = {
            "method": settings(self.config.method),
            "samples": shape_of(self.preparation.input_shape),
            "network": settings(self.config.network),
            "parameters": f"{weights:,} parameters",
        }
        if len(self.train_index):
            facts["trained on"] = f"{len(self.train_index)} training rows, {len(self.validation_index)} held out"
        if self.history:
            epochs = Counter(row["stage"] for row in self.history)
            facts["epochs"] = "epochs: " + ", ".join(f"{stage} {count}" for stage, count in epochs.items())
        return facts

    @property
    def centroids(self) -> Float[np.ndarray, "k l"]:
        """(K, L) the centre of each cluster; of several prototypes the one that stood for the most samples."""
        if self.heads.centres is not None:
            return np.asarray(self.heads.centres(self.params)[:, 0])
        return np.asarray(self._has(self.cluster_mean, "cluster"))

    def posterior(self, x: Any) -> tuple[Float[np.ndarray, "n l"], Float[np.ndarray, "n l"]]:
        """Mean and log-variance of the posterior q(z|x) of the samples, each (n, L); it warns as `predict_proba`."""
        self._has(self.heads.encode, "encode")
        return encode_rows(self.heads, self.params, familiar_rows(self.preparation, x))

    def embed(self, x: Any) -> Float[np.ndarray, "n l"]:
        """Latent means of the samples, (n, L)."""
        return self.posterior(x)[0]

    def predict_proba(self, x: Any) -> Float[np.ndarray, "n k"]:
        """Probability of every cluster, (n, K), rows sum to one: q at the posterior's mean. Of a classifier: of every
        class, (n, C). Rows far outside the range of those trained on are an `InputWarning`."""
        return self._probabilities(familiar_rows(self.preparation, x))

    def _probabilities(self, rows: Rows) -> Float[np.ndarray, "n k"]:
        if self.heads.predict is None:
            self._has(self.heads.encode, "encode")
            self._has(self.heads.assign, "assign to clusters")
        return probabilities(self.heads, self.params, self.temperature, rows)

    def regress(self, x: Any) -> Float[np.ndarray, "n l"]:
        """The values that follow those of x (n, F - L) in rows of F values as trained on, in their units, (n, L)."""
        regress = self._has(self.heads.regress, "predict numbers")
        return following(regress, self.params, self.config, self.preparation, x)

    def forecast(self, past: Any, horizon: int) -> Float[np.ndarray, "o h"]:
        """How series go on, (o, horizon), in their units: what is predicted is read as if it had happened.

        Args:
            past: (o, t) what came before each, of which the last values are read, as many as the model looks back.
            horizon: values to predict.

        Raises:
            InputError: fewer values than the model looks back, or a horizon below 1.
        """
        regress = self._has(self.heads.regress, "forecast")
        return continued(regress, self.params, self.config, self.preparation, past, horizon)

    def log_assign(self, z: Float[np.ndarray, "n l"]) -> Float[np.ndarray, "n k"]:
        """Log-probability of every cluster for codes, (n, K)."""
        assign = self._has(self.heads.assign, "assign to clusters")
        return at_temperature(of_codes(assign, self.heads, self.params, self.preparation, z), self.temperature)

    def uncertainty(self, x: Any, key: Key | int, num_passes: int = 100) -> Uncertainty:
        """How sure the assignment of each sample is, from draws of its code: see `Uncertainty` for the columns. Of
        probabilities as trained, whatever the temperature.

        Args:
            x: raw data.
            key: as for `fit`.
            num_passes: draws of the code, at least 2; the encoder runs once.

        Raises:
            InputError: too few passes.
        """
        self._has(self.heads.assign, "assign to clusters")
        return stochastic_passes(key, self.heads, self.params, *self.posterior(x), num_passes)

    def predict(self, x: Any) -> Int[np.ndarray, " n"]:
        """The most probable cluster (class) of each sample, (n,), from 0 to K - 1."""
        rows = familiar_rows(self.preparation, x)
        return np.concatenate([self._probabilities(part).argmax(axis=1).astype(np.int32) for part in parts_of(rows)])

    def cut(self, num_clusters: int | None = None, x: Any = None, noise: bool = False) -> Int[np.ndarray, " n"]:
        """Any number of clusters without training again: the graph's merge, stopped where so many are left.

        A cut into the K of the fit is nearly what the joint stage or the vote of seeds began with; these move samples.
        Cuts are nested: a cluster of one lies in a cluster of every cut into fewer.

        Args:
            num_clusters: how many; None: the number from 2 to 20 that lasts longest while the tree is merged.
            x: raw data, whose samples go with the micro-cluster whose mean latent is nearest; None: the samples of the
                fit, in their order, those held out as `x`.
            noise: whether samples that are `noise` get -1.

        Returns:
            (n,), from 0.

        Raises:
            InputError: fewer than one, more than there are micro-clusters that differ, there is no tree, or see
                `noise`.
        """
        tree, z = cuttable(self.tree_), None if x is None else self.embed(x)
        labels = tree.cut(num_clusters, z)
        return np.where(tree.noise(z), -1, labels).astype(np.int32) if noise else labels

    def noise(self, x: Any = None) -> Bool[np.ndarray, " n"]:
        """Whether each sample lies between what is dense in the latents: HDBSCAN's tree of the micro-clusters' means.

        A part is dense that holds ten micro-clusters, some 35 samples, and lasts longer than what it falls into; where
        there are not two of them, all is noise, and an `InputWarning` says so. That does not depend on K, and no
        cluster is noise as a whole but by its samples.

        Args:
            x: raw data; None: the samples of the fit.

        Returns:
            (n,).

        Raises:
            InputError: fewer than ten micro-clusters, or there is no tree.
        """
        return cuttable(self.tree_).noise(None if x is None else self.embed(x))

    def to_frame(self, x: Any, backend: Literal["pandas", "polars"] | None = None) -> Any:
        """A frame with a row a sample: row, cluster, its probability, entropy of the assignment (nats).

        Args:
            x: raw data. A frame of pandas gives its index; a `data.Dataset` the numbers of its rows, and their files.
            backend: None: the library of `x`, else pandas, else polars.

        Raises:
            InputError: the library is not installed.
        """
        library = frame_library(backend, x)
        return frame_of(cluster_table(self.predict_proba(x)), x, library)

    def reconstruct(self, x: Any) -> Float[np.ndarray, "n ..."]:
        """The decoder's answer to the latent means, in the units of `prepare`."""
        return self.decode(self.embed(x))

    def decode(self, z: Float[np.ndarray, "n l"]) -> Float[np.ndarray, "n ..."]:
        """The expected samples of codes, in the units of `prepare`."""
        return of_codes(self._has(self.heads.decode, "decode"), self.heads, self.params, self.preparation, z)

    def recall(self, x: Any) -> Float[np.ndarray, "n ..."]:
        """What a memory comes to rest at from the samples, in the units of `prepare`."""
        rows, recall = self.preparation.rows(x), self._has(self.heads.recall, "recall")
        self.config.method.check_recalled(rows)
        return by_chunk(recall, self.params, rows)[0]

    def unlikeness(self, x: Any) -> Float[np.ndarray, " n"]:
        """How strange each sample is, (n,): the distance to the nearest cluster in its standard deviations, see
        `uncertainty.outliers.latent_distance`."""
        return distances(self.embed(x), self._has(self.cluster_mean, "cluster"), self.cluster_scale)

    def prepare(self, x: Any) -> Float[np.ndarray, "n ..."]:
        """The samples as the model sees them: images in [0, 1] of the model's size, vectors scaled."""
        return self.preparation.apply(x)

    def sample(self, key: Key | int, num_samples: int, cluster: int | None = None) -> Float[np.ndarray, "n ..."]:
        """New samples, in the units of `prepare`.

        Where the model has a mixture of Gaussians on the codes (VaDE, or a mixture fitted to a VAE's), they are drawn
        from that, or from the component of a cluster. Elsewhere from N(0, I), or from Gaussians with the means and
        covariances of a cluster's codes in training.

        Args:
            key: as for `fit`.
            num_samples: how many.
            cluster: of which; None: of all.

        Raises:
            InputError: no such cluster, or fewer than one sample asked for.
        """
        if not is_whole(num_samples) or num_samples < 1:
            raise InputError(f"num_samples must be a whole number of at least 1, got {num_samples!r}")
        key = as_key(key, SAMPLES)
        if cluster is not None and (self.heads.sample is not None or self.heads.assign is None):
            raise InputError(f"the method {type(self.config.method).__name__} has no clusters to draw from")
        if self.heads.sample is not None:
            return np.asarray(self.heads.sample(key, self.params, num_samples))
        num_clusters = self.config.num_clusters if self.heads.assign is not None else 0
        if cluster is not None and (not is_whole(cluster) or not 0 <= cluster < num_clusters):
            raise InputError(f"cluster must lie in 0 to {num_clusters - 1}, got {cluster!r}")
        if self.heads.prior is not None:
            return self.decode(np.asarray(draw(key, self.heads.prior(self.params), num_samples, cluster)))
        noise_key, component_key = jax.random.split(key)
        z = normal(noise_key, (num_samples, self.config.network.latent_dim))
        if cluster is not None:
            own = np.arange(len(self.cluster_share)).reshape(num_clusters, -1)[cluster]
            share = jnp.asarray(self.cluster_share[own])
            drawn = own[np.asarray(jax.random.choice(component_key, len(own), (num_samples,), p=share))]
            z = self.cluster_mean[drawn] + np.einsum("nij,nj->ni", self.cluster_scale[drawn], np.asarray(z))
        return self.decode(np.asarray(z))

    def pack(self) -> Packed:
        """The model as plain data.

        Raises:
            InputError: two parameters (of networks of one's own) whose places read alike.
        """
        clusters = {name: getattr(self, name) for name in OF_CLUSTERS if getattr(self, name) is not None}
        tree = {} if self.tree_ is None else {TREE: {**self.tree_.merges._asdict(), "means": self.tree_.means}}
        return Packed(self.config, self.preparation, named_arrays({"params": self.params, **clusters, **tree}))

    def save(self, path: Any) -> None:
        """Writes the model as one file, e.g. "coil.vaeclust", for `vaeclust_jax.load`; one of that name is replaced.

        Raises:
            InputError: the file cannot be written.
        """
        more = {"history": kept_history(self.history), "temperature": self.temperature}
        write_model(Path(path), self.pack(), more if self.hints is None else {**more, "hints": self.hints.record()})

    def _has(self, part: Any, what: str) -> Any:
        if part is None:
            name = type(self.config.method).__name__
            raise InputError(f"a model of the method {name} cannot {what}; it has {questions(self.heads)}")
        return part
