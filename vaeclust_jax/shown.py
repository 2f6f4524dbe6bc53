"""How values are shown at a prompt and in a notebook: no more than a screen of either."""

from collections.abc import Mapping
from dataclasses import MISSING, Field, fields, is_dataclass
from html import escape
from typing import Any

_MOST = 200
"""Letters of a value."""


def settings(value: Any) -> str:
    """A dataclass as the call that makes it, without the arguments that are the defaults."""
    if not is_dataclass(value) or isinstance(value, type):
        return shortened(repr(value))
    said = (
        f"{one.name}={settings(getattr(value, one.name))}"
        for one in fields(value)
        if one.init and getattr(value, one.name) != _default(one)
    )
    return f"{type(value).__name__}({', '.join(said)})"


def table(title: str, facts: Mapping[str, object]) -> str:
    """Facts by name as an HTML table; of what they say nothing is taken for HTML."""
    rows = "".join(
        f'<tr><th style="text-align:left">{escape(name)}</th>'
        f'<td style="text-align:left">{escape(shortened(str(value)))}</td></tr>'
        for name, value in facts.items()
    )
    caption = f'<caption style="text-align:left">{escape(shortened(title))}</caption>'
    return f"<table>{caption}<tbody>{rows}</tbody></table>"


def shape_of(shape: tuple[int, ...]) -> str:
    """What samples of a shape are, (H, W, C) or (F,)."""
    return f"{'images' if len(shape) > 1 else 'vectors'} of {' x '.join(map(str, shape))}"


def shortened(text: str) -> str:
    """The start of a text that would fill the screen."""
    return text if len(text) <= _MOST else f"{text[:_MOST]} ..."


def in_a_line(said: object) -> str:
    """What a file says of itself, which may be anything, as a part of a sentence."""
    return shortened(" ".join(str(said).split()))


def _default(one: Field) -> Any:
    return one.default if one.default_factory is MISSING else one.default_factory()
