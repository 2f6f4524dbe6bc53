"""`vaeclust predict`."""

import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import tyro

from vaeclust_jax.cli.arguments import with_header
from vaeclust_jax.cli.compiling import use_compilation_cache
from vaeclust_jax.cli.reading import read
from vaeclust_jax.data import ReadConfig
from vaeclust_jax.errors import InputError
from vaeclust_jax.fitting.serialisation import load
from vaeclust_jax.folder import check_writable, write_assignments
from vaeclust_jax.metrics import scores
from vaeclust_jax.studies.clustering import cluster_table


@dataclass(frozen=True)
class Arguments:
    """Labels new samples with a run's model: a CSV with row, cluster, probability and entropy (nats).

    Images of a folder also get a column with their file. If the input has labels, scores go to stderr.
    """

    run_dir: tyro.conf.Positional[Path]
    """The folder that `vaeclust run` printed, or a file that `Run.save` wrote."""
    input: tyro.conf.Positional[str]
    """An .npz file, a table (columns are taken by name, in any order), a folder of images or recordings, or the name of
    a data set."""
    out: Path = Path("labels.csv")
    """The CSV to write."""
    seed: int | None = None
    """Which seed's model; default the run's first."""
    reading: tyro.conf.OmitArgPrefixes[ReadConfig] = field(default_factory=ReadConfig)
    """How the file is read where the model does not know it."""
    compilation_cache: bool = True
    """Keep compiled programs on disk, so that a later command starts faster (`vaeclust info` says where)."""


def predict(argv: list[str]) -> None:
    """Runs the command."""
    args = tyro.cli(Arguments, args=with_header(argv), prog="vaeclust predict")
    use_compilation_cache(args.compilation_cache)
    if args.out.is_dir():
        raise InputError(f"--out must be a file to write, got the folder {args.out}")
    run = load(args.run_dir, seed=args.seed)
    check_writable(args.out.parent)
    dataset = read(args.input, args.reading, run.preparation)
    probabilities = run.predict_proba(dataset.x)
    table: dict[str, Any] = {"row": dataset.numbers, **cluster_table(probabilities)}
    if dataset.row_names is not None:
        table["file"] = dataset.row_names
    write_assignments(args.out, table)
    print(args.out)
    if dataset.y is not None:
        found = scores(dataset.y, probabilities.argmax(axis=1), run.embed(dataset.x))
        line = ", ".join(
            f"{name.upper()} {value:.3f}" for name, value in found.items() if value is not None and name != "silhouette"
        )
        print(f"against the labels in {args.input}: {line}", file=sys.stderr)
