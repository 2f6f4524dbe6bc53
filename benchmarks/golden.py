"""Did a change of the code move a bit? Every experiment and every estimator, short, as hashes of what came out.

    python -m benchmarks.golden before.json            # on one core, two seeds, 300 digits, two epochs a stage
    python -m benchmarks.golden after.json --against before.json

Bits are those of one machine and one version of jax: the two files compare where both were written by the same.
"""

import argparse
import csv
import hashlib
import json
import os
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path
from typing import Any

import numpy as np

ROWS, SEEDS, EPOCHS = 300, 2, 2
MORE_EPOCHS = {"dynamic-beta-insects": 6, "vaedec-controllers": 6}
"""A cyclic beta has four cycles."""
RENAMED = {"val_vae_loss": "val_loss"}
"""Columns of a history by what they were called before."""


def experiments() -> dict[str, list[str]]:
    """Of each experiment the flags that make it short."""
    from vaeclust_jax.experiments import EXPERIMENTS

    size = ["--image-size", "16", "16"]
    return {name: [] if name.startswith(("vaegmm", "dynamic")) else size for name in EXPERIMENTS}


def write_digits(folder: Path) -> None:
    """As images, and as vectors for the experiments on spectra."""
    from sklearn.datasets import load_digits

    digits = load_digits()
    images = (digits.images[:ROWS, :, :, None] / 16).astype(np.float32)
    np.savez(folder / "images.npz", x=images, y=digits.target[:ROWS])
    np.savez(folder / "vectors.npz", x=images.reshape(ROWS, -1), y=digits.target[:ROWS])


def of_experiment(name: str, flags: list[str], folder: Path) -> dict[str, Any]:
    """Runs the command and hashes its files."""
    data = folder / ("vectors.npz" if name.startswith("dynamic") else "images.npz")
    out = folder / name
    command = [sys.executable, "-m", "vaeclust_jax.cli", "run", name, "--dataset", data, "--clusters", "10", *flags]
    command += ["--seeds", str(SEEDS), "--epochs", str(MORE_EPOCHS.get(name, EPOCHS)), "--out", out, "--quiet"]
    done = subprocess.run([str(word) for word in command], capture_output=True, text=True)
    if done.returncode:
        raise SystemExit(f"{name} failed:\n{done.stdout}\n{done.stderr}")
    run = (out / "latest").resolve()
    with (run / "history.csv").open() as file:
        rows = list(csv.DictReader(file))
    models = {}
    for model in sorted((run / "model").iterdir()):
        with zipfile.ZipFile(model) as packed:
            names = sorted(entry for entry in packed.namelist() if entry.endswith(".npy"))
            models[model.stem] = {entry: _hash(packed.read(entry)) for entry in names}
    return {
        "assignments": _hash((run / "assignments.csv").read_bytes()),
        "history": _columns(rows),
        "models": models,
    }


def of_estimators() -> dict[str, Any]:
    """Every estimator on the digits as vectors."""
    from sklearn.datasets import load_digits

    import vaeclust_jax.estimators as estimators

    x = load_digits().data[:ROWS]
    found = {}
    for name in estimators.__all__:
        kind = getattr(estimators, name)
        short = {key: EPOCHS for key in ("pretrain_epochs", "joint_epochs") if key in kind().get_params()}
        fitted = kind(10, hidden=(32,), n_init=2, random_state=0, **short).fit(x)
        arrays = fitted._packed.arrays
        found[name] = {
            "assignments": _hash(fitted.labels_.tobytes()),
            "objective": repr(float(fitted.objective_)),
            "history": _columns(fitted.history_),
            "models": {key: _hash(np.asarray(arrays[key]).tobytes()) for key in sorted(arrays)},
        }
    return found


def _columns(rows: list[dict[str, Any]]) -> dict[str, str]:
    names = dict.fromkeys(name for row in rows for name in row)
    return {RENAMED.get(name, name): _hash(repr([row.get(name) for row in rows]).encode()) for name in names}


def _hash(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()[:16]


def differences(before: Any, after: Any, place: str = "") -> list[str]:
    """The places at which two records differ."""
    if not isinstance(before, dict) or not isinstance(after, dict):
        return [] if before == after else [place]
    keys = sorted({*before, *after})
    return [line for key in keys for line in differences(before.get(key), after.get(key), f"{place}/{key}")]


def main() -> None:
    """Writes the record, and says what differs."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("out", type=Path)
    parser.add_argument("--against", type=Path, help="a record to compare with")
    parser.add_argument("--only", nargs="*", help="experiments, or 'estimators'; default: all")
    args = parser.parse_args()
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})  # sums depend on the number of threads
    record = json.loads(args.out.read_text()) if args.only and args.out.exists() else {}
    with tempfile.TemporaryDirectory() as name:
        write_digits(Path(name))
        for experiment, flags in experiments().items():
            if not args.only or experiment in args.only:
                record[experiment] = of_experiment(experiment, flags, Path(name))
                print(experiment, flush=True)
                args.out.write_text(json.dumps(record, indent=1) + "\n")
    if not args.only or "estimators" in args.only:
        record["estimators"] = of_estimators()
    args.out.write_text(json.dumps(record, indent=1) + "\n")
    if args.against is not None:
        before = json.loads(args.against.read_text())
        before = {name: value for name, value in before.items() if name in record}
        found = differences(before, record)
        print("\n".join(found) if found else "no bit differs")
        sys.exit(bool(found))


if __name__ == "__main__":
    main()
