"""From a resolved config to the stages that `training` runs."""

import jax
import jax.numpy as jnp

from vaeclust_jax.errors import InputError
from vaeclust_jax.fitting.config import Config, controllers
from vaeclust_jax.learners.vae import vae
from vaeclust_jax.learners.vaedec import vaedec
from vaeclust_jax.networks.build import build, computing_in, standardising
from vaeclust_jax.training.handover import carry_on, from_kmeans, from_scratch
from vaeclust_jax.training.stopping import NEVER, assignment_change, validation_patience
from vaeclust_jax.types import Learner, Networks, Stage


def networks_of(config: Config, shape: tuple[int, ...], networks: Networks | None) -> Networks:
    """The config's networks, or those handed in, in the config's arithmetic and with a standardised encoder input."""
    chosen = build(config.network, shape) if networks is None else networks
    chosen = computing_in(chosen, config.network.compute_dtype)
    assert config.network.input_mean is not None, "resolved"
    assert config.network.input_std is not None, "resolved"
    return standardising(chosen, config.network.input_mean, config.network.input_std)


def check_custom(networks: Networks, latent_dim: int, shape: tuple[int, ...]) -> None:
    """Traces a person's own networks, which costs no arithmetic, and says what does not fit.

    Raises:
        InputError: an encoder or decoder that fails or answers with other shapes.
    """
    rows = 3
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
    beta, gamma = controllers(config)
    return vaedec(
        networks,
        num_clusters=config.num_clusters,
        num_samples=num_samples,
        latent_dim=config.network.latent_dim,
        likelihood=config.model.likelihood,
        deterministic=config.model.deterministic,
        q_from=config.model.q_from,
        beta=beta,
        gamma=gamma,
        learning_rate=config.training.learning_rate,
        update_target_interval=config.training.update_target_interval,
    )


def plan(config: Config, networks: Networks, num_samples: int, has_validation: bool) -> list[Stage]:
    """VAE alone, k-means (no epochs: it ends where the joint stage starts), all jointly.

    Without validation rows, or where beta changes, the stages that would stop on them run all their epochs.
    """
    training = config.training
    beta, _ = controllers(config)
    comparable = has_validation and not isinstance(config.model.beta, str)
    patience = validation_patience(training.patience) if comparable else NEVER
    alone = vae(
        networks,
        likelihood=config.model.likelihood,
        deterministic=config.model.deterministic,
        beta=beta,
        learning_rate=training.learning_rate,
    )
    joint = clustering_learner(config, networks, num_samples)
    settled = assignment_change(training.tolerance) if training.joint_stopping == "assignments" else patience
    stages = [
        Stage("vae", alone, training.pretrain_epochs, from_scratch(alone), patience),
        Stage("kmeans", joint, 0, from_kmeans(joint, config.num_clusters), NEVER),
        Stage("joint", joint, training.joint_epochs, carry_on, settled),
    ]
    return stages if training.joint_epochs > 0 else stages[:-1]
