from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest

from tests.fitting.made import config, squares
from vaeclust_jax.data import Dataset
from vaeclust_jax.experiments import EXPERIMENTS
from vaeclust_jax.folder import Table
from vaeclust_jax.methods.registry import name_of
from vaeclust_jax.studies import execute as module
from vaeclust_jax.studies.execute import execute


class Executed(NamedTuple):
    folder: Path
    metrics: dict[str, Any]
    tables: list[Table]
    said: list[str]


Execute = Callable[..., Executed]


def tiny(y: np.ndarray | None = None, **changes: Any) -> Dataset:
    x, own = squares()
    y = own if y is None else y
    given = {
        "x": x[..., None],
        "y": y,
        "name": "tiny",
        "num_classes": 3,
        "class_names": ("a", "b", "c"),
        "source": "made up",
    }
    return Dataset(**{**given, **changes})


@pytest.fixture(scope="session")
def carry_out(tmp_path_factory: pytest.TempPathFactory) -> Execute:
    def carry_out(
        dataset: Dataset,
        *,
        seeds: tuple[int, ...] = (4,),
        name: str = "vaedec",
        others: Dataset | None = None,
        draw: bool = True,
        **changes: Any,
    ) -> Executed:
        """`draw=False` leaves the figures out, which take most of the time where compiled programs are shared."""
        folder = tmp_path_factory.mktemp(name)
        said: list[str] = []
        # Given, not measured: then equal shapes share compiled programs.
        method = name_of(EXPERIMENTS[name].method)
        settings = config(**{"method": method, "network": "mlp", "input_mean": 0.3, "input_std": 0.3, **changes})
        with pytest.MonkeyPatch.context() as monkeypatch:
            if not draw:
                monkeypatch.setattr(module, "write_drawn", lambda *given: None)
            parts = module.parts_of(EXPERIMENTS[name], settings, dataset)
            metrics, tables = execute(EXPERIMENTS[name], settings, parts, seeds, folder, say=said.append, others=others)
        return Executed(folder, metrics.record(), tables, said)

    return carry_out


@pytest.fixture(scope="session")
def one_seed(carry_out: Execute) -> Executed:
    return carry_out(tiny())


@pytest.fixture(scope="session")
def two_seeds(carry_out: Execute) -> Executed:
    return carry_out(tiny(), seeds=(4, 9), input_mean=None, input_std=None)
