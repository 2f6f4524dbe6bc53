"""`vaeclust tune`: what it prints, writes and refuses, and that `vaeclust run` takes its answer."""

import json
import shlex
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.cli.conftest import TINY, Answer
from vaeclust_jax.cli import tune as module
from vaeclust_jax.cli.run import config_of, load_dataset, parse_run
from vaeclust_jax.fitting.config import Config, with_method
from vaeclust_jax.methods.dec import DEC
from vaeclust_jax.networks import Conv
from vaeclust_jax.selection.search import AXES, Axis, Trial, search

Run = Callable[..., Answer]
FEW = (Axis("training", "learning_rate", (3e-3,), "elbo"), Axis("method", "gamma", (1.0,), "stability"))


@pytest.fixture
def few(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two settings are searched instead of all."""
    monkeypatch.setattr(module, "search", partial(search, axes=FEW))


def answering(monkeypatch: pytest.MonkeyPatch, answer: Callable[..., Any]) -> None:
    monkeypatch.setattr(module, "search", answer)


def words(files: Path, out: Path, *more: object, data: str = "vectors") -> list[str]:
    given = ["--dataset", files / f"{data}.npz", "--clusters", 3, *TINY, "--epochs", 2, "--seeds", 2, "--out", out]
    return list(map(str, (*given, *more)))


def strict(path: Path) -> Any:
    def refuse(name: str) -> None:
        raise AssertionError(f"{path.name} holds {name}")

    return json.loads(path.read_text(encoding="utf-8"), parse_constant=refuse)


def run_config(command: str) -> tuple[Any, Config]:
    """Data and config of a printed command, as `vaeclust run` understands it."""
    program, name, *argv = shlex.split(command)
    assert (program, name) == ("vaeclust", "run")
    args = parse_run(argv)
    dataset = load_dataset(args)
    return dataset, config_of(args, dataset)


@pytest.mark.long
@pytest.mark.usefixtures("few")
def test_the_printed_command_is_the_run_that_was_chosen(vaeclust: Run, files: Path, tmp_path: Path) -> None:
    argv = words(files, tmp_path, "--beta", 0.5, "--gamma", 100.0)
    code, out, err = vaeclust("tune", *argv)
    assert (code, err) == (0, "")
    *_, said, command, folder = out.splitlines()
    assert said == "labels were used for: nothing"
    assert Path(folder).parent == tmp_path
    assert Path(folder).name.startswith("tune-vaegraph-")
    assert [path.name for path in Path(folder).iterdir()] == ["search.json"]
    record = strict(Path(folder) / "search.json")
    assert shlex.split(record["command"]) == ["vaeclust", "tune", *argv]
    assert record["chosen"] == command
    assert record["seeds"] == [0, 1]
    trials = record["trials"]
    assert [(trial["setting"], trial["value"]) for trial in trials] == [
        ("learning_rate", 1e-3), ("learning_rate", 3e-3), ("gamma", 100.0), ("gamma", 1.0),
    ]  # fmt: skip
    chosen = {trial["setting"]: trial["value"] for trial in trials if trial["chosen"]}
    assert len(chosen) == 2
    dataset, config = run_config(command)
    with np.load(files / "vectors.npz") as arrays:
        np.testing.assert_array_equal(dataset.x, arrays["x"])
    _, given = run_config(shlex.join(["vaeclust", "run", *argv]))
    expected = replace(given, training=replace(given.training, learning_rate=chosen["learning_rate"]))
    assert config == with_method(expected, gamma=chosen["gamma"])
    assert config.method.beta == 0.5  # type: ignore[attr-defined]
    for word in ("learning_rate", "gamma", "0.003", "chosen", "stability", "elbo"):
        assert word in out
    unlabelled = vaeclust("tune", *words(files, tmp_path, "--beta", 0.5, "--gamma", 100.0, data="unlabelled"))
    assert unlabelled[0] == 0
    assert strict(Path(unlabelled[1].splitlines()[-1]) / "search.json")["trials"] == trials


def test_every_setting_that_can_be_chosen_is_a_flag_of_run(
    vaeclust: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    trials = [Trial(axis.name, axis.values[0], axis.judge, None, {}, True) for axis in AXES]
    answering(monkeypatch, lambda config, *rest, **more: (replace(config, network=Conv()), trials))
    code, out, _ = vaeclust("tune", "vaedec-coil20-literal", "--dataset", "digits", "--clusters", 10, "--out", tmp_path)
    assert code == 0
    _, config = run_config(out.splitlines()[-2])
    for axis in AXES:
        default = getattr(getattr(Config(DEC(10), network=Conv()), axis.section), axis.name)
        assert getattr(getattr(config, axis.section), axis.name) == axis.values[0] != default
    assert (config.num_clusters, config.method.pretrain_epochs) == (10, 50)  # type: ignore[attr-defined]
    assert " — " in out


def test_a_setting_given_by_the_person_gives_way_to_the_one_chosen(
    vaeclust: Run, files: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    answering(monkeypatch, lambda *given, **more: (given[0], [Trial("gamma", 30.0, "stability", 0.5, {}, True)]))
    code, out, _ = vaeclust("tune", *words(files, tmp_path, "--gamma", 7))
    assert code == 0
    assert run_config(out.splitlines()[-2])[1].method.gamma == 30


def test_three_seeds_unless_told(vaeclust: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[Any] = []

    def answer(config: Config, x: np.ndarray, seeds: list[int], **more: Any) -> Any:
        asked.append((x.shape, seeds))
        return config, [Trial("gamma", 1.0, "stability", 0.5, {}, True)]

    answering(monkeypatch, answer)
    assert vaeclust("tune", "--out", tmp_path, "--first-seed", 5)[0] == 0
    assert asked == [((1797, 8, 8, 1), [5, 6, 7])]


@pytest.mark.parametrize(
    ("more", "said"),
    [
        (["--seeds", "1"], ["seeds must be at least 2", "got 1"]),
        (["--validation", "0"], ["validation must be above 0"]),
        (["--seeds", "0"], ["seeds", "at least 1", "got 0"]),
        (["--dataset", "digit"], ["did you mean digits"]),
        (["--clusters", "500"], ["500 clusters", "samples"]),
        (["--network", "conv"], ["--hidden is a setting of network mlp"]),
        (["--stratify"], ["stratify=True needs labels"]),
        (["--bogus", "1"], ["--bogus"]),
    ],
    ids=lambda value: " ".join(value),
)
def test_a_mistake_exits_2_and_leaves_nothing(
    vaeclust: Run, files: Path, tmp_path: Path, more: list[str], said: list[str]
) -> None:
    code, out, err = vaeclust("tune", *words(files, tmp_path, *more))
    assert (code, out) == (2, "")
    assert [word for word in said if word not in err] == [], err
    assert "Traceback" not in err
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("argv", "said"),
    [
        (["--gamma", "nan"], "gamma"),
        (["--joint-epochs", "-1"], "joint_epochs must be at least 0"),
        (["--tolerance", "2"], "tolerance must lie in [0, 1]"),
        (["--network", "conv"], "network 'conv' needs images"),
        (["--learning-rate", "0"], "learning_rate must be positive"),
        (["gan", "--likelihood", "squared"], "--likelihood is a setting of kmeans, dec, graph, vade, mixture, vae, "),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_every_refusal_comes_before_the_first_trial(
    vaeclust: Run, files: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, argv: list[str], said: str
) -> None:
    monkeypatch.setattr("vaeclust_jax.training.loop.epoch_program", lambda *given: pytest.fail("it trains"))
    where = ["--dataset", files / "vectors.npz", "--clusters", 3, "--out", tmp_path]
    code, out, err = vaeclust("tune", *argv, *where)
    assert (code, out) == (2, "")
    assert said in err
    assert list(tmp_path.iterdir()) == []


def test_ctrl_c_exits_130_and_leaves_nothing(
    vaeclust: Run, files: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def pressed(*given: Any, **more: Any) -> Any:
        raise KeyboardInterrupt

    answering(monkeypatch, pressed)
    assert vaeclust("tune", *words(files, tmp_path)) == (130, "", "vaeclust: interrupted\n")
    assert list(tmp_path.iterdir()) == []


def test_ctrl_c_keeps_what_was_tried(
    vaeclust: Run, files: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def pressed(*given: Any, on_trial: Callable[[Trial], None], **more: Any) -> Any:
        on_trial(Trial("gamma", 30.0, "stability", 0.5, {}))
        raise KeyboardInterrupt

    answering(monkeypatch, pressed)
    code, out, err = vaeclust("tune", *words(files, tmp_path))
    (folder,) = tmp_path.iterdir()
    assert (code, out) == (130, "")
    assert f"what was tried so far is in {folder}" in err
    record = strict(folder / "search.json")
    assert record["chosen"] is None
    assert [(trial["setting"], trial["score"], trial["chosen"]) for trial in record["trials"]] == [
        ("gamma", 0.5, False)
    ]


def test_help_says_what_it_judges_by(vaeclust: Run) -> None:
    code, out, err = vaeclust("tune", "--help")
    assert (code, err) == (0, "")
    for word in ("vaeclust tune", "without labels", "--seeds", "--dataset", "ELBO", "stability"):
        assert word in out
