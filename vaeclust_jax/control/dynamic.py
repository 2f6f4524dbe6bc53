"""A beta that follows the losses' own history: the controller of the dynamic beta-VAE.

Source: Rydhmer and Selvan 2021, whose equations are in `dynamic_equations`, and the authors' released code for what
they leave open. What the words mean here, epochs counted from 1 and E = `warmup`:

- t is the epoch that ended; the new beta is in force from epoch t + 1 on.
- Epochs 1 to E have beta 0, epoch E + 1 has `start`.
- min L is over the epochs E + 1 to t - 1, those before t with a beta above 0; the first epoch with a decision is
  therefore E + 2. (The released code counts t too: D of a new best is then (1 - w) L, of the same sign for w >= 1.)
- t' is the epoch after which beta last changed by Eq. 5; before any change it is epoch 1, as in the released code.
  L_rec(t') was computed with the beta before that change.
- Decisions are made after epochs that `interval` divides, the paper's "every fifth". The released code decides after
  any epoch that is more than ten later than t': `since_change=True, interval=11`.
- The rule is off for good once beta >= `cap`; the step that gets there is not cut, so that beta may end above the cap.
- A beta that falls to 0 or below becomes `reset`. (Sums of steps such as 0.05 end beside 0 and beside the cap in
  float32: nearer than a thousandth of a step counts as there.)

Four weaknesses of the rule, and the option that cures each (all off by default):
- Where both losses are worse than their best by their shares, beta never moves again. `balance` lets the relatively
  worse one decide.
- beta is never lowered once it reached the cap. `leave_cap`: beta is held at the cap, and the rule stays on.
- The first decision compares with epoch 1, untrained, and so jumps by 2a + b. `compare_from_warmup`: the end of the
  warm-up counts as a change, t' = E.
- Minima are never forgotten, though L_rec must rise with beta. `forget`: after every epoch the minimum moves by this
  share towards the present loss, min <- min(L, min + forget (L - min)).
"""

from enum import IntEnum
from typing import NamedTuple

import jax.numpy as jnp
from jaxtyping import Array

from vaeclust_jax.control.controller import (
    Count,
    Flag,
    Number,
    at_least,
    controller,
    flag,
    loss_of,
    not_negative,
    positive,
)
from vaeclust_jax.control.dynamic_equations import Rule, equations
from vaeclust_jax.errors import InputError
from vaeclust_jax.types import Controller, Info


class Regime(IntEnum):
    """What the rule did after an epoch."""

    WAITING = 0
    """Nothing: warm-up, or no decision was due."""
    REGULARISATION = 1
    """beta rose."""
    RECONSTRUCTION = 2
    """beta fell, or became `reset`."""
    KEPT = 3
    """A decision that left beta as it was."""
    BOTH_BAD = 4
    """As KEPT, because both losses are worse than their best by their shares."""
    CAPPED = 5
    """The rule is off: beta reached the cap."""


class Timing(NamedTuple):
    """When the rule acts, and within which bounds; see `dynamic`."""

    interval: Count
    since_change: Flag
    warmup: Count
    start: Number
    cap: Number
    reset: Number
    leave_cap: Flag
    reference: Count
    """t' before any change."""
    forget: Number


class DynamicState(NamedTuple):
    """The weight, the rule, and the memory of the losses."""

    value: Number
    rule: Rule
    timing: Timing
    epochs: Count
    """How many ended."""
    best_rec: Number
    """min L_rec since the warm-up; has no meaning before."""
    best_reg: Number
    """min L_reg, likewise."""
    changed: Count
    """t'."""
    changed_rec: Number
    """L_rec(t')."""


def dynamic(
    *,
    a: float = 0.2,
    b: float = 0.05,
    w1: float = 1.2,
    w2: float = 1.2,
    w3: float = 0.9,
    w4: float = 1.1,
    interval: int = 5,
    since_change: bool = False,
    warmup: int = 25,
    start: float = 1e-3,
    cap: float = 2.0,
    reset: float = 0.05,
    balance: bool = False,
    leave_cap: bool = False,
    compare_from_warmup: bool = False,
    forget: float = 0.0,
) -> Controller:
    """The rule of the module's docstring; the defaults are the paper's.

    Its info: "d_rec" and "d_reg" (units of the losses), "d_loss" (dL) and "regime" (a `Regime`), after every epoch;
    the first three are 0 before there is a minimum to compare with.

    Args:
        a: step up, absolute whatever the losses' scale.
        b: step down, absolute too.
        w1: times the best L_rec is bad (1.2: worse by 20 %).
        w2: times the best L_reg, likewise.
        w3: below w3 L_rec(t') the reconstruction improved.
        w4: above w4 L_rec(t') it became worse; at least w3.
        interval: epochs between decisions.
        since_change: count the interval from the last change, instead of deciding after its multiples.
        warmup: E, epochs with beta 0; may be 0.
        start: beta after the warm-up.
        cap: beta from which on the rule is off; at least `start` and `reset`.
        reset: what a beta <= 0 becomes.
        balance: cure of "both bad".
        leave_cap: cure of the cap.
        compare_from_warmup: cure of the first jump.
        forget: cure of endless memory, in [0, 1).

    Raises:
        InputError: a number is out of its range.
    """
    steps = (positive("a", a), positive("b", b), positive("w1", w1), positive("w2", w2))
    w3, w4 = positive("w3", w3), positive("w4", w4)
    if w3 > w4:
        raise InputError(f"w3 must be at most w4, got w3 {w3} and w4 {w4}")
    interval, warmup = at_least(1, "interval", interval), at_least(0, "warmup", warmup)
    start, cap, reset = positive("start", start), positive("cap", cap), positive("reset", reset)
    if cap < max(start, reset):
        raise InputError(f"cap must be at least start and reset, got cap {cap}, start {start} and reset {reset}")
    if not_negative("forget", forget) >= 1:
        raise InputError(f"forget must lie in [0, 1), got {forget}")
    reference = max(warmup, 1) if flag("compare_from_warmup", compare_from_warmup) else 1
    rule = Rule(*steps, w3, w4, flag("balance", balance))
    since_change, leave_cap = flag("since_change", since_change), flag("leave_cap", leave_cap)
    timing = Timing(interval, since_change, warmup, start, cap, reset, leave_cap, reference, float(forget))
    return controller(DynamicState(0.0 if warmup else start, rule, timing, 0, 0.0, 0.0, reference, 0.0), _update)


def _update(state: DynamicState, losses: Info) -> tuple[DynamicState, Info]:
    rule, timing, epoch = state.rule, state.timing, state.epochs + 1
    rec, reg = loss_of(losses, "reconstruction"), loss_of(losses, "kl")
    changed_rec = jnp.where(epoch == timing.reference, rec, state.changed_rec)
    step = equations(rule, rec, reg, state.best_rec, state.best_reg, changed_rec)

    known = epoch > timing.warmup + 1  # there is an epoch before this one with a beta above 0
    due = jnp.where(timing.since_change, epoch - state.changed >= timing.interval, epoch % timing.interval == 0)
    near = 1e-3 * jnp.minimum(rule.a, rule.b)
    capped = known & (state.value > timing.cap - near) & ~timing.leave_cap
    decides = known & due & ~capped
    ceiling = jnp.where(timing.leave_cap, timing.cap, jnp.inf)
    change = jnp.where(decides & ((step.change < 0) | (state.value < ceiling)), step.change, 0.0)
    value = jnp.minimum(state.value + change, ceiling)
    value = jnp.where((change < 0) & (value < near), timing.reset, value)

    regime = jnp.where(decides, jnp.where(step.both_bad, Regime.BOTH_BAD, Regime.KEPT), Regime.WAITING)
    regime = jnp.where(change > 0, Regime.REGULARISATION, jnp.where(change < 0, Regime.RECONSTRUCTION, regime))
    regime = jnp.where(capped, Regime.CAPPED, regime)
    state = state._replace(
        value=jnp.where(epoch == timing.warmup, timing.start, value),
        epochs=epoch,
        best_rec=jnp.where(known, _best(state.best_rec, rec, timing.forget), rec),
        best_reg=jnp.where(known, _best(state.best_reg, reg, timing.forget), reg),
        changed=jnp.where(change != 0, epoch, state.changed),
        changed_rec=jnp.where(change != 0, rec, changed_rec),
    )
    deltas = {"d_rec": step.d_rec, "d_reg": step.d_reg, "d_loss": step.d_loss}
    shown = {name: jnp.where(known, delta, 0.0) for name, delta in deltas.items()}
    return state, {**shown, "regime": regime.astype(jnp.int32)}


def _best(best: Number, loss: Array, forget: Number) -> Array:
    """The minimum, after it has moved by the share `forget` towards the loss."""
    return jnp.minimum(loss, best + forget * (loss - best))
