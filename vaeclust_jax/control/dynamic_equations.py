"""The step of the dynamic beta-VAE's controller, Eq. 5 to 8 of its source, apart from when it is taken.

Source: Rydhmer and Selvan, Dynamic beta VAEs for quantifying biodiversity by clustering optically recorded insect
signals, 2021. With psi = sign, psi(0) = 0, and the mean losses L_rec (reconstruction) and L_reg (KL) of epoch t:

    D_rec = L_rec(t) - w1 min L_rec                                              (6)
    D_reg = L_reg(t) - w2 min L_reg                                              (7)
    dL    = psi[L_rec(t) - w3 L_rec(t')] + psi[L_rec(t) - w4 L_rec(t')]          (8)
    step  = - (b/4) (1 - psi[D_reg]) (1 + psi[D_rec] + dL)                       (5) reconstruction: beta falls
            + (a/4) (1 - psi[D_rec]) (1 - psi[D_reg] - dL)                       (5) regularisation: beta rises

    psi[D_rec]  psi[D_reg]   dL = -2    dL = 0    dL = +2
        -           -         2a + b       a         -b
        -           +           a          0         -a
        +           -           0         -b        -2b
        +           +           0          0          0

psi[L - w M] compares L with w M as float32 rounds it. w > 1 means "worse by the share w - 1"; for a negative M (a
negative log-density may be one; the paper's losses never are) that is (2 - w) M.
"""

from typing import NamedTuple

import jax.numpy as jnp
from jaxtyping import Array

from vaeclust_jax.control.controller import Flag, Number


class Rule(NamedTuple):
    """The numbers of the equations, and whether the last row of the table is filled in."""

    a: Number
    b: Number
    w1: Number
    w2: Number
    w3: Number
    w4: Number
    balance: Flag


class Step(NamedTuple):
    """What the equations say.

    Attributes:
        change: of beta.
        both_bad: whether this is the last row of the table.
        d_rec: D_rec, in the reconstruction's units.
        d_reg: D_reg, in nats.
        d_loss: dL.
    """

    change: Array
    both_bad: Array
    d_rec: Array
    d_reg: Array
    d_loss: Array


def equations(rule: Rule, rec: Array, reg: Array, best_rec: Number, best_reg: Number, changed_rec: Number) -> Step:
    """The step of beta if a decision is made now.

    Args:
        rule: the numbers. With `balance`, where both losses are bad the one with the larger D / |w min| decides:
            beta falls by b for the reconstruction or rises by a for the KL term.
        rec: L_rec(t).
        reg: L_reg(t).
        best_rec: min L_rec.
        best_reg: min L_reg.
        changed_rec: L_rec(t').
    """
    limit_rec, limit_reg = _times(rule.w1, best_rec), _times(rule.w2, best_reg)
    d_rec, d_reg = rec - limit_rec, reg - limit_reg
    psi_rec, psi_reg = _psi(rec, limit_rec), _psi(reg, limit_reg)
    d_loss = _psi(rec, _times(rule.w3, changed_rec)) + _psi(rec, _times(rule.w4, changed_rec))
    fall = rule.b / 4 * (1 - psi_reg) * (1 + psi_rec + d_loss)
    rise = rule.a / 4 * (1 - psi_rec) * (1 - psi_reg - d_loss)

    both_bad = (psi_rec > 0) & (psi_reg > 0)
    rec_is_worse = d_rec * jnp.abs(limit_reg) > d_reg * jnp.abs(limit_rec)
    balancing = jnp.where(rec_is_worse, -rule.b, rule.a)
    change = jnp.where(both_bad & rule.balance, balancing, rise - fall)
    return Step(change, both_bad, d_rec, d_reg, d_loss)


def _psi(loss: Array, limit: Array) -> Array:
    """The sign of loss - limit. Compared, not subtracted: a fused multiply-add would see a difference in a tie."""
    return (loss > limit).astype(jnp.float32) - (loss < limit).astype(jnp.float32)


def _times(w: Number, loss: Number) -> Array:
    return jnp.where(loss >= 0, w * loss, (2 - w) * loss)
