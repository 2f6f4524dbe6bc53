"""Runs that documents quote, as committed rows: the command, what it ran on, and the scores of every seed.

    python -m benchmarks.runs                    # those of RUNS that have no row
    python -m benchmarks.runs digits --again     # one, in the place of its row

`benchmarks.printed` has what documents may print of them.
"""

import argparse
import json
import resource
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from statistics import fmean
from typing import Any, NamedTuple

from benchmarks.machine import CHECKOUT, commit, this_machine, versions
from benchmarks.results import FOLDER
from vaeclust_jax.errors import InputError
from vaeclust_jax.folder import write_json
from vaeclust_jax.folder.records.repetitions import REPETITIONS
from vaeclust_jax.machine import num_cores

PATH = FOLDER / "quality" / "runs.json"
_CONV = "vaegraph --network conv --value-share 0 --validation 0.2"
_VIT = "--network vit --dim 64 --depth 2 --mlp-dim 128 --heads 4"
_INSECTS = (
    "--network mlp-torch-start --latent-dim 2 --hidden 128 128 64 32 16 8 4 --decoder-hidden 4 8 16 32 32 64 128 128 "
    "--likelihood squared --beta dynamic:a=0.05,since_change=true,interval=11 --batch-size 256 --scaling minmax-row"
)
"""What `dynamic-beta-insects-literal` has, for one of its methods alone."""
_SENSORS = "run dynamic-beta-insects --seeds 5 --dataset wingbeat-aedes"
_COURSE = ("rbm", "dbm", "gan", "vae", "sae", "cnn", "vit", "forecast")
RUNS = {
    "digits": "run",
    "digits-fresh": "run --seeds 5 --first-seed 301",
    "digits-dec": "run dec --image-size 8 8 --network mlp --epochs 15 --seeds 5",
    "digits-dec-batches": "run dec --image-size 8 8 --network mlp --epochs 15 --seeds 5 --target batch",
    "digits-vaedec-conv": "run vaedec --network conv --image-size 32 32 --epochs 30",
    "coil20": "run coil20 --augment 0 --seeds 3",
    "imsat": "run imsat --seeds 5",
    "mnist-mixture": "run vaegmm-mnist --seeds 5",
    "mnist-test-mixture": "run vaegmm-mnist --dataset mnist-test --seeds 3",
    "mnist-test-literal": "run vaegmm-mnist-literal --dataset mnist-test --seeds 3",
    "digits-vaedec-mlp": "run vaedec --network mlp --image-size 8 8 --seeds 3",
    "digits-vaedec-vit": f"run vaedec {_VIT} --patch 2 --image-size 8 8 --seeds 3",
    "coil20-vaedec-mlp": "run vaedec --dataset coil20 --network mlp --image-size 32 32 --seeds 3",
    "coil20-vaedec-vit": f"run vaedec --dataset coil20 {_VIT} --patch 8 --image-size 32 32 --seeds 3",
    "vaedec-coil20": "run vaedec-coil20 --seeds 5",
    "vaedec-coil20-literal": "run vaedec-coil20-literal --seeds 5",
    "coil20-conv": f"run {_CONV} --dataset coil20 --augment 0 --seeds 3 --groups 8 --first-seed 401",
    "coil20-eight": f"run {_CONV} --dataset coil20 --augment 0 --seeds 8 --first-seed 501",
    "coil20-views": f"run {_CONV} --dataset coil20 --augment 1 --seeds 8 --first-seed 501",
    "digits-conv": f"run {_CONV} --image-size 32 32 --seeds 3 --groups 3 --first-seed 401",
    "controllers-digits": "run vaedec-controllers --seeds 5",
    "controllers-coil20": "run vaedec-controllers --dataset coil20 --network conv --seeds 5",
    "auto-digits": f"run {_CONV} --image-size 32 32 --augment 0 --clusters auto",
    "auto-coil20": f"run {_CONV} --dataset coil20 --augment 0 --clusters auto",
    **{f"course-{name}": f"run course-{name} --quick --seeds 5" for name in _COURSE},
    "course-hopfield": "run course-hopfield --seeds 5",
    "course-latents": "run course-hopfield-on-latents --seeds 5",
    "vit-grid": "run course-vit-grid --dataset digits --patch 2 --batch-size 32 --learning-rate 0.001 --epochs 10",
    "series": "run series --seeds 5",
    "attention": "run course-attention --quick --seeds 5",
    "optimisers-cnn": "run course-optimisers-cnn --quick --seeds 5",
    "forecast-laser": "run course-forecast --seeds 10",
    "forecast-laser-literal": "run course-forecast-literal --seeds 3",
    "forecast-scan": "run course-forecast-scan --seeds 5",
    "vae-mnist": "run course-vae --epochs 15",
    "rbm-mnist": "run course-rbm --num-hidden 16",
    "dbm-mnist": "run course-dbm --seeds 3",
    "rbm-mnist-500": "run rbm mnist --num-hidden 500 --validation 0.1429",
    "gan-mnist": (
        "run gan mnist --network conv --latent-dim 64 --channels 32 64 --kernels 5 5 --r1 1 --batch-size 64 "
        "--learning-rate 0.001 --epochs 52"
    ),
    "cnn-mnist": "run course-cnn --seeds 5 --epochs 10",
    "sae-mnist": "run course-sae --seeds 2",
    "sae-mnist-views": (
        "run stacked mnist --network mlp --hidden 256 --latent-dim 64 --noise 0.3 --augment 1 --epochs 100 "
        "--layer-epochs 20 --classes-epochs 30 --validation 0.0833 --patience 1000 --seeds 2"
    ),
    "vit-mnist": "run course-vit --patch 7",
    "vit-mnist-views": (
        "run classifier mnist --network vit --patch 7 --dim 128 --depth 8 --mlp-dim 128 --heads 8 --latent-dim 128 "
        "--augment 1 --epochs 40 --validation 0.0833 --patience 1000 --batch-size 128 --learning-rate 0.0005"
    ),
    "course-regression": "run course-regression --seeds 5",
    "course-optimisers": "run course-optimisers --seeds 5",
    "insects": "run dynamic-beta-insects --seeds 5",
    "insects-literal": "run dynamic-beta-insects-literal --seeds 5",
    "aedes": f"{_SENSORS} --scaling minmax",
    "aedes-gaussian": f"{_SENSORS} --scaling standardise --likelihood gaussian",
    "frequencies": (
        "run dynamic-beta-insects --seeds 5 --dataset wingbeat-frequencies --scaling standardise --likelihood gaussian "
        "--epochs 40"
    ),
    "insects-long": f"run mixture --dataset wingbeat-simulated {_INSECTS} --epochs 5000 --patience 5000 --seeds 3",
}
"""By name, the words after `vaeclust`."""
_SCORES = ("acc", "nmi", "ari", "ami", "silhouette", "active_units")
_MEASURES = ("auroc", "error", "error_at_80")

Values = dict[str, list[float | None]]
"""By score, one a seed."""
Scores = dict[str, dict[str, Values]]
"""By method and protocol; one value alone where nothing is random."""


class Run(NamedTuple):
    """A run of the command line."""

    name: str
    command: str
    commit: str | None
    machine: str
    threads: int
    """Cores that the process might use, and XLA's threads with it."""
    cpu_seconds: float
    """Of all threads, with compilation and figures."""
    versions: dict[str, str | None]
    dataset: str
    seeds: list[int]
    scores: Scores
    classified: Values | None = None
    """Of experiments that name their clusters, by method: accuracy on the test part by all labels, one a seed."""
    naming: list[dict[str, Any]] | None = None
    """Of these, too: mean and deviation of the accuracy by so many labels, over draws of these and seeds."""
    groups: int = 1
    """Of so many seeds each; those of a group vote together."""
    uncertainty: dict[str, Values] | None = None
    """Of the experiment's own method, by measure: AUROC of its errors, the error, and that of the surest 80 %."""
    calibration: Values | None = None
    """Of the same, by kind of probability: the expected calibration error, one a seed."""
    outliers: Values | None = None
    """By measure, AUROC of another data set."""
    chosen: dict[str, int] | None = None
    """By criterion, the number of clusters that it says, if they were asked."""
    findings: list[str] | None = None
    """What the run says of its own figures, with its tests; of groups, those of all together."""
    tables: list[dict[str, Any]] | None = None
    """Of other tasks than clustering, instead of all scores above: the run's own tables."""


def read(path: Path = PATH) -> dict[str, Run]:
    """The committed rows by name.

    Raises:
        InputError: damaged, or not one of ours.
    """
    if not path.exists():
        return {}
    try:
        return {one["name"]: Run(**one) for one in json.loads(path.read_text(encoding="utf-8"))}
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise InputError(f"{path} cannot be read as rows of runs: {error!r}") from error


def measured(name: str, words: str) -> Run:
    """Runs the command by itself.

    Raises:
        InputError: it failed.
    """
    before = _children()
    with tempfile.TemporaryDirectory() as out:
        argv = [sys.executable, "-m", "vaeclust_jax.cli", *words.split(), "--out", out, "--no-page", "--quiet"]
        done = subprocess.run(argv, capture_output=True, text=True, check=False, cwd=CHECKOUT)
        if done.returncode:
            raise InputError(f"{words} failed: {done.stderr.strip()[-300:]}")
        folders = sorted((Path(out) / "latest").glob("group-*")) or [Path(out) / "latest"]
        records = [json.loads((folder / "metrics.json").read_text(encoding="utf-8")) for folder in folders]
        over = Path(out) / "latest" / REPETITIONS
        said = json.loads(over.read_text(encoding="utf-8")) if over.exists() else records[0]
        tables = json.loads((Path(out) / "latest" / "tables.json").read_text(encoding="utf-8"))
    threads = num_cores()
    return Run(
        name, words, commit(), this_machine().name, threads, round(_children() - before, 1), versions(),
        **(kept(records) if records[0]["task"] == "clustering" else kept_of_other_tasks(records[0], tables)),
        findings=said["findings"],
    )  # fmt: skip


def _children() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def kept(records: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """What a row keeps of the `metrics.json` of a run, or of each of its groups of seeds."""
    first = records[0]
    choice = first["num_clusters_choice"]
    named, strange = ([one[key] for one in records if one[key]] for key in ("classification", "outliers"))
    measures, honest = ([one["uncertainty"][key] for one in records] for key in ("measures", "calibration"))
    return {
        "dataset": first["dataset"]["name"],
        "seeds": [row["seed"] for one in records for row in one["seeds"]],
        "scores": {
            method: {
                protocol: _values([one["results"][method][protocol]["seeds"] for one in records], _SCORES)
                for protocol in protocols
            }
            for method, protocols in first["results"].items()
        },
        "classified": {
            method: _values([of["methods"][method]["seeds"] for of in named], ("accuracy",))["accuracy"]
            for method in named[0]["methods"]
        } if named else None,
        "naming": named[0]["curve"] if len(named) == 1 else None,
        "groups": len(records),
        "uncertainty": {
            name: _values([of[name]["seeds"] for of in measures], _MEASURES) for name in measures[0]
        },
        "calibration": {
            kind: _values([of[kind]["seeds"] for of in honest], ("ece",))["ece"] for kind in honest[0]
        },
        "outliers": _values([of["seeds"] for of in strange], tuple(strange[0]["mean"])) if strange else None,
        "chosen": choice and choice["curve"]["best"],
    }  # fmt: skip


def kept_of_other_tasks(record: dict[str, Any], tables: list[dict[str, Any]]) -> dict[str, Any]:
    """What a row keeps of `metrics.json` and `tables.json` of a run that does not cluster."""
    shown = [one for one in tables if one["name"] != "seeds"]
    return {
        "dataset": record["dataset"]["name"],
        "seeds": [row["seed"] for row in record["seeds"]],
        "scores": {},
        "tables": json.loads(json.dumps(shown), parse_float=lambda text: float(f"{float(text):.6g}")),
    }


def _values(groups: Sequence[Sequence[dict[str, Any]]], keys: Sequence[str]) -> Values:
    """Of all seeds; what has one value whatever the seed has it once."""
    rows = [row for group in (groups if len(groups[0]) > 1 else groups[:1]) for row in group]
    return {key: [None if row[key] is None else round(row[key], 5) for row in rows] for key in keys if key in rows[0]}


def means_of_groups(values: Sequence[float], groups: int) -> list[float]:
    """The mean of each group's values; of fewer values than groups, as where nothing is random, as they are."""
    size = len(values) // groups
    return [fmean(values[start : start + size]) for start in range(0, len(values), size)] if size else list(values)


def main(argv: Sequence[str] | None = None) -> None:
    """Runs the command."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.runs", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("names", nargs="*", help=f"of {', '.join(RUNS)}; default: those without a row")
    parser.add_argument("--again", action="store_true", help="also those that have a row")
    args = parser.parse_args(argv)
    if unknown := set(args.names) - set(RUNS):
        parser.error(f"names must be among {', '.join(RUNS)}, got {', '.join(sorted(unknown))}")
    for name in args.names or RUNS:
        if name in read() and not args.again:
            continue
        one = measured(name, RUNS[name])
        rows = {**read(), name: one}  # others may have been written meanwhile
        write_json(PATH, [rows[name]._asdict() for name in RUNS if name in rows])
        print(f"{one.name}: {one.cpu_seconds:.0f} CPU s", file=sys.stderr)


if __name__ == "__main__":
    try:
        main()
    except InputError as error:
        sys.exit(f"benchmarks.runs: {error}")
