"""T6: the uncertainty of every assignment from stochastic passes, against PyTorch's passes."""

from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import jax
import numpy as np

from benchmarks import samples
from benchmarks.case import Case, Effort, Measured, Row
from benchmarks.cases.epoch import GAMMA, NUM_CLUSTERS, joint_learner
from benchmarks.fastest import OURS, against_fastest
from benchmarks.models import CONV
from benchmarks.peers.available import missing
from benchmarks.timing import measure
from vaeclust_jax.methods.dec_learner import dec_heads
from vaeclust_jax.training.rows import encode_rows
from vaeclust_jax.types import Heads, Params
from vaeclust_jax.uncertainty.latent import Uncertainty, stochastic_passes

TOLERANCE = 1e-4
"""Largest error of the posterior's parameters, relative to the largest of them."""
_CHANCE = 6.0
"""Standard errors by which two averages over draws may differ."""


def check_posterior(ours: tuple[np.ndarray, np.ndarray], peer: tuple[np.ndarray, np.ndarray]) -> None:
    """Holds our posterior (mean, logvar), (n, L) each, against PyTorch's.

    Raises:
        AssertionError: from the same weights and rows they differ by more than `TOLERANCE`.
    """
    for name, mine, other in zip(("mean", "logvar"), ours, peer, strict=True):
        error, scale = np.abs(mine - other).max(), np.abs(other).max()
        assert error <= TOLERANCE * scale, f"{name} must agree to {TOLERANCE:g} of {scale:g}, got {error:.3g}"


def check_uncertainty(ours: Uncertainty, peer: Uncertainty, num_passes: int) -> None:
    """Holds two summaries of the same posteriors, from draws of their own, against each other.

    What either draws for a row is independent of the other rows, so that the mean over rows of a difference has the
    standard error that the differences themselves show. And q lies in [0, 1]: its variance is at most p (1 - p), which
    bounds the difference of every single probability.

    Args:
        ours, peer: summaries of equal shapes.
        num_passes: M, of each.

    Raises:
        AssertionError: they differ by more than draws explain.
    """
    for name, mine, other in zip(Uncertainty._fields, ours, peer, strict=True):
        difference = np.asarray(mine, float) - other
        error = difference.std(axis=0, ddof=1) / np.sqrt(len(difference))
        far = np.abs(difference.mean(axis=0)) > _CHANCE * error + 1e-6
        assert not far.any(), f"{name} must agree on average, got {difference.mean(axis=0)} with error {error}"
    p = np.maximum(ours.probabilities, peer.probabilities)
    worst = np.abs(ours.probabilities - peer.probabilities) / np.sqrt(2 * p * (1 - p) / num_passes + 1e-6)
    assert worst.max() < _CHANCE, f"probabilities must agree row by row, got {worst.max():.2g} standard errors"


class _Setting(NamedTuple):
    """What both rows of the table measure."""

    heads: Heads
    params: Params
    x: np.ndarray

    def uncertainty(self, num_passes: int) -> Uncertainty:
        """What `Run.uncertainty` does with rows that are prepared."""
        return stochastic_passes(jax.random.key(1), self.heads, self.params, *encode_rows(*self), num_passes)


def _torch_passes(setting: _Setting, num_passes: int) -> dict[str, Any]:
    """PyTorch's `Passes` by name, from the same weights.

    Raises:
        AssertionError: PyTorch computes another posterior.
    """
    import torch

    from benchmarks.peers.torch_passes import Passes
    from benchmarks.peers.torch_training import torch_vae, variants
    from benchmarks.peers.torch_vae import VAEDEC

    torch.manual_seed(0)
    peers = {}
    for name, channels_last in variants(CONV).items():
        model = VAEDEC(torch_vae(CONV), NUM_CLUSTERS, CONV.config.latent_dim, GAMMA)
        peer = Passes(model, setting.params, setting.x, num_passes, channels_last)
        mean, logvar = (part.numpy() for part in peer.encode())
        check_posterior(encode_rows(*setting), (mean, logvar))
        peers[name] = peer
    return peers


def _checked(setting: _Setting, num_passes: int, peers: dict[str, Callable[[], Any]]) -> dict[str, Callable[[], Any]]:
    """The same functions, each of which found the uncertainty that we find.

    Raises:
        AssertionError: one does not.
    """
    ours = setting.uncertainty(num_passes)
    for function in peers.values():
        check_uncertainty(ours, Uncertainty(*(part.numpy() for part in function())), num_passes)
    return peers


def _every_pass_row(setting: _Setting, num_passes: int, effort: Effort) -> Row:
    """Against PyTorch with its encoder in every pass; outside a full run a few of its passes stand for all."""
    timed = num_passes if effort.full else max(2, num_passes // 25)
    peers = {} if missing("torch") else _torch_passes(setting, timed)
    every = _checked(setting, timed, {name: peer.encoding_in_every_pass for name, peer in peers.items()})
    setting.uncertainty(num_passes)  # compiles; the check has warmed up the peers, whose every run is long
    functions = {OURS: lambda: setting.uncertainty(num_passes), **every}
    seconds = measure(functions, max(1, effort.repetitions // 3), warmup=0)
    scaled = "" if timed == num_passes else f"the peer's time is that of {timed} passes, times {num_passes / timed:g}"
    return against_fastest(
        {name: taken if name == OURS else _times(taken, num_passes / timed) for name, taken in seconds.items()},
        target=30.0,
        note=_note(scaled),
        **_fields(setting, num_passes, "encodes in every pass"),
    )


def _once_row(setting: _Setting, num_passes: int, effort: Effort) -> Row:
    """Against PyTorch encoding once."""
    peers = {} if missing("torch") else _torch_passes(setting, num_passes)
    once = _checked(setting, num_passes, {name: peer.encoding_once for name, peer in peers.items()})
    seconds = measure({OURS: lambda: setting.uncertainty(num_passes), **once}, effort.repetitions)
    return against_fastest(seconds, target=1.0, note=_note(), **_fields(setting, num_passes, "encodes once"))


def _times(taken: Measured, factor: float) -> Measured:
    return Measured(*(factor * seconds for seconds in taken[:3]), taken.repetitions)


def _fields(setting: _Setting, num_passes: int, peer_does: str) -> dict[str, str]:
    what = f"{num_passes} stochastic passes, {len(setting.x)} x 32 x 32; the peer {peer_does}"
    return {"case": "T6", "what": what, "unit": "ms"}


def _note(more: str = "") -> str:
    parts = ["ours encodes once, as the posterior is the same in every pass", more, missing("torch")]
    return "; ".join(filter(None, parts))


def _run(effort: Effort) -> Iterator[Row]:
    n, num_passes = (64, 4) if effort.smoke else (1440, 100)
    learner, heads = joint_learner(n), dec_heads(CONV.networks, CONV.likelihood, False)
    setting = _Setting(heads, learner.init(jax.random.key(0)).params, samples.images(n))
    yield _every_pass_row(setting, num_passes, effort)
    yield _once_row(setting, num_passes, effort)


CASES = [Case("T6", "uncertainty by stochastic passes (COIL-20 at 32 x 32)", _run)]
