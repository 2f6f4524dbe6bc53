"""What the paper's rule gets stuck at, and the option that frees it."""

import numpy as np
import pytest

from tests.control.replay import replay
from vaeclust_jax.control.dynamic import Regime, dynamic

NUM_EPOCHS = 300
EPOCH = np.arange(1, NUM_EPOCHS + 1)


def decisions(found: np.ndarray, first: int) -> np.ndarray:
    """What was found at each decision from epoch `first` on."""
    return found[EPOCH % 5 == 0][(first - 1) // 5 :]


@pytest.mark.parametrize(("rec_later", "kl_later", "step"), [(14.0, 6.0, 0.2), (19.0, 4.0, -0.05)])
def test_both_bad_never_moves_again_and_balance_follows_the_worse(
    rec_later: float, kl_later: float, step: float
) -> None:
    """Best 10 and 3, then 1.4 and 2 times as bad, or 1.9 and 1.33 times: the relatively worse one decides."""
    rec, kl = np.where(EPOCH < 50, 10.0, rec_later), np.where(EPOCH < 50, 3.0, kl_later)
    stuck = replay(dynamic(), rec, kl)
    assert set(decisions(stuck.info["regime"], 50).tolist()) == {Regime.BOTH_BAD}
    assert len(set(stuck.after[49:].tolist())) == 1
    freed = replay(dynamic(balance=True, cap=10.0), rec, kl)
    before = freed.after[48]
    assert before == stuck.after[48]
    moves = decisions(freed.after, 50)[:8]
    np.testing.assert_allclose(moves, before + step * np.arange(1, 9), rtol=1e-5)


def test_balance_changes_no_other_cell() -> None:
    rng = np.random.default_rng(0)
    rec, kl = 10 * np.exp(rng.normal(0, 0.05, NUM_EPOCHS)), 3 * np.exp(rng.normal(0, 0.3, NUM_EPOCHS))
    rec = np.minimum(rec, 1.15 * rec.min())  # never bad
    paper, balanced = (replay(dynamic(balance=balance), rec, kl) for balance in (False, True))
    assert Regime.BOTH_BAD not in paper.info["regime"]
    np.testing.assert_array_equal(paper.after, balanced.after)


def test_the_cap_is_never_left_and_leave_cap_leaves_it() -> None:
    """Flat losses drive beta to the cap; then the reconstruction turns three times as bad."""
    rec, kl = np.where(EPOCH <= 150, 10.0, 30.0), np.full(NUM_EPOCHS, 3.0)
    stuck = replay(dynamic(), rec, kl)
    assert stuck.after[-1] == stuck.after[150] > 2.0
    assert set(stuck.info["regime"][150:].tolist()) == {Regime.CAPPED}
    freed = replay(dynamic(leave_cap=True), rec, kl)
    assert freed.after.max() == 2.0  # cut at the cap
    assert set(decisions(freed.info["regime"], 80)[:15].tolist()) == {Regime.KEPT}  # at the cap a rise is none
    # After epoch 155 also worse than at the last change: 2b; then bad but within: b.
    np.testing.assert_allclose(decisions(freed.after, 155)[:4], [1.9, 1.85, 1.8, 1.75], rtol=1e-6)


def test_the_first_decision_jumps_by_2a_plus_b_and_compare_from_warmup_does_not() -> None:
    """The losses are flat since epoch 10, but epoch 1 was untrained."""
    rec, kl = np.where(EPOCH < 10, 100.0, 10.0), np.full(NUM_EPOCHS, 3.0)
    jump = replay(dynamic(), rec, kl)
    assert jump.info["d_loss"][29] == -2
    assert jump.after[29] - jump.after[28] == pytest.approx(2 * 0.2 + 0.05)
    cured = replay(dynamic(compare_from_warmup=True), rec, kl)
    assert cured.info["d_loss"][29] == 0
    assert cured.after[29] - cured.after[28] == pytest.approx(0.2)


def test_compare_from_warmup_counts_the_interval_from_there_too() -> None:
    found = replay(
        dynamic(compare_from_warmup=True, since_change=True, interval=11), np.full(60, 10.0), np.full(60, 3.0)
    )
    assert np.flatnonzero(found.info["regime"] == Regime.REGULARISATION)[0] + 1 == 25 + 11


def test_minima_are_never_forgotten_and_forget_forgets_them() -> None:
    """The reconstruction was 10 at a small beta and is 15 since epoch 100: bad for ever, or for a while."""
    rec, kl = np.where(EPOCH < 100, 10.0, 15.0), np.full(NUM_EPOCHS, 3.0)
    options = {"leave_cap": True, "compare_from_warmup": True}
    stuck = replay(dynamic(**options), rec, kl)
    np.testing.assert_allclose(stuck.info["d_rec"][99:], 15 - 1.2 * 10, atol=1e-6)  # an ulp of 15
    assert set(decisions(stuck.info["regime"], 100).tolist()) == {Regime.RECONSTRUCTION}
    cured = replay(dynamic(**options, forget=0.05), rec, kl)
    # The minimum of the epochs before t: 15 - 5 x 0.95^(t - 100).
    expected = 15 - 1.2 * (15 - 5 * 0.95 ** (EPOCH[99:] - 100.0))
    np.testing.assert_allclose(cured.info["d_rec"][99:], expected, rtol=1e-4, atol=1e-4)
    good = 100 + int(np.ceil(np.log(0.5) / np.log(0.95)))  # 15 - 5 x 0.95^k >= 12.5
    assert (cured.info["d_rec"][99 : good - 1] > 0).all()
    assert (cured.info["d_rec"][good - 1 :] < 0).all()
    assert cured.after[good - 2] < 1.95 < cured.after[-1]  # fell, and rose again


def test_forget_also_frees_both_bad() -> None:
    rec, kl = np.where(EPOCH < 50, 10.0, 14.0), np.where(EPOCH < 50, 3.0, 6.0)
    found = replay(dynamic(forget=0.02), rec, kl)
    assert Regime.BOTH_BAD in found.info["regime"][49:80]
    assert Regime.BOTH_BAD not in found.info["regime"][200:]
    assert found.after[-1] > found.after[80]


def test_a_new_best_is_remembered_at_once_whatever_is_forgotten() -> None:
    rec = np.where(EPOCH == 200, 5.0, 10.0)
    found = replay(dynamic(forget=0.1), rec, np.full(NUM_EPOCHS, 3.0))
    assert found.info["d_rec"][200] == pytest.approx(10 - 1.2 * 5, rel=1e-6)
    assert found.info["d_rec"][201] == pytest.approx(10 - 1.2 * 5.5, rel=1e-6)


def test_a_negative_loss_is_worse_by_a_share_of_its_size() -> None:
    """-10 is the best; -9 is within 20 % of it, -7 is not. (1.2 x -10 = -12 would call every loss bad.)"""
    rec = np.select([EPOCH < 40, EPOCH < 60], [-10.0, -9.0], -7.0)
    found = replay(dynamic(), rec, np.full(NUM_EPOCHS, 3.0))
    np.testing.assert_allclose(found.info["d_rec"][49], -9 + 8, rtol=1e-5)
    np.testing.assert_allclose(found.info["d_rec"][70], -7 + 8, rtol=1e-5)
    assert found.after[57] > found.after[38]
    assert found.after[70] < found.after[57]
