"""The table of clustering quality: rows kept one by one, not measured twice, and read as a page."""

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

import vaeclust_jax as vc
from benchmarks.machine import CHECKOUT
from benchmarks.quality import __main__ as command
from benchmarks.quality import ablations, methods, networks, peers, views
from benchmarks.quality.datasets import DATASETS, NUM_CLASSES
from benchmarks.quality.methods import METHODS, PREPARE, as_text, available, cluster, prepare_of, setting_of, together
from benchmarks.quality.moved import AXES, Point, Setting, Task, graph_of
from benchmarks.quality.rows import Row, keep, read
from benchmarks.quality.table import current, page
from vaeclust_jax.errors import InputError
from vaeclust_jax.fitting.config import Config
from vaeclust_jax.graph.neighbours import Posterior, posterior_graph
from vaeclust_jax.metrics import accuracy
from vaeclust_jax.selection.augment import AugmentChoice, Tried
from vaeclust_jax.studies.assignments import Answer


def row(method: str = "VaDE", seed: int = 0, acc: float = 0.5, dataset: str = "digits") -> Row:
    return Row(dataset, method, seed, as_text(setting_of(method, 10, False)), acc, 0.6, 0.7, 8.0, None, 0.8)


def test_a_row_is_kept_and_replaced_by_one_of_its_place(tmp_path: Path) -> None:
    path = tmp_path / "new" / "rows.json"
    for one in (row(), row(seed=1), row(acc=0.9)):
        keep(path, one)
    assert read(path) == [row(acc=0.9), row(seed=1)]
    path.write_text("[{]")
    with pytest.raises(InputError, match="cannot be read as rows of the quality table"):
        read(path)


def test_the_page_has_mean_and_deviation_over_seeds() -> None:
    tried = [
        {"augment": 0.0, "agreement": 0.75, "cut": 0.01, "gap": 0.5, "score": 6.494},
        {"augment": 1.0, "agreement": 0.5, "cut": 0.02, "gap": 0.25, "score": 4.86},
    ]
    views = {"digits": {"augment": 0.0, "tried": tried}, "pendigits": {"augment": 0.0, "tried": []}}
    right = row("DEC", seed=1, dataset="mnist-test", acc=1.0)._replace(auroc=None)  # made no error
    older = row("DEC", seed=2, dataset="mnist-test")._replace(auroc=None)  # than the column
    text = page([row(acc=0.5), row(seed=1, acc=0.7), row("DEC", dataset="mnist-test"), right, older], views)
    assert (
        f"| VaDE | 0.600 ± {np.std([0.5, 0.7], ddof=1):.3f} | 0.600 ± 0.000 | 0.700 ± 0.000 |  | 0.800 ± 0.000 | "
        "8.0 ± 0.0 | 2 |"
    ) in text
    assert (
        "| DEC | 0.667 ± 0.289 | 0.600 ± 0.000 | 0.700 ± 0.000 |  | 0.800 (without 1) | 8.0 ± 0.0 | 3 | MNIST ACC .84"
    ) in text
    assert "no label read but to score" in text
    assert "| digits | **0** | 0.750 | 0.0100 | 0.500 | 6.494 |\n| digits | 1 | 0.500 |" in text
    assert "| pendigits |" not in text
    assert "## Views" not in page([row()], {})


def test_the_overview_says_where_the_best_method_is_below_the_floor() -> None:
    floor = [row("Ward", acc=0.8), row("k-means", acc=0.7)._replace(nmi=0.9)]
    ours = [row("IDEC", acc=0.6), *(row("vaegraph", seed, acc) for seed, acc in enumerate((0.75, 0.81)))]
    text = page([*floor, *ours, row("vaegraph", dataset="usps")], {})
    assert "| digits | 0.800 (Ward) / 0.900 (k-means) | 0.600 / 0.600 | 0.780 / 0.600 | ACC, NMI |" in text
    assert "| usps | " not in text  # no floor is measured there
    better = [one._replace(acc=0.795, nmi=0.91) for one in ours]
    assert "| 0.795 / 0.910 | no |" in page([*floor, *better], {})
    rows = [line for line in text.splitlines() if line.startswith(("| vaegraph", "| Ward"))]
    assert [line.split(" | ")[4] for line in rows] == ["", "ACC, NMI", ""]


def test_means_over_sets_are_of_methods_that_were_measured_on_all_of_them() -> None:
    rows = [
        *(row("Ward", acc=acc, dataset=name) for acc, name in ((0.8, "digits"), (0.4, "iris"), (0.1, "usps"))),
        *(row("k-means", acc=acc, dataset=name) for acc, name in ((0.5, "digits"), (0.7, "iris"))),
        row("IDEC", acc=0.9),
        *(row("vaegraph", seed, 0.75, dataset=name) for seed in (0, 1) for name in ("digits", "iris")),
        row("vaegraph", dataset="usps"),  # of one seed, as of whole sets
    ]
    text = page(rows, {})
    assert "### Over 2 sets" in text
    assert "on all of them: digits, iris." in text
    assert "| Ward | 0.600 | 0.600 | 0.700 | 1 |" in text
    assert "| k-means | 0.600 | 0.600 | 0.700 | 1 |" in text
    assert "| vaegraph | 0.750 | 0.600 | 0.700 | 1 |" in text
    assert "| IDEC | 0.900 | 0.600 | 0.700 | 0 |" not in text
    assert "### Over" not in page(rows[:1], {})


def test_every_set_has_a_documented_number_of_classes() -> None:
    assert set(NUM_CLASSES) == set(DATASETS)
    for name in ("iris", "wine", "breast-cancer"):  # which scikit-learn ships
        assert len(np.unique(DATASETS[name]().y)) == NUM_CLASSES[name]


def test_the_committed_page_is_that_of_the_committed_rows() -> None:
    rows = command.BENCHMARKS / "results" / "quality" / "rows.json"
    text = page(current(read(rows), False), views.read(views.file_beside(rows), False))
    assert text == (command.BENCHMARKS / "quality.md").read_text(encoding="utf-8")


def test_stages_of_one_training_are_fitted_once() -> None:
    groups = together(list(METHODS), 10, quick=False)
    assert ["VAE + k-means", "VAE + mixture"] in groups
    assert sorted(name for group in groups for name in group) == sorted(METHODS)
    assert len(groups) == len(METHODS) - 1


def test_vectors_keep_their_size() -> None:
    x = np.random.default_rng(0).normal(size=(60, 4))
    assert prepare_of(x).image_size is None
    assert prepare_of(x.reshape(15, 4, 4)) == PREPARE
    labels = cluster(["Ward"], x, 3, 0, True)["Ward"].labels
    assert labels.shape == (60,)
    assert set(labels) == {0, 1, 2}


def test_methods_that_need_other_packages_find_blobs_or_say_what_is_missing() -> None:
    y = np.arange(90) % 3
    x = np.random.default_rng(0).normal(size=(90, 4)) + 12 * np.eye(3, 4)[y]
    for name in ("UMAP + mixture", "UMAP + HDBSCAN", "Leiden", "EVoC", "N2D", "DCN"):
        if name in available():
            assert accuracy(y, cluster([name], x, 3, 0, True)[name].labels) > 0.9
        else:
            with pytest.raises(InputError, match=rf"{name} needs .*: see the protocol".replace("+", r"\+")):
                cluster([name], x, 3, 0, True)


def test_methods_of_clustpy_have_the_networks_and_epochs_of_ours() -> None:
    ours = methods.METHODS["IDEC"].method
    assert isinstance(ours, vc.DEC)
    assert (methods.NETWORK.hidden, methods.NETWORK.latent_dim) == (peers.HIDDEN, peers.LATENT_DIM)
    assert (ours.pretrain_epochs, ours.joint_epochs) == (peers.PRETRAIN_EPOCHS, peers.JOINT_EPOCHS)
    assert not any(map(methods.is_floor, ("N2D", "DCN", "DipDECK", "IDEC", "vaegraph")))
    assert all(map(methods.is_floor, ("k-means", "UMAP + HDBSCAN", "Leiden", "EVoC")))


def test_views_are_chosen_once_for_a_data_set(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked, path = [], views.file_beside(tmp_path / "new" / "rows.json")

    def choose(setting: Config, x: np.ndarray) -> AugmentChoice:
        asked.append(setting.prepare)
        return AugmentChoice(1.0, (Tried(0.0, 0.5, 0.1, 0.25), Tried(1.0, 0.5, 0.1, 0.5)), "augment 1: so.")

    monkeypatch.setattr(views, "choose_augment", choose)
    x = np.zeros((5, 3))
    assert [views.strength(path, name, x, 3, True) for name in ("digits", "digits", "usps")] == [1.0] * 3
    assert asked == [prepare_of(x)] * 2
    assert set(views.read(path, True)) == {"digits", "usps"}
    assert views.read(path, False) == {}
    alone = "vaegraph, posterior alone"
    asked = {"Ward": False, f"{alone}, without views": False, alone: True, "vaegraph": True}
    assert {name: views.asks(name) for name in asked} == asked
    path.write_text('{"digits": 3}')
    with pytest.raises(InputError, match="cannot be read as choices of views"):
        views.read(path, True)


def test_what_is_there_is_not_measured_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[tuple[str, int]] = []

    def cluster(names: list[str], x: np.ndarray, k: int, seed: int, quick: bool, augment: float) -> dict[str, Answer]:
        asked.extend((name, seed) for name in names)
        return {name: Answer(np.arange(len(x)) % k, k) for name in names}

    monkeypatch.setattr(command, "cluster", cluster)
    words = ["--datasets", "digits", "--out", str(tmp_path), "--methods", "Ward", "VAE + k-means", "VAE + mixture"]
    command.main([*words, "--seeds", "0"])
    assert asked == [("Ward", 0), ("VAE + k-means", 0), ("VAE + mixture", 0)]
    command.main([*words, "--seeds", "0", "1"])
    assert asked[3:] == [("Ward", 1), ("VAE + k-means", 1), ("VAE + mixture", 1)]
    rows = json.loads((tmp_path / "rows.json").read_text())
    rows[0]["setting"] = "of another time"
    (tmp_path / "rows.json").write_text(json.dumps(rows))
    command.main([*words, "--seeds", "0", "1"])
    assert asked[6:] == [("Ward", 0)]
    assert "| Ward |" in (tmp_path / "quality.md").read_text()


def test_quick_figures_do_not_get_among_the_others(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        command.main(["--quick"])
    assert "--quick needs --out" in capsys.readouterr().err


@pytest.mark.long
def test_the_quick_form_runs_every_method(tmp_path: Path) -> None:
    words = [sys.executable, "-m", "benchmarks.quality", "--quick", "--datasets", "digits", "--out", str(tmp_path)]
    subprocess.run(words, cwd=CHECKOUT, check=True, capture_output=True, timeout=600)
    rows = read(tmp_path / "rows.json")
    assert {one.method for one in rows} == set(available())
    assert all(0 < one.acc <= 1 and 0 <= one.nmi <= 1 and one.seconds > 0 for one in rows)
    assert all((one.auroc is None) == (METHODS[one.method].method is None) for one in rows)
    text = (tmp_path / "quality.md").read_text()
    assert all(f"| {name} |" in text for name in available())


def test_the_default_point_of_an_ablation_is_the_library_s_graph() -> None:
    mean = np.random.default_rng(0).normal(size=(60, 4))
    logvar = np.full_like(mean, -2.0)
    here, there = (Posterior(np.random.default_rng(3), mean, logvar) for _ in range(2))
    wanted = posterior_graph(there)
    np.testing.assert_allclose(graph_of(here, Setting()).toarray(), wanted.toarray(), rtol=1e-12)


@pytest.mark.slow
def test_the_quick_ablation_writes_its_page_and_picture(tmp_path: Path) -> None:
    words = [sys.executable, "-m", "benchmarks.quality.ablations", "--quick", "--datasets", "digits", "--seeds", "0"]
    subprocess.run([*words, "--out", str(tmp_path)], cwd=CHECKOUT, check=True, capture_output=True, timeout=600)
    points = json.loads((tmp_path / "results" / "quality" / "ablations.json").read_text())
    assert len(points) == sum(len(values) for _, values in AXES.values())
    assert (tmp_path / "results" / "quality" / "ablations.png").stat().st_size > 10_000
    assert (tmp_path / "ablations.md").read_text().count("**") == 2 * len(AXES)


def test_the_table_of_networks_goes_on_where_it_was(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []

    def measured(name: str, side: int, network: str, seed: int, quick: bool) -> Row:
        asked.append((name, side, network, seed))
        if len(asked) == 4:
            raise KeyboardInterrupt
        return Row(f"{name}, {side} x {side}", network, seed, "default", 0.25 * seed, 0.5, 0.5, 10.0, None)

    monkeypatch.setattr(networks, "_measured", measured)
    with pytest.raises(KeyboardInterrupt):
        networks.main(["--out", str(tmp_path)])
    networks.main(["--out", str(tmp_path)])
    assert asked[3] == asked[4]  # the one that was interrupted
    assert len(asked) == 1 + 3 * len(networks.PLACES) * len(networks.NETWORKS)
    page = (tmp_path / "networks.md").read_text()
    assert page.count("| 0.250 ± 0.250 | 0.500 ± 0.000 | 10 ± 0 |") == len(networks.PLACES) * len(networks.NETWORKS)


@pytest.mark.slow
def test_the_quick_table_of_networks_is_of_real_fits(tmp_path: Path) -> None:
    networks.main(["--quick", "--out", str(tmp_path)])
    rows = read(tmp_path / "results" / "quality" / "networks.json")
    assert [(row.method, row.setting) for row in rows] == [("MLP", "quick"), ("convolutions", "quick")]
    assert all(row.acc > 0.2 for row in rows)  # ten classes


def test_points_that_are_there_are_not_measured_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []

    def measured(task: Task, settings: list[tuple[str, float]]) -> Iterator[Point]:
        for axis, value in settings:
            asked.append((axis, value, task.seed))
            if len(asked) == 3:
                raise KeyboardInterrupt
            yield Point(task.dataset, axis, value, task.seed, 0.5, 0.5)

    for name in ("on_graphs", "on_vaes", "on_heads"):
        monkeypatch.setattr(Task, name, measured)
    words = ["--datasets", "digits", "--seeds", "3", "--quick", "--out", str(tmp_path)]
    with pytest.raises(KeyboardInterrupt):
        ablations.main(words)
    ablations.main(words)
    assert asked[2] == asked[3]  # the one that was interrupted
    assert len(asked) == 1 + sum(len(values) for _, values in AXES.values())
    assert "| **64** | 0.500 / 0.500 |" in (tmp_path / "ablations.md").read_text()


def test_one_scale_and_mutual_neighbours_by_hand() -> None:
    """Of a line of points: 2 has 1 for its nearest, which has 0."""
    z = np.array([[0.0], [1.0], [2.5]])
    posterior = Posterior(np.random.default_rng(0), z, np.full_like(z, -100.0))
    usual = Setting(draws=1, temperature=0.0, neighbours=1, power=1.0)
    mean = (1 + 1 + 1.5) / 3
    near, far = np.exp(-2 / mean**2), np.exp(-2 * 1.5**2 / mean**2)
    np.testing.assert_allclose(
        graph_of(posterior, usual._replace(local=False)).toarray(), [[0, near, 0], [near, 0, far / 2], [0, far / 2, 0]]
    )
    mutual = graph_of(posterior, usual._replace(mutual=True)).toarray()
    assert mutual[0, 1] == pytest.approx(np.exp(-2))
    assert mutual[1, 2] == pytest.approx(0.05 * np.exp(-2))  # the link between parts, of the mean weight
