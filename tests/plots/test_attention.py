"""Figures of attention and of models of many sizes: what is drawn where."""

import numpy as np
import pytest

from vaeclust_jax.errors import InputError
from vaeclust_jax.plots import attention_maps, loss_phases, scores_by_size


def test_a_patch_that_all_look_at_is_the_bright_one() -> None:
    shares = np.zeros((2, 1, 3, 6, 6))
    shares[..., 4] = 1  # of 2 x 3 patches
    figure = attention_maps(np.zeros((1, 4, 6, 1)), shares, 2)
    shown = [np.asarray(axes.images[0].get_array()) for axes in figure.axes[1:3]]
    for values in shown:
        np.testing.assert_array_equal(values, [[0, 0, 0], [0, 6, 0]])


def test_attention_of_other_images_is_refused() -> None:
    with pytest.raises(InputError, match="shares must be of 1 images and 6 patches"):
        attention_maps(np.zeros((1, 4, 6, 1)), np.zeros((2, 1, 3, 5, 5)), 2)
    with pytest.raises(InputError, match="must have 4 and 5 axes"):
        attention_maps(np.zeros((4, 6)), np.zeros((2, 1, 3, 6, 6)), 2)


def test_scores_stand_at_their_sizes() -> None:
    figure = scores_by_size([10, 100], [1.0, np.nan], [0.5, 0.6], [3, 4], [0.7, 0.8])
    left, right = figure.axes
    np.testing.assert_array_equal(left.get_lines()[0].get_xydata(), [[10, 0.5], [100, 0.6]])
    np.testing.assert_array_equal(right.get_lines()[1].get_xydata(), [[3, 0.7], [4, 0.8]])
    with pytest.raises(InputError, match="of one length, at least 1"):
        scores_by_size([1], [1], [1], [1], [1, 2])


def test_every_stage_has_a_panel_that_begins_with_its_first_epoch() -> None:
    history = [
        {"seed": 0, "stage": stage, "epoch": epoch, "loss": float(epoch), "val_loss": 2.0}
        for stage in ("layer-1", "together")
        for epoch in (1, 2, 3)
    ]
    figure = loss_phases(history)
    assert [axes.get_title() for axes in figure.axes] == ["layer-1", "together"]
    for axes in figure.axes:
        np.testing.assert_array_equal(axes.get_lines()[0].get_xydata(), [[1, 1], [2, 2], [3, 3]])
    with pytest.raises(InputError, match="history must have a loss"):
        loss_phases([])
