"""From settings to flags: those of one method, one network, and the choices inside them, and nothing else's."""

import ast
import difflib
import inspect
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields, is_dataclass, make_dataclass, replace
from functools import lru_cache
from itertools import pairwise
from types import UnionType
from typing import Annotated, Any, Literal, NamedTuple, Union, get_args, get_origin, get_type_hints

import tyro

from vaeclust_jax.data import PrepareConfig
from vaeclust_jax.errors import InputError
from vaeclust_jax.fitting.config import TrainingConfig
from vaeclust_jax.methods.registry import all_methods
from vaeclust_jax.networks import NETWORKS, CustomNetwork, NetworkConfig

_ELSEWHERE = ("num_clusters", "epochs")
"""Settings of a method that the command has a flag of its own for."""


class Setting(NamedTuple):
    """A flag: where it comes from, its type, its default and what is said of it."""

    name: str
    hint: Any
    default: Any
    text: str

    @property
    def flag(self) -> str:
        """As it is typed."""
        return _flag(self.name)


@dataclass(frozen=True)
class Section:
    """The flags of a value: a method, a network, a part of the config.

    Attributes:
        title: over its flags.
        value: with the defaults; of a nested choice the one that was chosen.
    """

    title: str
    value: Any

    def settings(self) -> list[Setting]:
        """In the order of the class, those of a chosen value after the choice."""
        return list(_settings(self.value))

    def parsed(self, given: Any) -> Any:
        """The value with what was given."""
        return _rebuilt(self.value, given)

    def arguments(self) -> type:
        """A dataclass for tyro, of which one setting is one flag."""
        made = [(one.name, Annotated[one.hint, tyro.conf.arg(help=one.text)], one.default) for one in self.settings()]
        return make_dataclass(self.title.title().replace(" ", ""), made, frozen=True)


def network_section(network: NetworkConfig, argv: list[str]) -> Section:
    """The network that `--network` names, with what it has in common with the default one."""
    names = {name: kind for name, kind in NETWORKS.items() if kind is not CustomNetwork}
    chosen = _word_after("--network", argv)
    kind = type(network) if chosen is None else names.get(chosen)
    if kind is None:
        raise InputError(f"network must be one of {', '.join(names)}, got {chosen!r}")
    shared = {f.name for f in fields(kind)} & {f.name for f in fields(network)}
    value = network if kind is type(network) else kind(**{name: getattr(network, name) for name in shared})
    name = next(name for name, one in NETWORKS.items() if one is kind)
    return Section(f"network {name}", value)


def method_section(name: str, method: Any, argv: list[str]) -> Section:
    """The method, with the choices inside it that the words name.

    Raises:
        InputError: no such choice.
    """
    hints = get_type_hints(type(method))
    for field in fields(method):
        choices = choices_of(hints[field.name])
        word = _word_after(_flag(field.name), argv) if len(choices) > 1 else None
        if word is not None:
            if word not in choices:
                raise InputError(f"{field.name} must be one of {', '.join(choices)}, got {word!r}")
            if type(getattr(method, field.name)) is not choices[word]:
                method = replace(method, **{field.name: choices[word]()})
    return Section(f"method {name}", method)


def choices_of(hint: Any) -> dict[str, type]:
    """The values that a nested choice is among, by short name; none of a plain setting."""
    kinds = get_args(hint) if get_origin(hint) in (Union, UnionType) else (hint,)
    if not all(is_dataclass(kind) for kind in kinds):
        return {}
    words = [re.findall("[A-Z]+(?![a-z])|[A-Z][a-z]*", kind.__name__) for kind in kinds]
    common = len(words) > 1 and len({one[-1] for one in words}) == 1
    return {"-".join(one[:-1] if common else one).lower(): kind for one, kind in zip(words, kinds, strict=True)}


def check_known(argv: list[str], known: Mapping[str, Any], method: str, network: str) -> None:
    """One sentence on the first flag that is not there, with the nearest one, or whose it is.

    Raises:
        InputError: a flag that neither the command nor its method or network has.
    """
    for word in argv:
        flag = word.partition("=")[0].replace("_", "-")
        if not flag.startswith("--") or flag in known or flag.replace("--no-", "--", 1) in known:
            continue
        near = difflib.get_close_matches(flag, known, n=1, cutoff=0.7)
        hint = f"; did you mean {near[0]}?" if near else "; --help-all shows what there is"
        if owners := _owners(flag):
            raise InputError(f"{flag} is a setting of {', '.join(owners)}, not of {method} or {network}{hint}")
        raise InputError(f"there is no flag {flag}{hint}")


def _owners(flag: str) -> list[str]:
    """The methods and networks that have a setting of this name, and the choices that it needs."""
    kinds = {**all_methods(), **{f"network {name}": kind for name, kind in NETWORKS.items()}}
    return [f"{name}{where}" for name, kind in kinds.items() for where in _places(kind).get(flag, ())]


@lru_cache
def _places(kind: type) -> dict[str, tuple[str, ...]]:
    """By flag: "" for a setting of the class itself, else the choice inside it that has it."""
    hints: dict[str, Any] = get_type_hints(kind)
    found: dict[str, tuple[str, ...]] = {}
    for field in fields(kind):
        found[_flag(field.name)] = ("",)
        choices = choices_of(hints[field.name])
        for word, inner in choices.items():
            where = f" with {_flag(field.name)} {word}" if len(choices) > 1 else ""
            found |= {_flag(name): (*found.get(_flag(name), ()), where) for name in _names(inner)}
    return found


def _flag(name: str) -> str:
    return f"--{name.replace('_', '-')}"


def _names(kind: type) -> list[str]:
    return [field.name for field in fields(kind)]


def _settings(value: Any) -> Iterator[Setting]:
    kind: type = type(value)
    hints, texts = get_type_hints(kind), texts_of(kind)
    if isinstance(value, NetworkConfig):
        names = [name for name, one in NETWORKS.items() if one is not CustomNetwork]
        own = next(name for name, one in NETWORKS.items() if one is kind)
        yield Setting("network", Literal[tuple(names)], own, "Which network; its own settings follow.")
    for field in fields(value):
        if field.name in _ELSEWHERE:
            continue
        choices, now = choices_of(hints[field.name]), getattr(value, field.name)
        if not choices:
            yield Setting(field.name, hints[field.name], now, texts.get(field.name, ""))
            continue
        if len(choices) > 1:
            own = next(name for name, one in choices.items() if one is type(now))
            yield Setting(field.name, Literal[tuple(choices)], own, texts.get(field.name, ""))
        yield from _settings(now)


def _rebuilt(value: Any, given: Any) -> Any:
    now = {}
    hints = get_type_hints(type(value))
    for field in fields(value):
        if field.name in _ELSEWHERE:
            continue
        inner = getattr(value, field.name)
        now[field.name] = _rebuilt(inner, given) if choices_of(hints[field.name]) else getattr(given, field.name)
    return replace(value, **now)


@lru_cache
def texts_of(kind: type) -> dict[str, str]:
    """What the class says under each of its fields, those of its bases included."""
    found: dict[str, str] = {}
    for base in reversed(kind.__mro__):
        if not is_dataclass(base):
            continue
        try:
            body = ast.parse(inspect.cleandoc("\n" + inspect.getsource(base))).body[0].body  # type: ignore[attr-defined]
        except (OSError, SyntaxError):  # a class without a file
            continue
        for field, after in pairwise(body):
            if isinstance(field, ast.AnnAssign) and isinstance(field.target, ast.Name):
                said = isinstance(after, ast.Expr) and isinstance(after.value, ast.Constant)
                found[field.target.id] = " ".join(str(after.value.value).split()) if said else ""
    return found


def _word_after(flag: str, argv: list[str]) -> str | None:
    """The last value that a flag was given."""
    found = None
    for word, following in pairwise([*argv, None]):
        if word == flag:
            found = following
        elif word is not None and word.startswith(f"{flag}="):
            found = word.partition("=")[2]
    return found


def prepare_section(value: PrepareConfig) -> Section:
    """How data are prepared."""
    return Section("data", value)


def training_section(value: TrainingConfig) -> Section:
    """The optimiser and its loop."""
    return Section("training", value)
