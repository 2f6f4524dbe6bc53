import os
from pathlib import Path

import pytest


@pytest.fixture(autouse=True, scope="session")
def _nothing_goes_out(tmp_path_factory: pytest.TempPathFactory) -> None:
    """Nor into the home of who runs the tests; set before the packages are imported, which read it then."""
    os.environ["TRACKIO_DIR"] = str(tmp_path_factory.mktemp("trackio"))
    for name in ("TRACKIO_SPACE_ID", "TRACKIO_SERVER_URL", "WANDB_MODE", "MLFLOW_TRACKING_URI"):
        os.environ.pop(name, None)
    for name in ("WANDB_CACHE_DIR", "WANDB_CONFIG_DIR", "WANDB_DATA_DIR"):
        os.environ[name] = str(tmp_path_factory.mktemp(name.lower()))


@pytest.fixture
def folder(tmp_path: Path, request: pytest.FixtureRequest) -> Path:
    """Of a run; its name is nobody else's."""
    return tmp_path / f"{tmp_path.parent.name}-{tmp_path.name}"
