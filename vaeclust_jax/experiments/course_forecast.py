"""Forecasts of the Santa Fe laser in a closed loop: an LSTM and an MLP, beside forecasts without a network.

    vaeclust run course-forecast --seeds 10
    vaeclust run course-forecast-literal --seeds 10
    vaeclust run course-forecast-scan                               # lags and widths by folds; no origin is read
    vaeclust run course-forecast --quick                            # on a series made here
    vaeclust run course-forecast --dataset mine.csv --column y      # a series of one's own

The first 1,000 values are trained on; 100 are predicted from five origins, the published one first. Folds hold out 150
values each, in the order of time. In the literal form lag, cells, units and epochs are the source's (lag 80, 100 cells
or hidden units, 150 and 200 epochs); the source does not say how it went from folds to one model: here that is trained
on all values before the first origin, for all its epochs.
"""

from collections.abc import Callable
from dataclasses import replace

from vaeclust_jax.data import PrepareConfig
from vaeclust_jax.fitting.config import Config, TrainingConfig, with_method
from vaeclust_jax.methods.forecaster import Forecaster
from vaeclust_jax.networks import LSTM, Dense
from vaeclust_jax.studies.experiment import Arm, Experiment, unchanged

_FOLDS = (3, 2, 1)
_LAGS = (20, 40)
_WIDTHS = (25, 50)


def _perceptron(config: Config) -> Config:
    """As many hidden units as the LSTM has cells, and a third more epochs."""
    assert isinstance(config.method, Forecaster), "the experiment's"
    hidden = config.network.cells if isinstance(config.network, LSTM) else (100,)
    network = Dense(latent_dim=config.network.latent_dim, hidden=hidden)
    return with_method(replace(config, network=network), epochs=round(config.method.epochs * 4 / 3))


def _in_fold(configure: Callable[[Config], Config], fold: int) -> Callable[[Config], Config]:
    return lambda config: with_method(configure(config), fold=fold)


def _scanned(lag: int, width: int, fold: int) -> Callable[[Config], Config]:
    network = LSTM(latent_dim=1, cells=(width,))
    return lambda config: with_method(replace(config, network=network), lag=lag, fold=fold)


def _quick(experiment: Experiment) -> Experiment:
    """Fewer values to look back, cells and epochs, and one fold."""
    arms = {name: arm for name, arm in experiment.arms.items() if "fold" not in name or name == "lstm, fold 1"}
    assert isinstance(experiment.method, Forecaster), "the experiment's"
    method = replace(experiment.method, lag=20, epochs=20)
    return replace(experiment, dataset="lorenz", arms=arms, method=method, network=LSTM(latent_dim=1, cells=(16,)))


def _quick_scan(experiment: Experiment) -> Experiment:
    """Two models of two folds each, on the same series."""
    wanted = [f"lag {lag}, 25 cells, fold {fold}" for lag in _LAGS for fold in (2, 1)]
    arms = {name: experiment.arms[name] for name in wanted}
    return replace(experiment, dataset="lorenz", arms=arms, method=experiment.method.for_epochs(10))


LITERAL = Experiment(
    name="course-forecast-literal",
    summary="an LSTM and an MLP on the Santa Fe laser as a course report has them (lag 80), beside baselines",
    dataset="santafe-laser",
    arms={
        "lstm": Arm(unchanged),
        "mlp": Arm(_perceptron),
        **{f"lstm, fold {fold}": Arm(_in_fold(unchanged, fold)) for fold in _FOLDS},
        **{f"mlp, fold {fold}": Arm(_in_fold(_perceptron, fold)) for fold in _FOLDS},
    },
    prepare=PrepareConfig(scaling="standardise-all", split="last", validation=0.0),
    network=LSTM(latent_dim=1, cells=(100,)),
    method=Forecaster(lag=80, epochs=150, first_origin=1000),
    quick=_quick,
    training=TrainingConfig(patience=1000),  # no fold stops early: the model itself has nothing to stop by
)

EXPERIMENT = replace(
    LITERAL,
    name="course-forecast",
    summary="an LSTM and an MLP on the Santa Fe laser, lag and width chosen by folds, beside baselines",
    arms={name: LITERAL.arms[name] for name in ("lstm", "mlp")},
    network=LSTM(latent_dim=1, cells=(50,)),
    method=Forecaster(lag=20, epochs=250, first_origin=1000, cosine_decay=True),
    training=TrainingConfig(batch_size=32, learning_rate=1e-2),
)

SCAN = replace(
    EXPERIMENT,
    name="course-forecast-scan",
    summary="lags and widths of the LSTM of course-forecast, by folds alone: no origin is read",
    arms={
        f"lag {lag}, {width} cells, fold {fold}": Arm(_scanned(lag, width, fold))
        for lag in _LAGS
        for width in _WIDTHS
        for fold in _FOLDS
    },
    quick=_quick_scan,
)
