"""Studies of methods that predict numbers: forecasts from several origins, and rows beside those of training."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from sklearn.linear_model import LinearRegression

import vaeclust_jax as vc
from vaeclust_jax.baselines.series import SERIES_BASELINES, analogue, linear
from vaeclust_jax.cli.run import load_dataset, parse_run
from vaeclust_jax.data import Dataset
from vaeclust_jax.experiments import EXPERIMENTS
from vaeclust_jax.folder.records.forecasting import ForecastRecord
from vaeclust_jax.folder.records.metrics_file import read_metrics
from vaeclust_jax.folder.records.regression import RegressionRecord
from vaeclust_jax.methods.method import Method
from vaeclust_jax.networks import NetworkConfig
from vaeclust_jax.studies.execute import execute, parts_of
from vaeclust_jax.studies.tasks import TASKS

SEEDS = (4, 9)
WAVE = np.sin(np.arange(140) / 3).astype(np.float32)
FORECASTER = vc.Forecaster(lag=6, epochs=2, horizon=8, origins=3, first_origin=90, fold_size=10)


def carry_out(
    name: str, dataset: Dataset, arms: tuple[str, ...], method: Method, network: NetworkConfig, folder: Path
) -> ForecastRecord | RegressionRecord:
    experiment = EXPERIMENTS[name]
    experiment = replace(experiment, arms={arm: experiment.arms[arm] for arm in arms})
    config = vc.Config(method, experiment.prepare, network, vc.TrainingConfig(patience=99))
    record, _ = execute(experiment, config, parts_of(experiment, config, dataset), SEEDS, folder, say=lambda line: None)
    assert read_metrics(folder / "metrics.json") == record
    return record


def series(values: np.ndarray) -> Dataset:
    return Dataset(values[:, np.newaxis], None, "wave", source="made up")


@pytest.fixture(scope="module")
def forecast(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, ForecastRecord]:
    folder = tmp_path_factory.mktemp("forecast")
    network = vc.LSTM(latent_dim=1, cells=(3,))
    record = carry_out("course-forecast-literal", series(WAVE), ("lstm", "lstm, fold 1"), FORECASTER, network, folder)
    assert isinstance(record, ForecastRecord)
    return folder, record


def test_a_forecast_is_scored_by_what_came(forecast: tuple[Path, ForecastRecord]) -> None:
    folder, record = forecast
    assert record.origins == (90, 111, 132)
    assert set(record.results) == {"lstm", "lstm, mean of seeds", *SERIES_BASELINES}
    truth = WAVE[90:98].astype(np.float64)
    together = np.mean([vc.load(folder, seed=seed).forecast(WAVE[np.newaxis, :90], 8)[0] for seed in SEEDS], axis=0)
    error = np.mean((together - truth) ** 2) / truth.var()
    assert record.results["lstm, mean of seeds"].mean.nmse == pytest.approx(error, rel=1e-4)
    for place, seed in enumerate(SEEDS):
        run = vc.load(folder, seed=seed)
        for origin, found in zip(record.origins, record.by_origin["lstm"][place], strict=True):
            truth = WAVE[origin : origin + 8].astype(np.float64)
            error = run.forecast(WAVE[np.newaxis, :origin], 8)[0] - truth
            assert found == pytest.approx(np.mean(error**2) / truth.var(), rel=1e-4)
        assert record.seeds[place].nmse == pytest.approx(record.by_origin["lstm"][place][0])
    assert record.medians["lstm"] == pytest.approx(np.median([row[0] for row in record.by_origin["lstm"]]))
    assert record.results["linear AR"].mean.nmse == pytest.approx(0, abs=1e-4), "a sine is an autoregression"
    assert [(one.arm, one.trained, one.validated) for one in record.folds] == [("lstm, fold 1", 80, 10)]
    names = {"folds", "losses", "forecasts", "origins", "errors"}
    assert {path.stem for path in folder.glob("*.png")} == names


@pytest.mark.long
def test_what_comes_after_the_first_origin_changes_no_model(
    forecast: tuple[Path, ForecastRecord], tmp_path: Path
) -> None:
    other = WAVE.copy()
    other[90:] = np.random.default_rng(0).normal(size=50)
    network = vc.LSTM(latent_dim=1, cells=(3,))
    carry_out("course-forecast-literal", series(other), ("lstm",), FORECASTER, network, tmp_path)
    name = Path("model") / "seed-4.vaeclust"
    assert (forecast[0] / name).read_bytes() == (tmp_path / name).read_bytes()


@pytest.mark.long
def test_a_scan_reads_nothing_after_its_folds(tmp_path: Path) -> None:
    late = WAVE.copy()
    late[90:] = np.random.default_rng(0).normal(size=50)
    arms = tuple(f"lag 20, 25 cells, fold {fold}" for fold in (2, 1))
    for name in ("as it was", "another end"):
        (tmp_path / name).mkdir()
    of = [
        carry_out("course-forecast-scan", series(values), arms, FORECASTER, vc.LSTM(latent_dim=1), tmp_path / name)
        for name, values in {"as it was": WAVE, "another end": late}.items()
    ]
    assert of[0] == replace(of[1], dataset=of[0].dataset)
    record = of[0]
    assert isinstance(record, ForecastRecord)
    assert record.origins == (70,), "where the named fold's validation begins"
    scores = TASKS["forecasting"].tables(record)[0]
    said = [*record.findings, *record.protocol.values(), *(column.name for column in scores.columns)]
    assert f"{arms[0]} has a median NMSE of" in said[0]
    assert "over seeds in the validation part." in said[0]
    assert not any("origin" in sentence for sentence in said)
    (model,) = record.models
    errors = [error for fold in record.folds for error in fold.closed_loop]
    assert (model.model, model.folds) == ("lag 20, 25 cells", 2)
    assert model.closed_loop == pytest.approx(np.exp(np.mean(np.log(errors))))
    assert record.folds[0].closed_loop == pytest.approx([row[0] for row in record.by_origin[arms[0]]])


def test_a_fold_is_no_setting_of_an_experiment() -> None:
    experiment = EXPERIMENTS["course-forecast"]
    config = vc.Config(replace(FORECASTER, fold=1), experiment.prepare, experiment.network)
    with pytest.raises(vc.InputError, match="fold is set by the arms of an experiment: leave it out"):
        parts_of(experiment, config, series(WAVE))


@pytest.mark.long
def test_numbers_are_scored_on_rows_that_nothing_else_saw(tmp_path: Path) -> None:
    x = np.random.default_rng(0).normal(size=(60, 3)).astype(np.float32)
    dataset = Dataset(x, None, "rows", source="made up")
    network = vc.Dense(latent_dim=1, hidden=(3,), activations=("mish",))
    record = carry_out("course-regression", dataset, ("adam", "l-bfgs"), vc.Regressor(epochs=2), network, tmp_path)
    assert isinstance(record, RegressionRecord)
    order = np.random.default_rng(0).permutation(60)
    test, fitted = x[np.sort(order[:20])], x[np.sort(order[20:])]
    for place, seed in enumerate(SEEDS):
        error = vc.load(tmp_path, seed=seed).regress(test[:, :2])[:, 0] - test[:, 2]
        assert record.seeds[place].mse == pytest.approx(np.mean(error**2), rel=1e-4)
    train, _ = vc.data.split_rows(40, vc.PrepareConfig(validation=0.5))
    line = LinearRegression().fit(fitted[train, :2], fitted[train, 2])
    assert record.floor.mse == pytest.approx(np.mean((line.predict(test[:, :2]) - test[:, 2]) ** 2), rel=1e-4)
    assert {path.stem for path in tmp_path.glob("*.png")} == {"losses", "optimisers", "predictions", "surfaces"}


def test_the_last_column_is_predicted_whatever_it_is_called(tmp_path: Path) -> None:
    rows = [f"{n * 7 % 60},{n % 7},{n % 5}" for n in range(60)]
    (tmp_path / "houses.csv").write_text("\n".join(["area,rooms,target", *rows]) + "\n")
    flags = ["--network", "dense", "--latent-dim", "1", "--epochs", "1"]
    dataset = load_dataset(parse_run(["regressor", str(tmp_path / "houses.csv"), *flags]))
    assert dataset.columns.features == ("area", "rooms", "target")
    assert dataset.y is None
    clustered = load_dataset(parse_run(["kmeans", str(tmp_path / "houses.csv")]))
    assert clustered.columns.features == ("area", "rooms")


def test_the_nearest_past_repeats_a_period() -> None:
    values = np.tile([0.0, 1.0, 5.0, 2.0], 10)
    np.testing.assert_array_equal(analogue(values, values[np.newaxis, :6], 7), [np.tile([0, 1, 5, 2], 4)[6:13]])


def test_the_linear_baseline_is_scikit_learns() -> None:
    values = np.random.default_rng(0).normal(size=60).cumsum()
    rows = np.lib.stride_tricks.sliding_window_view(values, 4)
    line, known = LinearRegression().fit(rows[:, :3], rows[:, 3]), values[-3:].tolist()
    for _ in range(5):
        known.append(line.predict([known[-3:]])[0])
    np.testing.assert_allclose(linear(values, values[np.newaxis, -3:], 5)[0], known[3:], rtol=1e-3)


def test_a_reservoir_learns_a_wave_and_is_another_by_another_seed() -> None:
    values = np.sin(np.arange(400) / 5)
    forecast = SERIES_BASELINES["echo state network"].forecast
    one, two = (forecast(values, values[np.newaxis, 250:300], 20, seed)[0] for seed in (0, 1))
    np.testing.assert_allclose(one, values[300:320], atol=0.1)
    assert (one != two).any()
