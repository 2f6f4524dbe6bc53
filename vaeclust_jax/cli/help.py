"""The short help of the commands that fit: what one sets at first, in groups; `--help-all` has the rest."""

import inspect
import textwrap
from collections.abc import Mapping
from dataclasses import fields
from typing import Any

from vaeclust_jax.cli.flags import Section, Setting
from vaeclust_jax.cli.words import SHORT
from vaeclust_jax.field_texts import texts_of
from vaeclust_jax.methods.method import Method
from vaeclust_jax.studies.experiment import Experiment

_BASIC = (
    "dataset", "clusters", "seeds", "epochs", "outliers", "hints", "out", "quiet", "resume", "track", "verbose",
    "label_column", "subject_column", "drop_columns", "missing",
    "image_size", "scaling", "validation",
    "likelihood", "beta", "gamma", "augment", "pretrain_epochs", "joint_epochs", "start", "covariance", "num_classes",
    "network", "latent_dim", "hidden", "channels",
    "batch_size", "learning_rate",
)  # fmt: skip
"""What a first run may want to change."""
_OF_CLUSTERS = {"clusters", "hints", "outliers"}
"""Those of them that only clusterings take."""
_WIDTH, _FLAG_WIDTH = 100, 26


def show_help(kind: type, prog: str, experiment: Experiment, sections: Mapping[str, Section]) -> None:
    """Prints it: at most 60 lines."""
    about = " ".join((kind.__doc__ or "").split())
    lines = [f"usage: {prog} [EXPERIMENT] [DATA] [flags]", "", *textwrap.wrap(about, _WIDTH), ""]
    lines += [f"{experiment.name}: {experiment.summary}"]
    texts = texts_of(kind)
    run = [Setting(one.name, None, one.default, texts.get(one.name, "")) for one in fields(kind)]
    basic = _basic(experiment.method)
    groups = {"run": run, **{section.title: section.settings() for section in sections.values()}}
    for title, settings in groups.items():
        shown = [_line(one) for one in settings if one.name in basic]
        if shown:
            lines += ["", f"{title}:", *shown]
    lines += ["", f"`{prog} {experiment.name} --help-all` shows every setting; `vaeclust list` the experiments."]
    print("\n".join(lines))


def _basic(method: Method) -> set[str]:
    """With a method's own settings where it does not cluster, or another package adds it: its users look for them."""
    kind = type(method)
    if method.task != "clustering":
        own = {one.name for one in fields(method)}
        return {*_BASIC, *own, *(("column",) if method.task == "forecasting" else ())} - _OF_CLUSTERS
    return {*_BASIC, *(() if kind.__module__.startswith("vaeclust_jax.") else inspect.get_annotations(kind))}


def _line(setting: Setting) -> str:
    first = setting.text.partition(". ")[0].rstrip(".")
    room = _WIDTH - _FLAG_WIDTH - len(default := _default(setting.default))
    flag = f"{setting.flag}, {SHORT[setting.flag]}" if setting.flag in SHORT else setting.flag
    return f"  {flag:{_FLAG_WIDTH - 2}}{textwrap.shorten(first, max(room, 20), placeholder=' ...')}{default}"


def _default(value: Any) -> str:
    if value is None or value is False or value == ():
        return ""
    return f" [{' '.join(map(str, value)) if isinstance(value, tuple) else value}]"
