"""A config as JSON, every choice by its name, and back; of files of format 2, too."""

from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from types import UnionType
from typing import Any, Union, get_args, get_origin, get_type_hints

import numpy as np

from vaeclust_jax.data import PrepareConfig
from vaeclust_jax.errors import InputError
from vaeclust_jax.fitting.config import Config, TrainingConfig
from vaeclust_jax.methods.registry import method_named, name_of
from vaeclust_jax.networks import NETWORKS, NetworkConfig

_KIND = "kind"
_OF_LABELS = {"compactness": "sum"}
_BEFORE: dict[str, dict[str, Any]] = {
    **dict.fromkeys(("kmeans", "dec", "vade", "mixture"), _OF_LABELS),
    "graph": {"value_share": 0.0, **_OF_LABELS},
}
"""By method, what settings were before there were any: a record without them is of that time."""


def config_to_json(config: Config) -> dict[str, Any]:
    """Sections by name; a method, a network and a nested choice say which they are under "kind".

    Raises:
        InputError: a kind of network that `NETWORKS` does not have.
    """
    network = next((name for name, kind in NETWORKS.items() if kind is type(config.network)), None)
    if network is None:
        kind = type(config.network).__name__
        raise InputError(
            f"a model with the network {kind}, which is in no list, cannot be saved: fit(..., networks={kind}(...)."
            "build(shape)) can be, and is loaded with the same networks"
        )
    return {
        "method": {_KIND: name_of(config.method), **_fields(config.method)},
        "prepare": _fields(config.prepare),
        "network": {_KIND: network, **_fields(config.network)},
        "training": _fields(config.training),
    }


def config_from_json(record: Mapping[str, Any]) -> Config:
    """The config that `config_to_json` wrote.

    Raises:
        InputError: a method or a network that is not known here; other faults raise what they do.
    """
    method, network = record["method"], record["network"]
    if network[_KIND] not in NETWORKS:
        raise InputError(f"there is no network {str(network[_KIND])[:100]!r}: networks are {', '.join(NETWORKS)}")
    return Config(
        _made(method_named(str(method[_KIND])[:100]), {**_BEFORE.get(str(method[_KIND]), {}), **method}),
        _made(PrepareConfig, record["prepare"]),
        _made(NETWORKS[network[_KIND]], network),
        _made(TrainingConfig, record["training"]),
    )


def _fields(value: Any) -> dict[str, Any]:
    return {field.name: _plain(getattr(value, field.name)) for field in fields(value)}


def _plain(value: Any) -> Any:
    if is_dataclass(value):
        return {_KIND: type(value).__name__, **_fields(value)}
    if isinstance(value, np.generic):  # such as of `labels.max() + 1` clusters
        return value.item()
    return [_plain(one) for one in value] if isinstance(value, tuple) else value


def _made(kind: type, record: Mapping[str, Any]) -> Any:
    hints = get_type_hints(kind)
    names = {field.name for field in fields(kind)}
    unknown = set(record) - names - {_KIND}
    if unknown:
        raise InputError(f"{kind.__name__} has no setting {', '.join(sorted(unknown))[:100]}")
    return kind(**{name: _value(hints[name], record[name]) for name in names if name in record})


def _value(hint: Any, value: Any) -> Any:
    if isinstance(value, Mapping):
        choices = get_args(hint) if get_origin(hint) in (Union, UnionType) else (hint,)
        kind = next(one for one in choices if getattr(one, "__name__", None) == value.get(_KIND))
        return _made(kind, value)
    return tuple(value) if isinstance(value, list) else value


def config_of_format_2(record: Mapping[str, Any]) -> Config:
    """The config of a model file of format 2, in which a string said which method it was."""
    model, training, network = dict(record["model"]), dict(record["training"]), dict(record["network"])
    method: dict[str, Any] = {
        "num_clusters": record["num_clusters"],
        "pretrain_epochs": training.pop("pretrain_epochs"),
        **{name: model[name] for name in ("likelihood", "beta", "supervision", "augment")},
    }
    tolerance, rule = training.pop("tolerance"), training.pop("joint_stopping")
    joint: dict[str, Any] = {
        "joint_epochs": training.pop("joint_epochs"),
        "update_target_interval": training.pop("update_target_interval"),
        "stopping": {_KIND: "BestValidation"} if rule == "validation" else {_KIND: "Settled", "tolerance": tolerance},
    }
    own = ("deterministic",)
    match model["clustering"]:
        case "mixture":
            kind, more = "mixture", {"covariance": model["covariance"]}
        case "vade":
            start = {"em": {_KIND: "EMStart", "deterministic": model["deterministic"]}, "graph": {_KIND: "GraphStart"}}
            kind, more = "vade", {"start": start[model["mixture_start"]], "q_from": model["q_from"], **joint}
        case "graph":
            names = ("gamma", "num_prototypes", "degrees")
            kind, more = (
                "graph",
                {**{name: model[name] for name in names}, "vote": model["graphs"] == "shared", **joint},
            )
        case _ if joint["joint_epochs"] == 0:
            kind, more = "kmeans", {name: model[name] for name in own}
        case _:
            more = {**{name: model[name] for name in (*own, "gamma", "joint_reconstruction", "q_from")}, **joint}
            kind = "dec"
    name = network.pop("network")
    if network["heads"] == "relu" or network["start"] == "torch":
        name = "mlp-relu-heads" if network["heads"] == "relu" else "mlp-torch-start"
    of_kind = {field.name for field in fields(NETWORKS.get(name, NetworkConfig))}
    return config_from_json(
        {
            "method": {_KIND: kind, **method, **more},
            "prepare": record["prepare"],
            "network": {_KIND: name, **{key: value for key, value in network.items() if key in of_kind}},
            "training": training,
        }
    )
