"""The reference of public names, from their docstrings."""

import inspect
import re
from types import ModuleType
from typing import Any

import vaeclust_jax as vc

_LETTER = re.compile(r"(: )([A-Za-z]\.)$")
"""A letter by itself, which would begin a list."""
_LINK = re.compile(r"(?<=\w)_(?!\w)")
"""The end of a name, which would make it a link."""
_NAMES = re.compile(r"( +)((?:[a-z_]+, )+)([a-z_]+): (.*)")


def api(*names: str) -> str:
    """Of each name of `vaeclust_jax`, such as `fit` or `data.load`; a module's name is what else is public in it."""
    lines = [line for name in names for one in _whole(name) for line in _entry(one)]
    return "\n".join(["```{eval-rst}", *lines, "```"]) + "\n"


def _whole(name: str) -> list[str]:
    found = _find(name)
    if not isinstance(found, ModuleType):
        return [name]
    inside = [one for one in found.__all__ if getattr(found, one) is not getattr(vc, one, None)]
    return [f"{name}.{one}" for one in inside]


def _find(name: str) -> Any:
    found: Any = vc
    for part in name.split("."):
        found = getattr(found, part)
    return found


def _entry(name: str) -> list[str]:
    found = _find(name)
    if inspect.isfunction(found):
        return [f".. autofunction:: vaeclust_jax.{name}", ""]
    if not inspect.isclass(found):
        inside = f"By name: {', '.join(f'``{key}``' for key in found)}." if isinstance(found, dict) else ""
        return [f".. py:data:: vaeclust_jax.{name}", "", f"   {inside}", ""]
    kind = "exception" if issubclass(found, BaseException) else "class"
    return [f".. auto{kind}:: vaeclust_jax.{name}", "   :members:", ""]


def as_rst(lines: list[str]) -> None:
    """Makes of a docstring, which is plain text with names in backticks, what autodoc reads; in place."""
    lines[:] = [one for line in lines for one in _each_name(_escaped(line))]


def _escaped(line: str) -> str:
    parts = _LETTER.sub(r"\g<1>\\\g<2>", line).split("`")
    plain, names = parts[::2], parts[1::2]
    escaped = [_LINK.sub(r"\\_", part.replace("*", r"\*").replace("|", r"\|")) for part in plain]
    return escaped[0] + "".join(f"``{name}``{after}" for name, after in zip(names, escaped[1:], strict=False))


def _each_name(line: str) -> list[str]:
    """`a, b: text` as a line for each, which napoleon cannot do of attributes."""
    found = _NAMES.match(line)
    if found is None:
        return [line]
    indent, others, last, text = found.groups()
    return [
        *(f"{indent}{name}: see ``{last}``." for name in others.rstrip(", ").split(", ")),
        f"{indent}{last}: {text}",
    ]


def has_no_text_of_its_own(name: str, found: Any) -> bool:
    """Whether a member is a field of a named tuple that its class tells of, or what scikit-learn adds."""
    return str(getattr(found, "__doc__", "")).startswith("Alias for field number") or name.endswith("_request")
