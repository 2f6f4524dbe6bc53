"""What a prompt and a notebook show of a config, a model and data: a screenful, true, and no more."""

from html.parser import HTMLParser
from typing import Any

import numpy as np
import pytest

import vaeclust_jax as vc
from tests.fitting.made import LINEAR, blobs, config
from vaeclust_jax.networks import NETWORKS

SCREEN = 20
"""Lines of 120 letters."""


class Cells(HTMLParser):
    """The texts of a table's cells, and the tags."""

    def __init__(self, html: str):
        super().__init__()
        self.tags: set[str] = set()
        self.texts: list[str] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: Any) -> None:
        self.tags.add(tag)

    def handle_data(self, data: str) -> None:
        self.texts.append(data)


def cells(value: Any) -> dict[str, str]:
    """What the HTML says, by the name of the row."""
    seen = Cells(value._repr_html_())
    assert seen.tags <= {"table", "caption", "tbody", "tr", "th", "td"}
    texts = seen.texts[1:]
    return dict(zip(texts[::2], texts[1::2], strict=True))


def fits(text: str) -> bool:
    return sum(1 + len(line) // 120 for line in text.split("\n")) <= SCREEN


CONFIGS = [
    vc.Config(vc.DEC(10)),
    vc.Config(vc.DEC(10), vc.PrepareConfig(grey=True), vc.MLP(hidden=(3, 4)), vc.TrainingConfig(32)),
    vc.Config(vc.VaDE(4, start=vc.GraphStart(), stopping=vc.Settled(0.5)), network=vc.Conv(latent_dim=2)),
    *(config(method=name) for name in ("kmeans", "graph", "vade", "mixture")),
]


@pytest.mark.parametrize("made", CONFIGS, ids=repr)
def test_a_config_is_shown_as_the_call_that_makes_it(made: vc.Config) -> None:
    names = {**vars(vc), **{kind.__name__: kind for kind in NETWORKS.values()}, "_Small": type(config().network)}
    assert eval(repr(made), names) == made


def test_a_config_shows_nothing_that_is_the_default() -> None:
    assert repr(vc.Config(vc.DEC(10))) == "Config(method=DEC(num_clusters=10))"
    assert repr(CONFIGS[1]).endswith(
        "prepare=PrepareConfig(grey=True), network=MLP(hidden=(3, 4)), training=TrainingConfig(batch_size=32))"
    )
    assert cells(CONFIGS[1])["training"] == "TrainingConfig(batch_size=32)"


def test_values_that_would_fill_the_screen_are_cut() -> None:
    network = vc.MLP(hidden=tuple(range(1, 10_000)))
    assert fits(repr(vc.Config(vc.DEC(10), network=network)))
    data = vc.data.Dataset(np.zeros((3, 4)), None, "x" * 10_000, source="y" * 10_000, taken=("z" * 10_000,))
    assert fits(repr(data))
    assert all(map(fits, cells(data).values()))


def test_a_model_says_what_it_is_and_how_it_was_trained(fitted: vc.Run) -> None:
    weights = (5 * 16 + 16 + 2 * (16 * 2 + 2)) + (2 * 16 + 16 + 16 * 5 + 5) + 1 + 3 * 2  # the noise, the centroids
    assert repr(fitted) == (
        "Run(DEC(num_clusters=3, likelihood='gaussian', beta=1.0, pretrain_epochs=2, joint_epochs=2, gamma=100.0, "
        "target='all'), "
        f"vectors of 5, MLP(latent_dim=2, input_mean=0.0, input_std=1.0, hidden=(16,)), {weights} parameters, "
        "96 training rows, 24 held out, epochs: vae 2, joint 2)"
    )
    shown = cells(fitted)
    assert shown["samples"] == "vectors of 5"
    assert shown["loss"] == f"{fitted.history[-1]['loss']:.4g} nats a sample"


@pytest.mark.long
def test_models_of_other_kinds_are_shown_too() -> None:
    x, y = blobs()
    own = vc.fit(config(pretrain_epochs=1, joint_epochs=0), x, 0, networks=LINEAR)
    assert "CustomNetwork(" in repr(own)
    classifier = vc.fit(vc.Config(vc.METHODS["classifier"](epochs=1), network=vc.MLP()), x, 0, partial_labels=y)
    assert "epochs: " in repr(classifier)
    assert fits(repr(classifier))
    assert cells(classifier)["method"].startswith("Classifier(")


def test_data_say_how_many_and_of_what() -> None:
    digits = vc.data.load("digits")
    assert repr(digits) == "Dataset('digits', 1797 images of 8 x 8 x 1, float32, labels of 10 classes)"
    mine = vc.data.Dataset(np.zeros((3, 4), np.float32), None, "mine")
    assert repr(mine) == "Dataset('mine', 3 vectors of 4, float32, no labels)"


def test_names_are_text_and_no_html() -> None:
    name = "<script>alert('&')</script>"
    data = vc.data.Dataset(np.zeros((3, 4), np.float32), None, name, source=name)
    assert cells(data)["source"] == name
