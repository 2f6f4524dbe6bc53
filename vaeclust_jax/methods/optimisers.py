"""What follows the gradient, as a value on a method: any optimiser of optax by its name, or L-BFGS.

The learning rate is `TrainingConfig.learning_rate`, and data in the state: sweeping it compiles nothing.
"""

import ast
import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import jax
import jax.numpy as jnp
import optax
from jaxtyping import Array

from vaeclust_jax.checks import check_types
from vaeclust_jax.errors import InputError
from vaeclust_jax.types import Batch, Info, Key, Params, State

Loss = Callable[[Key, Params, State, Batch], tuple[Array, Info]]


@dataclass(frozen=True)
class Optax:
    """An optimiser of optax.

    Example:
        >>> vc.Optax("sgd", ("momentum=0.9", "nesterov=true")).settings
        {'momentum': 0.9, 'nesterov': True}
    """

    rule: str = "adam"
    """Its name in optax, such as sgd, adam, adadelta, rmsprop or lion."""
    rule_settings: tuple[str, ...] = ()
    """Its settings as name=value, such as momentum=0.9; the learning rate is that of training."""

    def __post_init__(self) -> None:
        check_types(self)
        known = _parameters(self.rule)
        for name in self.settings:
            if name not in known:
                raise InputError(f"rule_settings of {self.rule} must be among {', '.join(sorted(known))}, got {name!r}")
        if (self.rule, self.rule_settings) != ("adam", ()):
            self._check_made()

    def _check_made(self) -> None:
        """Steps down a line without computing anything: what optax then says of its settings is one sentence."""
        try:
            rule = transformation(self)
            jax.eval_shape(
                lambda w: rule.update(w, rule.init(w), w, value=w, grad=w), jax.ShapeDtypeStruct((2,), jnp.float32)
            )
        except Exception as error:  # of optax, which has its own for each optimiser
            reason = " ".join(str(error).split())[:150]
            raise InputError(f"rule_settings {self.rule_settings} do not suit {self.rule}: {reason}") from error

    @property
    def settings(self) -> dict[str, Any]:
        """By name."""
        return dict(_parsed(setting) for setting in self.rule_settings)


@dataclass(frozen=True)
class LBFGS:
    """L-BFGS with a zoom line search (Nocedal and Wright 2006, chapters 3 and 7); each step sees all rows.

    Example:
        >>> vc.Regressor(optimiser=vc.LBFGS(memory=5)).optimiser.memory
        5
    """

    memory: int = 10
    """Steps whose gradients it remembers."""
    linesearch_steps: int = 20
    """Trials of a line search, at most."""

    def __post_init__(self) -> None:
        check_types(self)
        for name in ("memory", "linesearch_steps"):
            if getattr(self, name) < 1:
                raise InputError(f"{name} must be at least 1, got {getattr(self, name)}")


Optimiser = Optax | LBFGS


def check_optimiser(optimiser: Optimiser, num_samples: int, batch_size: int) -> None:
    """Whether its steps see what they need.

    Raises:
        InputError: L-BFGS would see a part of the rows.
    """
    if isinstance(optimiser, LBFGS) and batch_size < num_samples:
        raise InputError(
            f"L-BFGS needs all {num_samples} training rows in one batch, got batch_size {batch_size}: set "
            f"batch_size (--batch-size) to {num_samples} or more"
        )


@lru_cache
def transformation(optimiser: Optimiser, learning_rate: float = 0.0) -> optax.GradientTransformationExtraArgs:
    """The optimiser as optax has it; of `Optax` a state begins with the learning rate, and then holds it."""
    if isinstance(optimiser, LBFGS):
        search = optax.scale_by_zoom_linesearch(optimiser.linesearch_steps, initial_guess_strategy="one")
        return optax.lbfgs(memory_size=optimiser.memory, linesearch=search)
    known = _parameters(optimiser.rule)
    # Adam's other numbers are data in the state of every learner here (`methods.vae.adam`): a state fits all of them.
    swept = {"learning_rate", *(name for name, one in known.items() if isinstance(one.default, float))}
    static = [name for name in known if name not in swept]
    made = optax.inject_hyperparams(getattr(optax, optimiser.rule), static_args=static)
    return optax.with_extra_args_support(made(learning_rate=learning_rate, **optimiser.settings))


def start_of(optimiser: Optimiser, params: Params, learning_rate: float) -> State:
    """A `State` at step 0."""
    opt_state = transformation(optimiser, learning_rate).init(params)  # rprop's first steps are as long as it says
    if isinstance(optimiser, Optax):
        rate = jnp.asarray(learning_rate, jnp.float32)
        opt_state = opt_state._replace(hyperparams={**opt_state.hyperparams, "learning_rate": rate})
    return State(params, opt_state, control={}, memory=(), step=jnp.zeros((), jnp.int32))


def step_of(
    optimiser: Optimiser, loss: Loss, decay_steps: int | None = None
) -> Callable[[Key, State, Batch], tuple[State, Info]]:
    """`Learner.step`: one step of the optimiser down a loss (key, params, state, batch) -> (loss, info).

    Args:
        optimiser: whose step it is.
        loss: what it goes down.
        decay_steps: steps over which the learning rate falls to 0 along half a cosine (Loshchilov and Hutter 2017,
            Equation 5, without restarts); None: it stays.
    """
    rule = transformation(optimiser)
    share = None if decay_steps is None else optax.cosine_decay_schedule(1.0, decay_steps)

    def step(key: Key, state: State, batch: Batch) -> tuple[State, Info]:
        def of(params: Params) -> tuple[Array, Info]:
            return loss(key, params, state, batch)

        (value, info), gradient = jax.value_and_grad(of, has_aux=True)(state.params)
        updates, opt_state = rule.update(
            gradient, state.opt_state, state.params, value=value, grad=gradient, value_fn=lambda params: of(params)[0]
        )
        if share is not None:  # an update is proportional to the learning rate
            updates = jax.tree.map(lambda update: share(state.step) * update, updates)
        params = optax.apply_updates(state.params, updates)
        return state._replace(params=params, opt_state=opt_state, step=state.step + 1), info

    return step


def gentler_of(optimiser: Optimiser) -> Callable[[State], State]:
    """`Learner.gentler`: half the learning rate; L-BFGS searches for its own."""
    if isinstance(optimiser, LBFGS):
        return _as_it_is
    return _halved


def _as_it_is(state: State) -> State:
    return state


def _halved(state: State) -> State:
    numbers = state.opt_state.hyperparams
    numbers = {**numbers, "learning_rate": numbers["learning_rate"] / 2}
    return state._replace(opt_state=state.opt_state._replace(hyperparams=numbers))


@lru_cache
def _parameters(rule: str) -> Mapping[str, inspect.Parameter]:
    """The settings of an optimiser of optax.

    Raises:
        InputError: there is no such optimiser.
    """
    # Not `getattr`, which finds what is deprecated, too.
    made = vars(optax).get(rule) if rule.islower() and not rule.startswith(("_", "scale_by_")) else None
    names: Mapping[str, inspect.Parameter] = inspect.signature(made).parameters if callable(made) else {}
    if rule == "lbfgs":
        raise InputError("rule 'lbfgs' is an optimiser of its own: write LBFGS(), or --optimiser lbfgs")
    if "learning_rate" not in names:
        raise InputError(f"rule must be an optimiser of optax, such as sgd, adam or adadelta, got {rule!r}")
    return names


_WORDS = {"true": "True", "false": "False", "none": "None"}


def _parsed(setting: str) -> tuple[str, Any]:
    name, equals, value = setting.partition("=")
    sentence = f"rule_settings must be name=number, =true or =false, and not the learning rate, got {setting!r}"
    try:
        found = ast.literal_eval(_WORDS.get(value.lower(), value))
    except (ValueError, SyntaxError) as error:
        raise InputError(sentence) from error
    if not equals or name == "learning_rate" or not isinstance(found, (int, float, type(None))):
        raise InputError(sentence)
    return name, found
