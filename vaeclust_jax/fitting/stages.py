"""From a resolved config to the stages that `training` runs."""

from dataclasses import replace
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from vaeclust_jax.errors import InputError
from vaeclust_jax.fitting.config import Config, controllers
from vaeclust_jax.methods.graph_starts import from_graph, from_graph_mixture, from_vote
from vaeclust_jax.methods.labelled_vae import Labelled, labelled_vae
from vaeclust_jax.methods.mixture import params_of as mixture_params
from vaeclust_jax.methods.mixture import vae_mixture
from vaeclust_jax.methods.starts import Start, carry_on, from_kmeans, from_mixture, from_scratch, with_own_weights
from vaeclust_jax.methods.vade import params_of as vade_params
from vaeclust_jax.methods.vade import prior_from, vade
from vaeclust_jax.methods.vae import vae
from vaeclust_jax.methods.vaedec import vaedec
from vaeclust_jax.methods.vaegraph import spread, vaegraph
from vaeclust_jax.networks.build import build, computing_in, standardising
from vaeclust_jax.networks.views import moving
from vaeclust_jax.objectives.mixture import Mixture
from vaeclust_jax.training.stopping import NEVER, assignment_change, validation_patience
from vaeclust_jax.types import Learner, Networks, Params, Stage


def networks_of(config: Config, shape: tuple[int, ...], networks: Networks | None) -> Networks:
    """The config's networks, or those handed in, in the config's arithmetic and with a standardised encoder input."""
    chosen = build(config.network, shape) if networks is None else networks
    assert config.model.augment != "auto", "resolved"
    if config.model.augment > 0:
        chosen = chosen._replace(view=moving(float(config.model.augment)))
    chosen = computing_in(chosen, config.network.compute_dtype)
    assert config.network.input_mean is not None, "resolved"
    assert config.network.input_std is not None, "resolved"
    return standardising(chosen, config.network.input_mean, config.network.input_std)


def check_custom(networks: Networks, latent_dim: int, shape: tuple[int, ...]) -> None:
    """Traces a person's own networks, which costs no arithmetic, and says what does not fit.

    Raises:
        InputError: an encoder, a decoder or a view that fails or answers with other shapes.
    """
    rows = 3
    if networks.view is not None:
        x = jax.ShapeDtypeStruct((rows, *shape), jnp.float32)
        try:
            seen = jax.eval_shape(networks.view, jax.random.key(0), x).shape
        except Exception as error:  # a person's function may fail in any way
            reason = str(error).partition("\n")[0][:200]
            raise InputError(f"the view fails on a key and samples of shape {x.shape}: {reason}") from error
        if seen != x.shape:
            raise InputError(f"the view must answer samples of shape {x.shape} with that shape, got {seen}")
    for name, network, given, wanted in (
        ("encoder", networks.encoder, (rows, *shape), ((rows, latent_dim),) * 2),
        ("decoder", networks.decoder, (rows, latent_dim), (rows, *shape)),
    ):
        x = jax.ShapeDtypeStruct(given, jnp.float32)
        what = "(mean, logvar) of shapes" if name == "encoder" else "the shape"
        hint = " (latent_dim is in the config)" if name == "encoder" else ""
        try:
            answer = jax.eval_shape(lambda x, network=network: network.apply(network.init(jax.random.key(0)), x), x)
            got = answer.shape if hasattr(answer, "shape") else tuple(part.shape for part in answer)
        except Exception as error:  # a person's function may fail in any way
            reason = str(error).partition("\n")[0][:200]
            raise InputError(f"the {name} fails on input of shape {given}: {reason}") from error
        if got != wanted:
            raise InputError(f"the {name} must answer {given} with {what} {wanted}{hint}, got {got}")


def clustering_learner(config: Config, networks: Networks, num_samples: int) -> Learner:
    """The learner of the joint stage, which also makes predictions."""
    assert config.model.likelihood != "auto", "resolved"
    beta, gamma, _ = controllers(config)
    settings: dict[str, Any] = {
        "num_clusters": config.num_clusters,
        "num_samples": num_samples,
        "latent_dim": config.network.latent_dim,
        "likelihood": config.model.likelihood,
        "beta": beta,
        "learning_rate": config.training.learning_rate,
        "update_target_interval": config.training.update_target_interval,
    }
    match config.model.clustering:
        case "vade":
            return vade(networks, q_from=config.model.q_from, **settings)
        case "mixture":
            return vae_mixture(
                networks,
                num_clusters=config.num_clusters,
                latent_dim=config.network.latent_dim,
                covariance=config.model.covariance,
                likelihood=config.model.likelihood,
                beta=beta,
                learning_rate=config.training.learning_rate,
            )
        case "graph":
            settings |= {"num_prototypes": config.model.num_prototypes, "degrees": config.model.degrees}
            return vaegraph(networks, gamma=gamma, **settings)
        case "dec":
            model = config.model
            settings |= {"deterministic": model.deterministic, "joint_reconstruction": model.joint_reconstruction}
            return vaedec(networks, q_from=model.q_from, gamma=gamma, **settings)


def check_partial_labels(y: Any, num_samples: int) -> np.ndarray:
    """Classes of all rows, -1 where none is known.

    Raises:
        InputError: not one whole number of at least -1 a row.
    """
    y = np.asarray(y)
    if y.shape != (num_samples,) or y.dtype.kind not in "iu" or y.min() < -1:
        raise InputError(
            f"partial_labels must be a class from 0 or -1 (not known) for each of {num_samples} rows, "
            f"got {y.dtype} {y.shape}{f' from {y.min()}' if y.size and y.dtype.kind in 'iu' else ''}"
        )
    return y


def _first_stage(config: Config, networks: Networks, labels: np.ndarray | None) -> tuple[Learner, Start]:
    """The VAE, or VaDE's autoencoder; semi-supervised where the classes of some training rows are known."""
    beta, _, supervision = controllers(config)
    settings: dict[str, Any] = {
        "likelihood": config.model.likelihood,
        "deterministic": config.model.deterministic,
        "beta": 0.0 if _begins_as_autoencoder(config) else beta,
        "learning_rate": config.training.learning_rate,
    }
    if labels is None:
        learner = vae(networks, **settings)
        return learner, from_scratch(learner)
    rows = np.flatnonzero(labels >= 0)
    classes, y, counts = np.unique(labels[rows], return_inverse=True, return_counts=True)
    if len(rows) == 0:
        raise InputError("partial_labels must know the class of at least two training rows, got none (-1 everywhere)")
    if counts.min() < 2:
        alone = classes[counts.argmin()]
        raise InputError(f"partial_labels must know two training rows of each class, got one of class {alone}")
    learner = labelled_vae(
        networks,
        num_classes=len(classes),
        rows_a_step=min(len(rows), config.training.batch_size),
        supervision=supervision,
        **settings,
    )
    return learner, lambda key, before, x: learner.init(key)._replace(
        target=Labelled(jnp.asarray(np.asarray(x[rows])), jnp.asarray(y, jnp.int32))
    )


def _begins_as_autoencoder(config: Config) -> bool:
    return config.model.clustering == "vade" and config.model.deterministic


def _vade_start(config: Config, joint: Learner) -> Start:
    def params_of(found: Mixture) -> Params:
        return vade_params(prior_from(found))

    if config.model.mixture_start == "graph":
        return from_graph_mixture(joint, config.num_clusters, params_of)
    # An autoencoder has no posterior yet.
    return from_mixture(joint, config.num_clusters, "diag", params_of, of_posteriors=not config.model.deterministic)


def plan(
    config: Config,
    networks: Networks,
    num_samples: int,
    has_validation: bool,
    labels: np.ndarray | None = None,
    num_seeds: int = 1,
) -> list[Stage]:
    """VAE alone; k-means, then a mixture or a graph if the joint stage starts from those (no epochs); all jointly.

    With labels of some training rows (-1 for the others) the VAE is semi-supervised. What several seeds do together
    comes last, as stages of its own.

    Without validation rows, or where beta changes, the stages that would stop on them run all their epochs.
    """
    training, model = config.training, config.model
    comparable = has_validation and not isinstance(model.beta, str)
    patience = validation_patience(training.patience) if comparable else NEVER
    alone, from_weights = _first_stage(config, networks, labels)
    dec = clustering_learner(replace(config, model=replace(model, clustering="dec")), networks, num_samples)
    joint = clustering_learner(config, networks, num_samples)
    settled = assignment_change(training.tolerance) if training.joint_stopping == "assignments" else patience
    centroids = from_kmeans(dec, config.num_clusters)
    stages = [
        Stage("vae", alone, training.pretrain_epochs, from_weights, patience),
        Stage("kmeans", dec, 0, with_own_weights(centroids) if _begins_as_autoencoder(config) else centroids, NEVER),
    ]

    def then(start: list[Stage], joint_name: str) -> None:
        stages.extend(start)
        if training.joint_epochs > 0:
            stages.append(Stage(joint_name, joint, training.joint_epochs, carry_on, settled))

    match model.clustering:
        case "dec":
            then([], "joint")
        case "vade":
            then([Stage("mixture", joint, 0, _vade_start(config, joint), NEVER)], "joint")
        case "mixture":
            fitted = from_mixture(joint, config.num_clusters, model.covariance, mixture_params)
            then([Stage("mixture", joint, 0, fitted, NEVER)], "joint")
        case "graph":
            then([Stage("graph", joint, 0, from_graph(joint, spread), NEVER)], "joint")
            if model.graphs == "shared" and num_seeds > 1:
                then([Stage("shared-graph", joint, 0, from_vote(joint, spread), NEVER)], "shared-joint")
    return stages
