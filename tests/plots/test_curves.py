import numpy as np
import pytest

from vaeclust_jax.control.dynamic import Regime
from vaeclust_jax.errors import InputError
from vaeclust_jax.plots import loss_parts

STAGES = (("vae", 3), ("joint", 2))


def history(seeds, stages=STAGES):
    rng = np.random.default_rng(0)
    rows = []
    for seed in range(seeds):
        for stage, epochs in stages:
            for epoch in range(1, epochs + 1):
                row = {
                    "seed": seed,
                    "stage": stage,
                    "epoch": epoch,
                    "loss": rng.normal(),
                    "val_loss": rng.normal(),
                }
                rows.append(row | ({"cluster": rng.normal()} if stage == "joint" else {}))
    return rows


def lines(axes, label):
    return [line for line in axes.get_lines() if line.get_label() == label]


def values(rows, key, seed, stage):
    return [row[key] for row in rows if row["seed"] == seed and row["stage"] == stage]


def test_lines_are_the_history_with_a_gap_between_stages():
    rows = history(1)
    figure = loss_parts(rows)
    loss, cluster = figure.axes
    assert [axes.get_title(loc="left") for axes in figure.axes] == ["loss", "cluster"]
    for key, label in (("loss", "training"), ("val_loss", "validation")):
        (line,) = lines(loss, label)
        expected = [*values(rows, key, 0, "vae"), np.nan, *values(rows, key, 0, "joint")]
        np.testing.assert_array_equal(line.get_ydata(), expected)
        np.testing.assert_array_equal(line.get_xdata(), [1, 2, 3, np.nan, 4, 5])
    np.testing.assert_array_equal(lines(cluster, "training")[0].get_xdata(), [4, 5])
    assert lines(cluster, "validation") == []


def test_seeds_are_thin_and_their_mean_is_thick():
    rows = history(3)
    loss = loss_parts(rows).axes[0]
    (mean,) = lines(loss, "training")
    seeds = lines(loss, "one seed")
    assert len(seeds) == 6  # three for training, three for validation
    assert all(line.get_linewidth() < mean.get_linewidth() for line in seeds)
    assert mean.get_ydata()[0] == pytest.approx(np.mean([values(rows, "loss", seed, "vae")[0] for seed in range(3)]))


def test_the_mean_covers_the_epochs_of_all_seeds():
    rows = [row for row in history(2) if not (row["seed"] == 1 and row["stage"] == "vae" and row["epoch"] == 3)]
    (mean,) = lines(loss_parts(rows).axes[0], "training")
    np.testing.assert_array_equal(mean.get_xdata(), [1, 2, np.nan, 4, 5])


def test_validation_every_other_epoch_is_one_line():
    rows = [
        {"seed": 0, "stage": "vae", "epoch": e, "loss": 1.0} | ({"val_loss": e / 2} if e % 2 == 0 else {})
        for e in range(1, 7)
    ]
    (line,) = lines(loss_parts(rows).axes[0], "validation")
    np.testing.assert_array_equal(line.get_xydata(), [[2, 1], [4, 2], [6, 3]])


def test_stages_are_marked_and_units_given():
    loss = loss_parts(history(2)).axes[0]
    boundary = [line for line in loss.get_lines() if list(line.get_xdata()) == [3.5, 3.5]]
    assert len(boundary) == 1
    assert [text.get_text() for text in loss.texts] == ["vae", "joint"]
    assert loss.get_ylabel() == "nats per sample"
    assert loss.get_xlabel() == "epoch"
    assert loss.get_xlim() == (0.5, 5.5)


def test_legend_names_what_is_drawn():
    texts = [text.get_text() for text in loss_parts(history(1)).legends[0].get_texts()]
    assert texts == ["training", "validation"]
    texts = [text.get_text() for text in loss_parts(history(2)).legends[0].get_texts()]
    assert texts == ["training", "validation", "one seed"]


@pytest.mark.parametrize("rows", [history(1, (("joint", 1),)), history(4, (("vae", 1), ("joint", 40)))])
def test_renders(rows, png):
    png(loss_parts(rows))


@pytest.mark.parametrize("rows", [[], [{"seed": 0, "stage": "vae", "epoch": 1}]])
def test_a_history_without_values(rows):
    with pytest.raises(InputError, match="history must have rows with parts of a loss"):
        loss_parts(rows)


def controlled(regimes):
    return [
        {"seed": seed, "stage": "vae", "epoch": epoch, "loss": 1.0, "beta": 0.1 * epoch, "beta_regime": int(regime)}
        for seed in (4, 2)
        for epoch, regime in enumerate(regimes if seed == 4 else [Regime.WAITING] * len(regimes), 1)
    ]


def test_epochs_are_shaded_by_the_decision_of_the_first_seed(png):
    regimes = [Regime.WAITING, Regime.REGULARISATION, Regime.REGULARISATION, Regime.KEPT, Regime.REGULARISATION]
    figure = loss_parts(controlled([*regimes, Regime.CAPPED]))
    assert [axes.get_title(loc="left") for axes in figure.axes] == ["loss", "beta"], "a regime is no part"
    for axes in figure.axes:
        bands = [(patch.get_label(), patch.get_x(), patch.get_x() + patch.get_width()) for patch in axes.patches]
        assert bands == [("beta rises", 1.5, 3.5), ("beta rises", 4.5, 5.5), ("rule off: beta at its cap", 5.5, 6.5)]
    texts = [text.get_text() for text in figure.legends[0].get_texts()]
    assert texts == ["training", "one seed", "beta rises", "rule off: beta at its cap"]
    png(figure)
