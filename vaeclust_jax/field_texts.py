"""What a class of settings says under each of its fields, read once for the command line and for `help`."""

import ast
import inspect
from collections.abc import Iterable
from dataclasses import fields, is_dataclass
from functools import lru_cache
from itertools import pairwise
from textwrap import fill


@lru_cache
def texts_of(kind: type) -> dict[str, str]:
    """The text under each field of a dataclass, those of its bases included; none of a class without a source file."""
    found: dict[str, str] = {}
    for base in reversed(kind.__mro__):
        if is_dataclass(base):
            found |= _own_texts(base)
    return found


def show_in_help(kinds: Iterable[type]) -> None:
    """Appends the texts of their fields to the docstrings of the dataclasses among some classes.

    Python itself keeps no text of an attribute, and a second copy of it in the docstring would grow old.
    """
    for kind in filter(is_dataclass, kinds):
        texts = texts_of(kind)
        said = [f"{one.name}: {texts[one.name]}" for one in fields(kind) if texts.get(one.name)]
        if kind.__doc__ and said:
            lines = (fill(text, 112, initial_indent="    ", subsequent_indent="        ") for text in said)
            kind.__doc__ = "\n".join([inspect.cleandoc(kind.__doc__), "", "Fields:", *lines])


@lru_cache
def _own_texts(kind: type) -> dict[str, str]:
    try:
        classes = _classes_in(inspect.getsourcefile(kind))
    except (OSError, TypeError, SyntaxError):
        return {}
    found = {}
    for one, after in pairwise(classes.get(kind.__qualname__, [])):
        match one, after:
            case ast.AnnAssign(target=ast.Name(id=name)), ast.Expr(value=ast.Constant(value=str(text))):
                found[name] = " ".join(text.split())
    return found


@lru_cache
def _classes_in(path: str | None) -> dict[str, list[ast.stmt]]:
    """The bodies of a file's classes by name."""
    if path is None:
        raise OSError("no source file")
    with open(path, "rb") as file:
        tree = ast.parse(file.read())
    return {node.name: node.body for node in tree.body if isinstance(node, ast.ClassDef)}
