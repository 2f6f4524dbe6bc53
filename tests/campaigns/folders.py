"""A run's folder with something changed: `report`, `compare`, `predict`, `run --resume` work, or say why not."""

import csv
import io
import shutil
import struct
import zlib
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from unittest.mock import patch

import numpy as np

from tests.campaigns.campaign import Rng, Trial, bounded
from tests.campaigns.command import TINY, Reached, check_answer, vaeclust
from tests.campaigns.models import changed
from tests.campaigns.mutate import LONG, VALUES, bytes_of, json_of, pick
from tests.fitting.made import blobs
from tests.page.made_run import made_map, make_run

_TRAINS = "vaeclust_jax.training.loop.epoch_program"
_MEASURES = "vaeclust_jax.studies.execute.Study"


def folders(folder: Path) -> Trial:
    """Of a run that ended, of one that was ended early, and of one with everything that a page shows."""
    early, ended = run_twice(folder)
    shown = make_run(
        folder / "shown", latent_map=made_map().take(np.arange(0, 1797, 20)), figures=True, assignments=True
    )
    mine = folder / "mine"
    (mine / "7").mkdir(parents=True)
    (mine / "7" / "thesis.tex").write_text("years of work")
    before, place, data = contents(mine), folder / "run", folder / "x.npz"

    def trial(rng: Rng) -> str:
        name = pick(rng, ["report", "report", "compare", "predict", "--resume"])
        whole = early if name == "--resume" else ended if name == "predict" or rng.random() < 0.5 else shown
        shutil.rmtree(place, ignore_errors=True)
        shutil.copytree(whole, place)
        for _ in range(rng.integers(1, 3)):
            edit(rng, place, mine)
        commands: dict[str, tuple[object, ...]] = {
            "report": ("report", place),
            "compare": ("compare", place, whole),
            "predict": (
                "predict",
                place,
                data,
                "--out",
                folder / "labels.csv",
                "--overwrite",
                "--no-compilation-cache",
            ),
            "--resume": ("run", "--resume", place, "--no-page", "--quiet", "--no-compilation-cache"),
        }
        try:
            with (
                patch(_TRAINS, side_effect=Reached),
                patch(_MEASURES, side_effect=Reached),
                bounded(seconds=20, megabytes=400),
            ):
                answer = vaeclust(*commands[name])
            outcome = check_answer(answer, place, whole, folder)
        except Reached:
            outcome = "goes on"
        assert contents(mine) == before, "files outside of the folder were changed"
        return f"{name}: {outcome}"

    return trial


def contents(folder: Path) -> dict[str, bytes]:
    """All files under a folder, by name."""
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def run_twice(folder: Path) -> tuple[Path, Path]:
    """The folder of a run that was ended after its fits, and that of the same run when it had gone on."""
    np.savez(folder / "x.npz", x=blobs()[0], y=blobs()[1])
    words = ("vaedec", folder / "x.npz", "-k", 3, *TINY, "--epochs", 2, "--seeds", 2, "--checkpoint-epochs", 1)
    with patch(_MEASURES, side_effect=KeyboardInterrupt):
        answer = vaeclust("run", *words, "--quiet", "--no-page", "--out", folder / "runs")
    assert answer.code == 130, answer.err
    (early,) = (folder / "runs").iterdir()
    ended = shutil.copytree(early, folder / "ended")
    answer = vaeclust("run", "--resume", ended, "--quiet", "--no-page")
    assert answer.code == 0, answer.err
    return early, ended


def edit(rng: Rng, folder: Path, mine: Path) -> None:
    """One thing is not as the run left it.

    Args:
        rng: chooses what.
        folder: of the run.
        mine: a folder of one's own, which links lead to.
    """
    files = sorted(path for path in folder.rglob("*") if path.is_file() and not path.is_symlink())
    if not files:
        return
    kind = pick(rng, sorted({path.suffix for path in files}))
    path = pick(rng, [file for file in files if file.suffix == kind])
    if rng.random() < 0.75 and (change := _CHANGES.get(path.suffix)):
        with suppress(Exception):  # it was damaged before
            path.write_bytes(change(rng, path.read_bytes()))
        return
    match rng.integers(7):
        case 0:
            path.unlink()
        case 1:
            path.write_bytes(bytes_of(rng, path.read_bytes()))
        case 2:
            path.write_bytes(b"")
        case 3:
            path.unlink()
            path.mkdir()
        case 4:
            path = pick(rng, [path, path.parent])
            if path != folder:
                shutil.rmtree(path) if path.is_dir() else path.unlink()
                path.symlink_to(
                    pick(rng, [mine, mine / "7" / "thesis.tex", path, folder, Path("/dev/zero"), mine / "8"])
                )
        case 5:
            other = pick(rng, files)
            path.write_bytes(other.read_bytes())
        case 6:
            name = pick(
                rng,
                ["seed-7.vaeclust", "seed-", f"seed-{10**30}.vaeclust", b"\xff.png".decode(errors="surrogateescape")],
            )
            (path.parent / name).write_bytes(path.read_bytes())


def _table(rng: Rng, content: bytes) -> bytes:
    """A CSV with a cell, a row or a column changed."""
    rows = list(csv.reader(io.StringIO(content.decode())))
    number = int(rng.integers(len(rows)))
    column = int(rng.integers(len(rows[0])))
    match rng.integers(6):
        case 0:
            del rows[number]
        case 1:
            rows = [row[:column] + row[column + 1 :] for row in rows]
        case 2:
            rows.insert(number, rows[0])
        case 3:
            rows[number] = rows[number] * pick(rng, [0, 2, 10_000])
        case _:
            rows[number][column] = pick(rng, [*(str(value) for value in VALUES if value != "\ud800"), "1" * 200_000])
    stream = io.StringIO()
    csv.writer(stream, lineterminator="\n").writerows(rows)
    return stream.getvalue().encode()


def _arrays(rng: Rng, content: bytes) -> bytes:
    """An .npz with an array of another type, shape or range."""
    with np.load(io.BytesIO(content)) as file:
        arrays = dict(file)
    name = pick(rng, sorted(arrays))
    array = arrays[name]
    others: list[Callable[[], np.ndarray]] = [
        lambda: array[:-1],
        lambda: array[:0],
        lambda: array[None],
        lambda: array.astype(object),
        lambda: array.astype("U5"),
        lambda: array.astype(str).astype("S"),
        lambda: np.zeros(array.shape, pick(rng, ["f8", "i8", "u1", "c8", "?", "M8[s]"])),
        lambda: np.full(array.shape, pick(rng, [-1, 2**40, 10**6, np.nan, np.inf])),
        lambda: np.array(pick(rng, [0, "x"])),
        lambda: np.full(array.shape, LONG),
        lambda: np.zeros((len(array), 2000, 2000, 1), np.uint8)[: 2 if len(array) > 2 else None],
    ]
    if rng.random() < 0.15:
        del arrays[name]
    else:
        arrays[name] = pick(rng, others)()
    stream = io.BytesIO()
    np.savez_compressed(stream, **arrays)
    return stream.getvalue()


def _picture(rng: Rng, content: bytes) -> bytes:
    """A PNG that is damaged, or that says to be of another size."""
    if rng.random() < 0.5 or len(content) < 33:
        return bytes_of(rng, content)
    head = bytearray(content[:29])
    head[16:24] = struct.pack(">II", *pick(rng, [(0, 0), (1, 1), (4000, 4000), (20_000, 20_000), (2**31 - 1, 1)]))
    return bytes(head) + struct.pack(">I", zlib.crc32(head[12:])) + content[33:]


_CHANGES: dict[str, Callable[[Rng, bytes], bytes]] = {
    ".json": json_of,
    ".csv": _table,
    ".npz": _arrays,
    ".png": _picture,
    ".vaeclust": lambda rng, content: changed(rng, content, [content]),
}
