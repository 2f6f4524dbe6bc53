"""`latest`, the link beside the folders of runs that leads to the last one that ended."""

import os
from contextlib import suppress
from pathlib import Path

from vaeclust_jax.errors import InputError
from vaeclust_jax.whole_file import whole_path

LATEST = "latest"
RUNS = Path("runs")
"""Where the command puts runs unless it is told."""


def point_latest(folder: Path) -> None:
    """Lets `latest` lead to a run's folder beside it.

    A file or folder of that name is left alone, and so is a link to anywhere else: they are not ours. Where there are
    no links, nothing happens.
    """
    link = folder.with_name(LATEST)
    with suppress(OSError):
        if os.path.lexists(link) and not _is_ours(link):
            return
        with whole_path(link) as made:
            made.symlink_to(folder.name, target_is_directory=True)


def run_at(path: Path) -> Path:
    """The folder that a person means: by `latest`, where nothing here has the name, the last run under `RUNS`.

    Of a run that was done several times it is the last of them.

    Raises:
        InputError: there is no last run.
    """
    if path.name != LATEST:
        return path
    found = RUNS / LATEST if path == Path(LATEST) and not path.exists() else path
    if not found.exists():
        runs = sorted(found.parent.glob("*/config.json"), key=lambda path: path.stat().st_mtime)
        instead = f"the newest run beside it is {runs[-1].parent}" if runs else "start a run, or give the folder of one"
        raise InputError(f"{found} is not there: {instead}")
    folder = found.with_name(os.readlink(found)) if _is_ours(found) else found
    return run_at(folder / LATEST) if _is_ours(folder / LATEST) else folder


def _is_ours(path: Path) -> bool:
    """Whether it is a link to something beside it."""
    return path.is_symlink() and Path(os.readlink(path)).name == os.readlink(path)
