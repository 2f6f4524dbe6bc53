"""`help` of a class of settings has the text of each of its fields, which is written once."""

import pydoc
import subprocess
import sys
from dataclasses import dataclass, fields, is_dataclass

import pytest

import vaeclust_jax as vc
from vaeclust_jax.field_texts import show_in_help, texts_of

SETTINGS = [
    kind
    for kind in {*vc.METHODS.values(), *(one for one in vars(vc).values() if isinstance(one, type))} - {vc.Run}
    if is_dataclass(kind)
]
SETTINGS.sort(key=lambda kind: kind.__name__)


@dataclass(frozen=True)
class Base:
    """The base."""

    first: int = 1
    """Of the base."""


@dataclass(frozen=True)
class Made(Base):
    """A class."""

    first: int = 2
    second: float | str = 3.0
    """A text of
    two lines."""
    third: int = 4


def test_the_classes_of_settings_are_found() -> None:
    assert {vc.DEC, vc.VaDE, vc.MLP, vc.Conv, vc.Config, vc.TrainingConfig, vc.PrepareConfig, vc.Settled} <= {*SETTINGS}


@pytest.mark.parametrize("kind", SETTINGS, ids=lambda kind: kind.__name__)
def test_help_has_a_text_for_every_field(kind: type) -> None:
    said = " ".join(pydoc.plain(pydoc.render_doc(kind)).replace("|", " ").split())
    for one in fields(kind):
        text = texts_of(kind).get(one.name)
        assert text, f"{kind.__name__}.{one.name} has no text"
        assert f"{one.name}: {' '.join(text.replace('|', ' ').split())}" in said


def test_a_text_is_that_of_the_class_that_says_it_last() -> None:
    assert texts_of(Made) == {"first": "Of the base.", "second": "A text of two lines."}
    show_in_help([Made, int])
    assert Made.__doc__ == "A class.\n\nFields:\n    first: Of the base.\n    second: A text of two lines."
    assert Base.__doc__ == "The base."


def test_a_class_without_a_file_has_no_texts() -> None:
    made: dict[str, type] = {"dataclass": dataclass}  # type: ignore[dict-item]
    exec("@dataclass\nclass Alone:\n    '''A class.'''\n    first: int = 1\n    '''A text.'''\n", made)
    show_in_help([made["Alone"]])
    assert made["Alone"].__doc__ == "A class."


@pytest.mark.long
def test_the_texts_are_there_without_docstrings_too() -> None:
    code = "import vaeclust_jax as vc; print(vc.TrainingConfig.__doc__)"
    done = subprocess.run([sys.executable, "-OO", "-c", code], capture_output=True, text=True, check=True)
    assert "batch_size: Rows a gradient step." in done.stdout
