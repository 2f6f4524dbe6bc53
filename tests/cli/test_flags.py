"""Flags of `vaeclust run`: those of one method and one network, in its help and in what it takes."""

import re
import resource
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, fields, is_dataclass
from pathlib import Path
from types import UnionType
from typing import Any, Self, get_type_hints

import pytest

import vaeclust_jax as vc
from tests.cli.conftest import VAECLUST, Answer
from vaeclust_jax.cli.arguments import Parsed
from vaeclust_jax.cli.run import RunArguments, parse_run
from vaeclust_jax.data import ReadConfig
from vaeclust_jax.experiments import DEFAULT, EXPERIMENTS, experiment_of
from vaeclust_jax.methods import registry
from vaeclust_jax.methods.classifier import Classifier
from vaeclust_jax.methods.gan import GAN

Run = Callable[..., Answer]


def parsed(*argv: str) -> Parsed[RunArguments]:
    return parse_run(list(argv))


def test_epochs_sets_all_stages_and_a_stage_s_own_flag_overrides_it() -> None:
    def stages(*argv: str) -> tuple[int, ...]:
        method = vars(parsed(*argv).experiment.method)
        return tuple(method[name] for name in ("pretrain_epochs", "joint_epochs") if name in method)

    assert stages() == (50, 20)
    assert stages("vaedec-coil20-literal") == (50, 50)
    assert stages("--epochs", "2") == (2, 2)
    assert stages("--epochs", "2", "--pretrain-epochs", "7") == (7, 2)
    assert stages("--joint-epochs", "0", "--epochs", "2") == (2, 0)
    assert stages("--epochs=5", "--epochs=3") == (3, 3), "of a flag given twice the last holds"
    assert stages("--epochs", "-3") == (-3, -3), "which is refused, not left out"
    assert stages("vaedec-coil20-literal", "--pretrain-epochs", "7") == (7, 50)
    assert stages("dynamic-beta-insects", "--epochs", "9") == (9,), "it has no joint stage"
    assert parsed("classifier", "--epochs", "3").experiment.method == Classifier(epochs=3)
    with pytest.raises(
        vc.InputError,
        match=r"--joint-epochs is a setting of dec, graph, vade, hopfield-clusters, not of method mixture",
    ):
        parsed("dynamic-beta-insects", "--joint-epochs", "9")


@pytest.mark.parametrize(
    ("words", "first"),
    [
        ("course-optimisers", "sgd 0.05"),
        ("course-optimisers --rule rmsprop --learning-rate 0.01", "rmsprop 0.01"),
        ("course-optimisers --quick --rule-settings momentum=0.5", "sgd 0.05 momentum=0.5"),
        ("course-optimisers --optimiser lbfgs --memory 5", "l-bfgs of 5"),
        ("course-optimisers --learning-rate 0.1", "sgd 0.1"),
    ],
)
def test_an_optimiser_of_one_s_own_is_called_by_its_settings(words: str, first: str) -> None:
    experiment = parsed(*words.split()).experiment
    assert experiment.named == first
    own = experiment.config
    assert experiment.arms[first].configure(own) == own
    assert [*experiment.arms][-3:] == ["momentum", "adam", "l-bfgs"]


@pytest.mark.parametrize(
    ("words", "setting"),
    [
        ("course-optimisers-cnn --rule rmsprop", "optimiser"),
        ("course-optimisers-cnn --optimiser lbfgs", "optimiser"),
        ("course-optimisers-cnn --quick --learning-rate 0.5", "learning_rate"),
        ("course-vit-grid --dim 8", "dim"),
        ("course-forecast-scan --network mlp", "network"),
        ("course-rbm-scan --epochs 3", "epochs"),
    ],
)
def test_a_setting_that_every_arm_has_its_own_value_of_is_refused(words: str, setting: str) -> None:
    with pytest.raises(vc.InputError, match=f"^{setting} is set by the arms of {words.split()[0]}: leave it out"):
        parsed(*words.split())


@pytest.mark.parametrize("flag", ["--out", "--dataset", "--outliers"])
def test_a_value_that_is_named_like_an_experiment_is_a_value(flag: str) -> None:
    args = parsed(flag, "vaedec-coil20-literal")
    assert args.experiment == EXPERIMENTS[DEFAULT]


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        (["-k", "3"], ["--clusters", "3"]),
        (["-k=3", "-o", "here", "--lr=0.01"], ["--clusters=3", "--out", "here", "--learning-rate", "0.01"]),
        (["coil20"], ["--dataset", "coil20"]),
        (["my.csv", "-k", "3"], ["--dataset", "my.csv", "--clusters", "3"]),
        (["../images/", "--seeds", "2"], ["--dataset", "../images/", "--seeds", "2"]),
        (["vade", "my.csv", "--start", "graph"], ["vade", "--dataset", "my.csv", "--start", "graph"]),
        (["vade", "anything"], ["vade", "--dataset", "anything"]),
    ],
    ids=" ".join,
)
def test_words_that_people_type(typed: list[str], meant: list[str]) -> None:
    assert parsed(*typed) == parsed(*meant)


def test_a_folder_is_data_and_a_method_s_name_stays_the_method(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("pictures", "vade"):
        (tmp_path / name).mkdir()
    assert parsed("pictures").flags.dataset == "pictures"
    assert (parsed("vade").flags.dataset, parsed("vade").experiment.name) == (None, "vade")
    assert parsed("vade", "vade").flags.dataset == "vade"


@pytest.mark.parametrize(
    ("argv", "sentence"),
    [
        (["my.csv", "--dataset", "digits"], "data are given twice, as my.csv and by --dataset"),
        (["vade", "my.csv", "--dataset=digits"], "data are given twice, as my.csv and by --dataset"),
        (
            ["--quiet", "my.csv"],
            "data come before the flags: vaeclust run my.csv ..., or --dataset my.csv",
        ),
        (["vdae"], "no experiment 'vdae'; did you mean vae or vade?"),
    ],
    ids=str,
)
def test_data_in_another_place(argv: list[str], sentence: str) -> None:
    with pytest.raises(vc.InputError) as caught:
        parsed(*argv)
    assert str(caught.value) == sentence


@pytest.mark.parametrize(
    "before",
    [
        ["--quiet"],
        ["--no-compilation-cache"],
        ["--stratify"],
        ["--seeds", "2"],
        ["--dataset=digits"],
        ["--out", "vaegraph"],
        ["--image-size", "8", "8", "--grey"],
    ],
    ids=" ".join,
)
def test_the_experiment_may_follow_any_flag(before: list[str]) -> None:
    method = parsed(*before, "vade", "--start", "graph").experiment.method
    assert method == vc.VaDE(10, start=vc.GraphStart())
    assert parsed(*before, "mixture", "--covariance", "diag").experiment.method == vc.VAEMixture(10, covariance="diag")


def test_the_settings_of_an_experiment_are_its_defaults() -> None:
    method = parsed("vaedec-coil20-literal", "--gamma", "5").experiment.method
    assert isinstance(method, vc.DEC)
    assert (method.gamma, method.q_from, method.stopping) == (5, "sample", vc.BestValidation())


def test_a_choice_brings_its_own_flags_and_nothing_else_has_them() -> None:
    method = parsed("vade", "--start", "em", "--deterministic").experiment.method
    assert method == vc.VaDE(10, start=vc.EMStart(deterministic=True))
    assert parsed("vade", "--start=graph").experiment.method.start == vc.GraphStart()  # type: ignore[attr-defined]
    network = parsed("--network", "conv", "--channels", "4", "8", "--kernels", "3", "3").experiment.network
    assert network == vc.Conv(channels=(4, 8), kernels=(3, 3))
    assert parsed("vaedec", "--stopping", "best-validation").experiment.method.stopping == vc.BestValidation()  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("argv", "sentence"),
    [
        (
            ["vade", "--start", "graph", "--deterministic"],
            "--deterministic is a setting of kmeans, dec, vade with ",
        ),
        (["vade", "--gamma", "3"], "--gamma is a setting of dec, graph, not of method vade or network auto"),
        (["vaedec", "--covariance", "full"], "--covariance is a setting of mixture, vae with --prior mixture, not of "),
        (
            ["vaedec", "--network", "mlp", "--channels", "4"],
            "--channels is a setting of network conv, network cnn, network pooled-cnn, not of method dec or net",
        ),
        (
            ["vaedec", "--stopping", "best-validation", "--tolerance", "0"],
            "--tolerance is a setting of dec with --stopping ",
        ),
        (["vaedec", "--gama", "3"], "there is no flag --gama for method dec and network auto; did you mean --gamma?"),
        (
            ["vaedec", "--no-gamma"],
            "there is no flag --no-gamma for method dec and network auto; did you mean --gamma?",
        ),
        (["zzz", "--help"], f"no experiment 'zzz'; there are {', '.join({**EXPERIMENTS, **registry.METHODS})}\n"),
        (["zzz", "--covariance", "diag"], "no experiment 'zzz'; there are vaedec, "),
        (["vaegraph", "--stopping", "settled"], "--stopping is a setting of dec, vade, not of method graph or"),
        (
            ["vaegmm-mnist", "--channels", "4"],
            "--channels is a setting of network conv, network cnn, network pooled-cnn, not of method mix",
        ),
        (
            ["vaedec", "--supervision", "3"],
            "--supervision weighs classes that the training is told, and here it is told none: le",
        ),
        (["vaedec", "--compactness", "sum"], "--compactness is of classes that the training is told, and here it is t"),
        (["vaedec", "--stopping", "never"], "stopping must be one of settled, best-validation, got 'never'"),
        (
            ["vaedec", "--network", "custom"],
            "network must be one of auto, mlp, conv, cnn, pooled-cnn, vit, mlp-relu-heads, mlp-torch-start, dense, "
            "lstm, conv1d, got 'custom'",
        ),
        (["vaedec", "--start", "torch"], "start must be one of random, greedy, got 'torch'"),
        (["rbm", "--network", "conv"], "--network is not read by rbm: leave it out"),
        (["dbm", "--hidden", "3"], "--hidden is not read by dbm: leave it out"),
        (["dbm", "--hiddn", "3"], "there is no flag --hiddn for method dbm; --help-all shows what there is"),
        (["rbm", "--gamma", "3"], "--gamma is a setting of dec, graph, not of method rbm; --help-all"),
        (["hopfield", "--lr", "1"], "--learning-rate is not read by hopfield: leave it out"),
        (["forecaster", "lorenz", "--fold", "1"], "--fold is set by the arms of an experiment: leave it out"),
        (["gan", "--clusters", "3"], "the method gan has no clusters: leave --clusters out"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_a_setting_that_is_not_there_is_refused_with_the_nearest(
    vaeclust: Run, tmp_path: Path, argv: list[str], sentence: str
) -> None:
    code, out, err = vaeclust("run", *argv, "--out", tmp_path / "runs")
    assert (code, out) == (2, "")
    assert err.startswith(f"vaeclust: {sentence}")
    assert err.count("\n") == 1
    assert not (tmp_path / "runs").exists()


NOT_THERE = "there is no flag {} for method {} and network auto; "
MLPS = "network mlp, network mlp-relu-heads, network mlp-torch-start, network dense"
ELSEWHERE = "{} is a setting of {}, not of method {} or network {}; "


@pytest.mark.parametrize(
    ("argv", "sentence", "hint"),
    [
        (["vaedec", "--clustering", "vade"], NOT_THERE.format("--clustering", "dec"), "--clusters"),
        (["vaedec", "--num-clusters", "3"], NOT_THERE.format("--num-clusters", "dec"), "--clusters"),
        (["vaedec", "--joint-stopping", "validation"], NOT_THERE.format("--joint-stopping", "dec"), "--stopping"),
        (["vade", "--mixture-start", "graph"], NOT_THERE.format("--mixture-start", "vade"), "--start"),
        (["vaegraph", "--graphs", "shared"], NOT_THERE.format("--graphs", "graph"), "--groups"),
        (["idec", "--graphs=own"], NOT_THERE.format("--graphs", "dec"), "--groups"),
        (["vaedec", "--heads", "relu"], ELSEWHERE.format("--heads", "network vit", "dec", "auto"), "add --network vit"),
        (
            ["kmeans", "--joint-epochs", "3"],
            ELSEWHERE.format("--joint-epochs", "dec, graph, vade, hopfield-clusters", "kmeans", "auto"),
            "--epochs",
        ),
        (["vaegraph", "--hidden", "64"], ELSEWHERE.format("--hidden", MLPS, "graph", "auto"), "add --network mlp"),
        (["vade", "--joint_reconstruction"], ELSEWHERE.format("--joint-reconstruction", "dec", "vade", "auto"), None),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_what_was_a_flag_of_every_run_is_refused_with_the_nearest(
    vaeclust: Run, tmp_path: Path, argv: list[str], sentence: str, hint: str | None
) -> None:
    ending = hint if hint is None or hint[:3] == "add" else f"did you mean {hint}?"
    ending = ending or "--help-all shows what there is"
    assert vaeclust("run", *argv, "--out", tmp_path / "runs") == (2, "", f"vaeclust: {sentence}{ending}\n")
    assert not (tmp_path / "runs").exists()


def test_known_classes_are_weighed_where_an_arm_is_told_any(vaeclust: Run) -> None:
    assert "--supervision" in vaeclust("run", "dynamic-beta-insects", "--help-all")[1]
    method = parsed("dynamic-beta-insects", "--supervision", "3").experiment.method
    assert method.supervision == 3  # type: ignore[attr-defined]


@dataclass(frozen=True)
class Taken(GAN):
    """A setting that is called like one of the command's own."""

    seeds: int = 3


@dataclass(frozen=True)
class Still(vc.VAEKMeans):
    """A method that counts no epochs."""

    def for_epochs(self, num_epochs: int) -> Self:
        return self


@pytest.fixture
def own_methods(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    for kind in (Taken, Still):
        monkeypatch.setitem(registry.METHODS, kind.__name__.lower(), kind)
    registry.all_methods.cache_clear()
    yield
    monkeypatch.undo()
    registry.all_methods.cache_clear()


@pytest.mark.usefixtures("own_methods")
@pytest.mark.parametrize(
    ("argv", "sentence"),
    [
        (["taken"], "two settings of method taken and its surroundings are called --seeds"),
        (["still", "--epochs", "3"], "the method still has no epochs: leave --epochs out"),
    ],
    ids=["taken", "still"],
)
def test_a_method_of_one_s_own_that_does_not_fit_the_command(vaeclust: Run, argv: list[str], sentence: str) -> None:
    assert vaeclust("run", *argv) == (2, "", f"vaeclust: {sentence}\n")


@pytest.mark.parametrize("name", [*EXPERIMENTS, *vc.METHODS])
def test_the_help_is_short_and_of_this_method_alone(vaeclust: Run, name: str) -> None:
    code, out, err = vaeclust("run", name, "--help")
    assert (code, err) == (0, "")
    assert len(out.splitlines()) <= 60
    assert " ..." not in out, "a first sentence that does not fit into its line"
    assert max(map(len, out.splitlines())) <= 132
    shown = set(re.findall(r"^  (--[a-z0-9-]+)", out, re.MULTILINE))
    method = experiment_of(name).method
    assert ("--gamma" in shown) == hasattr(method, "gamma")
    assert ("--clusters" in shown) == (method.task == "clustering")
    assert ("--column" in shown) == (method.task == "forecasting")
    assert ("--num-hidden" in shown) == hasattr(method, "num_hidden")
    assert ("--covariance" in shown) == ("covariance" in flags_of(method))
    assert "--help-all" in out


def flags_of(value: Any) -> Iterator[str]:
    """Every setting of a value; of one that is chosen among several, the choice and its settings."""
    hints = get_type_hints(type(value))
    for one in fields(value):
        inner = getattr(value, one.name)
        if not is_dataclass(inner) or isinstance(hints[one.name], UnionType):
            yield one.name
        if is_dataclass(inner):
            yield from flags_of(inner)


@pytest.mark.parametrize("name", [*EXPERIMENTS, *vc.METHODS])
def test_the_whole_help_has_every_setting_of_the_method_and_no_other(vaeclust: Run, name: str) -> None:
    code, out, err = vaeclust("run", name, "--help-all")
    assert (code, err) == (0, "")
    shown = re.findall(r"^│ (?:-h, )?--([a-z0-9-]+)", out, re.MULTILINE)
    experiment = experiment_of(name)
    own = {one.name for one in fields(RunArguments)} - {"experiment"} | {"help"}
    for value in (ReadConfig(), experiment.prepare, experiment.method):
        own |= set(flags_of(value))
    for part in {"network", "training"} - set(experiment.method.unused):
        own |= set(flags_of(getattr(experiment, part))) | ({"network"} & {part})
    told = any(arm.labelled for arm in experiment.arms.values())
    own -= {"num_clusters", "fold"} | (set() if told else {"supervision", "compactness"})
    assert sorted(shown) == sorted(word.replace("_", "-") for word in own)


@pytest.mark.long
@pytest.mark.parametrize("name", ["vaedec", "gan"])
def test_help_costs_little(environment: dict[str, str], name: str) -> None:
    def cpu_seconds(*command: str) -> float:
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        subprocess.run(command, capture_output=True, env=environment, check=True)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime

    shown, imported = [*VAECLUST, "run", name, "--help"], [sys.executable, "-c", "import jax"]
    costs = [(cpu_seconds(*shown), cpu_seconds(*imported)) for _ in range(2)]
    ours, jax = map(min, zip(*costs, strict=True))
    assert ours < 3 * jax  # 1.4 s against .7 s; a busy core slows both
