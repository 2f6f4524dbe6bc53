"""From settings to flags: those of one method, one network, and the choices inside them, and nothing else's."""

import difflib
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, fields, is_dataclass, make_dataclass, replace
from functools import lru_cache
from itertools import pairwise
from types import UnionType
from typing import Annotated, Any, Literal, NamedTuple, Union, get_args, get_origin, get_type_hints

import tyro

from vaeclust_jax.data import PrepareConfig, ReadConfig
from vaeclust_jax.errors import InputError
from vaeclust_jax.field_texts import texts_of
from vaeclust_jax.fitting.config import TrainingConfig
from vaeclust_jax.methods.registry import all_methods
from vaeclust_jax.networks import NETWORKS, CustomNetwork, NetworkConfig

_ELSEWHERE = ("num_clusters", "epochs")
"""Settings of a method that the command has a flag of its own for."""
NETWORKS_BY_NAME = {name: kind for name, kind in NETWORKS.items() if kind is not CustomNetwork}
"""Those that can be asked for by name."""


class Setting(NamedTuple):
    """A flag: where it comes from, its type, its default and what is said of it."""

    name: str
    hint: Any
    default: Any
    text: str

    @property
    def flag(self) -> str:
        """As it is typed."""
        return as_flag(self.name)

    def switches(self) -> tuple[str, ...]:
        """The forms that take no value."""
        return _switch(self.name) if self.hint is bool else ()


@dataclass(frozen=True)
class Section:
    """The flags of a value: a method, a network, a part of the config.

    Attributes:
        title: over its flags.
        value: with the defaults; of a nested choice the one that was chosen.
        idle: settings that do nothing here, and are no flags; why.
    """

    title: str
    value: Any
    idle: Mapping[str, str] = field(default_factory=dict)

    def settings(self) -> list[Setting]:
        """In the order of the class, those of a chosen value after the choice."""
        return [one for one in _settings(self.value) if one.name not in self.idle]

    def parsed(self, given: Any) -> Any:
        """The value with what was given."""
        return _rebuilt(self.value, vars(given))

    def arguments(self) -> type:
        """A dataclass for tyro, of which one setting is one flag."""
        made = [(one.name, Annotated[one.hint, tyro.conf.arg(help=one.text)], one.default) for one in self.settings()]
        return make_dataclass(self.title.title().replace(" ", ""), made, frozen=True)


def network_section(network: NetworkConfig, argv: list[str]) -> Section:
    """The network that `--network` names, with what it has in common with the default one."""
    chosen = _word_after("--network", argv)
    kind = type(network) if chosen is None else NETWORKS_BY_NAME.get(chosen)
    if kind is None:
        raise InputError(f"network must be one of {', '.join(NETWORKS_BY_NAME)}, got {chosen!r}")
    shared = {f.name for f in fields(kind)} & {f.name for f in fields(network)}
    value = network if kind is type(network) else kind(**{name: getattr(network, name) for name in shared})
    name = next(name for name, one in NETWORKS.items() if one is kind)
    return Section(f"network {name}", value)


def method_section(name: str, method: Any, argv: list[str], told: bool) -> Section:
    """The method, with the choices inside it that the words name.

    Args:
        name: of the method.
        method: with its defaults.
        argv: the words.
        told: whether the training is told the class of some rows.

    Raises:
        InputError: no such choice.
    """
    hints = get_type_hints(type(method))
    for one in fields(method):
        choices = choices_of(hints[one.name])
        word = _word_after(as_flag(one.name), argv) if len(choices) > 1 else None
        if word is not None:
            if word not in choices:
                raise InputError(f"{one.name} must be one of {', '.join(choices)}, got {word!r}")
            if type(getattr(method, one.name)) is not choices[word]:
                method = replace(method, **{one.name: choices[word]()})
    weighs = "weighs classes that the training is told, and here it is told none"
    idle = {"fold": "is set by the arms of an experiment"}
    idle |= {} if told else {"supervision": weighs, "compactness": weighs.replace("weighs", "is of")}
    return Section(f"method {name}", method, {key: why for key, why in idle.items() if hasattr(method, key)})


def choices_of(hint: Any) -> dict[str, type]:
    """The values that a nested choice is among, by short name; none of a plain setting."""
    kinds = get_args(hint) if get_origin(hint) in (Union, UnionType) else (hint,)
    if not all(is_dataclass(kind) for kind in kinds):
        return {}
    words = [re.findall("[A-Z]+(?![a-z])|[A-Z][a-z]*", kind.__name__) for kind in kinds]
    common = len(words) > 1 and len({one[-1] for one in words}) == 1
    return {"-".join(one[:-1] if common else one).lower(): kind for one, kind in zip(words, kinds, strict=True)}


def without_effect(section: Section, method: str) -> Section:
    """The section without flags, of a part that the method does not read."""
    return replace(section, idle=dict.fromkeys((one.name for one in section.settings()), f"is not read by {method}"))


def check_known(argv: Sequence[str], known: Sequence[str], sections: Mapping[str, Section]) -> None:
    """One sentence on the first flag that is not there, with the nearest one, or whose it is.

    Raises:
        InputError: a flag that neither the command nor its method or network has.
    """
    method, network = sections["method"], sections["network"]
    idle = {as_flag(name): why for section in sections.values() for name, why in section.idle.items()}
    here = [method.title] if "--network" in idle else [method.title, network.title]
    for word in argv:
        flag = as_flag(word)
        if not word.startswith("--") or flag in known:
            continue
        owners = _owners(flag)
        unread = idle.get("--network") if owners and owners[0].startswith("network ") else None
        if why := idle.get(flag, unread):
            raise InputError(f"{flag} {why}: leave it out")
        ending = [one for one in known if flag.endswith(one[1:])]
        near = ending or difflib.get_close_matches(flag, known, n=1, cutoff=0.75)
        hint = f"; did you mean {near[0]}?" if near else "; --help-all shows what there is"
        if owners:
            if owners[0].startswith("network "):
                hint = f"; add --{owners[0]}"
            raise InputError(f"{flag} is a setting of {', '.join(owners)}, not of {' or '.join(here)}{hint}")
        raise InputError(f"there is no flag {flag} for {' and '.join(here)}{hint}")


def _owners(flag: str) -> list[str]:
    """The methods and networks that have a setting of this name, and the choices that it needs."""
    kinds = {**all_methods(), **{f"network {name}": kind for name, kind in NETWORKS_BY_NAME.items()}}
    return [f"{name}{where}" for name, kind in kinds.items() for where in _places(kind).get(flag, ())]


@lru_cache
def _places(kind: type) -> dict[str, tuple[str, ...]]:
    """By flag: "" for a setting of the class itself, else the choice inside it that has it."""
    hints: dict[str, Any] = get_type_hints(kind)
    found: dict[str, tuple[str, ...]] = {}
    for one in fields(kind):
        if one.name in _ELSEWHERE:
            continue
        choices = choices_of(hints[one.name])
        if len(choices) != 1:
            found[as_flag(one.name)] = ("",)
        for word, inner in choices.items():
            where = f" with {as_flag(one.name)} {word}" if len(choices) > 1 else ""
            names = [as_flag(setting.name) for setting in fields(inner)]
            found |= {flag: (*found.get(flag, ()), where) for flag in names}
    return found


def as_flag(word: str) -> str:
    """A setting's name, or a word of the command, as the flag that it is."""
    return f"--{word.partition('=')[0].removeprefix('--').replace('_', '-')}"


def _switch(name: str) -> tuple[str, ...]:
    return as_flag(name), as_flag(f"no-{name}")


def switches_of(kind: type) -> tuple[str, ...]:
    """Flags without a value, those of choices inside the class included."""
    hints: dict[str, Any] = get_type_hints(kind)
    found: tuple[str, ...] = ()
    for one in fields(kind):
        found += _switch(one.name) if hints[one.name] is bool else ()
        for inner in choices_of(hints[one.name]).values():
            found += switches_of(inner)
    return found


def all_switches() -> set[str]:
    """Flags without a value of whatever a command may set."""
    kinds = (PrepareConfig, TrainingConfig, *NETWORKS_BY_NAME.values(), *all_methods().values())
    return {flag for kind in kinds for flag in switches_of(kind)}


def _settings(value: Any) -> Iterator[Setting]:
    kind: type = type(value)
    hints, texts = get_type_hints(kind), texts_of(kind)
    if isinstance(value, NetworkConfig):
        own = next(name for name, one in NETWORKS.items() if one is kind)
        yield Setting("network", Literal[tuple(NETWORKS_BY_NAME)], own, "Which network; its own settings follow.")
    for one in fields(value):
        if one.name in _ELSEWHERE:
            continue
        choices, now = choices_of(hints[one.name]), getattr(value, one.name)
        if not choices:
            yield Setting(one.name, hints[one.name], now, texts.get(one.name, ""))
            continue
        if len(choices) > 1:
            chosen = next(name for name, inner in choices.items() if inner is type(now))
            yield Setting(one.name, Literal[tuple(choices)], chosen, texts.get(one.name, ""))
        yield from _settings(now)


def _rebuilt(value: Any, given: Mapping[str, Any]) -> Any:
    now = {}
    hints = get_type_hints(type(value))
    for one in fields(value):
        if choices_of(hints[one.name]):
            now[one.name] = _rebuilt(getattr(value, one.name), given)
        elif one.name in given and one.name not in _ELSEWHERE:
            now[one.name] = given[one.name]
    return replace(value, **now)


def _word_after(flag: str, argv: Sequence[str]) -> str | None:
    """The last value that a flag was given."""
    found = None
    for word, following in pairwise([*argv, None]):
        if word is not None and word.startswith("--") and as_flag(word) == flag:
            found = word.partition("=")[2] if "=" in word else following
    return found


def reading_section() -> Section:
    """How files are read."""
    return Section("files", ReadConfig())


def prepare_section(value: PrepareConfig) -> Section:
    """How data are prepared."""
    return Section("data", value)


def training_section(value: TrainingConfig) -> Section:
    """The optimiser and its loop."""
    return Section("training", value)
