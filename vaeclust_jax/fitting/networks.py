"""The networks of a fit: the config's, or a person's own, and whether those fit."""

import jax
import jax.numpy as jnp

from vaeclust_jax.errors import InputError
from vaeclust_jax.fitting.config import Config
from vaeclust_jax.networks.build import computing_in, standardising
from vaeclust_jax.networks.views import moving
from vaeclust_jax.types import Networks


def networks_of(config: Config, shape: tuple[int, ...], networks: Networks | None) -> Networks:
    """The config's networks, or those handed in, in the config's arithmetic and with a standardised encoder input."""
    seen = config.method.network_shape(shape, config.network.latent_dim)
    chosen = config.network.build(seen) if networks is None else networks
    if (strength := config.method.view_strength()) > 0:
        chosen = chosen._replace(view=moving(strength))
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
