import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import settings

from .loopback import Server

settings.register_profile("no deadline", deadline=None)  # other work on the machine must not fail a test
settings.load_profile("no deadline")


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """No test reads or writes the person's own cache."""
    folder = tmp_path / "cache"
    monkeypatch.setenv("VAECLUST_CACHE", str(folder))
    return folder


@pytest.fixture
def no_local_data(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("VAECLUST_DATA", raising=False)


@pytest.fixture
def real_data() -> Path:
    folder = os.environ.get("VAECLUST_DATA")
    if not folder:
        pytest.skip("VAECLUST_DATA is not set")
    return Path(folder)


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    server = Server()
    yield server
    server.stop()
