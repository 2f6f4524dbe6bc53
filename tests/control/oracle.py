"""The dynamic beta-VAE's controller as a plain loop over lists, from its equations; any exact number type."""

from collections.abc import Sequence
from typing import Any, NamedTuple

from vaeclust_jax.control.dynamic import Regime


class Trace(NamedTuple):
    value: list[Any]
    d_rec: list[Any]
    d_reg: list[Any]
    d_loss: list[int]
    regime: list[int]


def sign(x: Any) -> int:
    return (x > 0) - (x < 0)


def worse(w: Any, loss: Any) -> Any:
    """`loss` and the share w - 1 of its size."""
    return loss + (w - 1) * abs(loss)


def dynamic_oracle(
    rec: Sequence[Any],
    reg: Sequence[Any],
    *,
    a: Any,
    b: Any,
    w1: Any,
    w2: Any,
    w3: Any,
    w4: Any,
    interval: int,
    since_change: bool,
    warmup: int,
    start: Any,
    cap: Any,
    reset: Any,
    balance: bool = False,
    leave_cap: bool = False,
    compare_from_warmup: bool = False,
) -> Trace:
    beta = start if warmup == 0 else 0
    last = max(1, warmup) if compare_from_warmup else 1
    trace = Trace([], [], [], [], [])
    for t in range(1, len(rec) + 1):
        now_rec, now_reg = rec[t - 1], reg[t - 1]
        earlier = slice(warmup, t - 1)  # epochs warmup + 1 to t - 1
        d_rec = d_reg = d_loss = 0
        regime = Regime.WAITING
        if t == warmup:
            beta = start
        elif t >= warmup + 2:
            d_rec = now_rec - worse(w1, min(rec[earlier]))
            d_reg = now_reg - worse(w2, min(reg[earlier]))
            d_loss = sign(now_rec - worse(w3, rec[last - 1])) + sign(now_rec - worse(w4, rec[last - 1]))
            decision = t - last >= interval if since_change else t % interval == 0
            if beta >= cap and not leave_cap:
                regime = Regime.CAPPED
            elif decision:
                s_rec, s_reg = sign(d_rec), sign(d_reg)
                falls = b * (1 - s_reg) * (1 + s_rec + d_loss) / 4
                rises = a * (1 - s_rec) * (1 - s_reg - d_loss) / 4
                bad = s_rec == s_reg == 1
                if bad and balance:
                    excess = [
                        d * abs(other)
                        for d, other in (
                            (d_rec, worse(w2, min(reg[earlier]))),
                            (d_reg, worse(w1, min(rec[earlier]))),
                        )
                    ]
                    falls, rises = (b, 0) if excess[0] > excess[1] else (0, a)
                step = rises - falls
                if leave_cap and beta >= cap and step > 0:
                    step = 0
                regime = {1: Regime.REGULARISATION, -1: Regime.RECONSTRUCTION, 0: Regime.KEPT}[sign(step)]
                if bad and step == 0:
                    regime = Regime.BOTH_BAD
                if step != 0:
                    beta, last = beta + step, t
                    if leave_cap:
                        beta = min(beta, cap)
                    if beta <= 0:
                        beta = reset
        for column, entry in zip(trace, (beta, d_rec, d_reg, d_loss, int(regime)), strict=True):
            column.append(entry)
    return trace
