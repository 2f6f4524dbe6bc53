"""Worker processes share compiled programs on disk."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

SEARCH = """
import json, sys
import numpy as np
from sklearn.model_selection import GridSearchCV
from tests.estimators.conftest import MAKE
from tests.fitting.made import blobs

GRID = {"latent_dim": [1, 2], "learning_rate": [1e-3, 1e-2]}
search = GridSearchCV(
    MAKE["VAEKMeans"](), GRID, cv=2, n_jobs=int(sys.argv[1]), refit=False
)
print(json.dumps(search.fit(blobs()[0]).cv_results_["mean_test_score"].tolist()))
"""

WORKERS = """
import json, sys
from joblib.externals.loky import get_reusable_executor

def fit():
    import jax
    events = []
    jax.monitoring.register_event_listener(lambda event, **about: events.append(event))
    from tests.estimators.conftest import MAKE
    from tests.fitting.made import blobs
    MAKE["VAEKMeans"]().fit(blobs()[0])
    return [events.count(f"/jax/compilation_cache/cache_{what}") for what in ("hits", "misses")]

found = []
for _ in range(2):  # one after the other, each a process of its own
    with get_reusable_executor(max_workers=1, kill_workers=True, reuse=False) as executor:
        found.append(executor.submit(fit).result())
print(json.dumps(found))
"""


def said(script: str, *words: str, **settings: str) -> Any:
    """What a script prints, in a process whose jax keeps no program unless it is told to."""
    usual = {name: value for name, value in os.environ.items() if not name.startswith("JAX_")}
    root = str(Path(__file__).parents[2])
    environment = {**usual, **settings, "PYTHONPATH": root, "JAX_PLATFORMS": "cpu"}
    done = subprocess.run(
        [sys.executable, "-c", script, *words], env=environment, cwd=root, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def programs(folder: Path) -> set[str]:
    return {path.name for path in (folder / "compiled").glob("*-cache")}


@pytest.mark.slow
def test_a_search_in_two_processes_gives_the_same_scores_and_compiles_once(tmp_path: Path) -> None:
    alone = said(SEARCH, "1", VAECLUST_CACHE=str(tmp_path / "alone"))
    assert not (tmp_path / "alone").exists()  # where nobody started this process, the person decides
    assert said(SEARCH, "2", VAECLUST_CACHE=str(tmp_path)) == alone
    first = programs(tmp_path)
    assert first
    assert said(SEARCH, "2", VAECLUST_CACHE=str(tmp_path)) == alone
    assert programs(tmp_path) == first


@pytest.mark.long
def test_a_second_process_compiles_nothing_that_the_first_did(tmp_path: Path) -> None:
    (first_hits, first_misses), (hits, misses) = said(WORKERS, VAECLUST_CACHE=str(tmp_path))
    assert first_misses == len(programs(tmp_path)) > 20
    assert misses == 0
    assert hits >= first_hits + first_misses - 5


@pytest.mark.slow
def test_a_worker_keeps_nothing_where_jax_is_told_so(tmp_path: Path) -> None:
    settings = {"VAECLUST_CACHE": str(tmp_path), "JAX_ENABLE_COMPILATION_CACHE": "false"}
    assert [misses for _, misses in said(WORKERS, **settings)] == [0, 0]
    assert programs(tmp_path) == set()
