"""`vaeclust predict`."""

import sys
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import tyro

from vaeclust_jax.cli.compiling import use_compilation_cache
from vaeclust_jax.cli.parsing import parsed
from vaeclust_jax.cli.reading import read
from vaeclust_jax.cli.words import with_header
from vaeclust_jax.data import Dataset, ReadConfig, StoredRows
from vaeclust_jax.data.annotated import is_annotated, read_annotated
from vaeclust_jax.data.mapped import SAMPLED, parts_of
from vaeclust_jax.errors import InputError, InputWarning
from vaeclust_jax.fitting.answers import distances
from vaeclust_jax.fitting.frame import cluster_table
from vaeclust_jax.fitting.run import Run
from vaeclust_jax.fitting.serialisation import load
from vaeclust_jax.folder import check_writable, write_assignment_parts
from vaeclust_jax.folder.latest import run_at
from vaeclust_jax.graph.tree import cuttable
from vaeclust_jax.metrics import scores
from vaeclust_jax.streamed import spaced
from vaeclust_jax.whole_file import whole_path


@dataclass(frozen=True)
class Arguments:
    """Labels new samples with a run's model: a CSV with row, cluster, probability, entropy (nats) and unlike.

    unlike is the distance to the nearest cluster in its standard deviations: large for what is unlike all of training.

    Images of a folder also get a column with their file, rows of a table a column sample with the name that its index
    has. If the input has labels, scores go to stderr.
    """

    run_dir: tyro.conf.Positional[Annotated[Path, tyro.conf.arg(metavar="RUN_DIR")]]
    """The folder that `vaeclust run` printed, `latest` for the last run's, or a file that `Run.save` wrote."""
    input: tyro.conf.Positional[Annotated[str, tyro.conf.arg(metavar="INPUT")]]
    """An .npz file, a table (columns are taken by name, in any order), a folder of images or recordings, or the name of
    a data set. Data larger than memory are labelled some rows at a time."""
    out: Path = Path("labels.csv")
    """The CSV to write; one that ends in .parquet is written as such."""
    overwrite: bool = False
    """Replace files that are there already."""
    seed: int | None = None
    """Which seed's model; default the run's first."""
    reading: tyro.conf.OmitArgPrefixes[ReadConfig] = field(default_factory=ReadConfig)
    """How the file is read where the model does not know it."""
    write_h5ad: Path | None = None
    """Of AnnData: the .h5ad file to write it to with the answers in obs, obsm and obsp (see `to_anndata`)."""
    noise: bool = False
    """Write noise instead of a cluster for rows between what is dense (`Run.noise`), of a method that follows a
    graph."""
    force: bool = False
    """Label rows even if all of them lie far outside the range of those trained on."""
    compilation_cache: bool = True
    """Keep compiled programs on disk, so that a later command starts faster (`vaeclust info` says where)."""


def predict(argv: list[str]) -> None:
    """Runs the command."""
    args = parsed(Arguments, with_header(argv), "vaeclust predict")
    use_compilation_cache(args.compilation_cache)
    if args.out.is_dir():
        raise InputError(f"--out must be a file to write, got the folder {args.out}")
    _check_free(args)
    if args.write_h5ad is not None and not (
        is_annotated(Path(args.input).expanduser()) and args.write_h5ad.parent.is_dir()
    ):
        raise InputError("--write-h5ad needs AnnData (.h5ad, .zarr) as input, and a folder that is there to write into")
    run = load(run_at(args.run_dir), seed=args.seed)
    if args.noise:
        cuttable(run.tree_)
    check_writable(args.out.parent)
    dataset = read(args.input, args.reading, run.preparation)
    _check_range(run, dataset, args.force)
    write_assignment_parts(args.out.resolve(), _tables(run, dataset, args.noise))  # a link stays one
    print(args.out)
    if args.write_h5ad is not None:
        _write_h5ad(run, Path(args.input).expanduser(), args)
        print(args.write_h5ad)
    if dataset.y is not None:
        print(_score(run, dataset, args.input), file=sys.stderr)


def _tables(run: Run, dataset: Dataset, noise: bool) -> Iterator[dict[str, Any]]:
    """What is written of each row; of rows that are read by blocks, of some at a time."""
    start, named = 0, dataset.named
    for x in parts_of(dataset.x):
        rows = slice(start, start + len(x))
        start = rows.stop
        numbers = np.arange(rows.start, rows.stop) if dataset.row_numbers is None else dataset.row_numbers[rows]
        yield {"row": numbers, **_answers(run, x, noise), **{name: names[rows] for name, names in named.items()}}


def _answers(run: Run, x: Any, noise: bool) -> dict[str, Any]:
    """What the model says of some rows, which are encoded once."""
    if run.heads.predict is not None or run.heads.encode is None:
        return cluster_table(_quietly(run.predict_proba, x))
    z = _quietly(run.embed, x)
    table: dict[str, Any] = dict(cluster_table(np.exp(run.log_assign(z))))
    if noise:
        table["cluster"] = np.where(cuttable(run.tree_).noise(z), "noise", table["cluster"].astype(str))
    if run.cluster_mean is not None:
        table["unlike"] = distances(z, run.cluster_mean, run.cluster_scale)
    return table


def _quietly(ask: Callable[[Any], np.ndarray], x: Any) -> np.ndarray:
    """What a model answers about rows of which `_check_range` has said what is odd."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", InputWarning)
        return ask(x)


def _score(run: Run, dataset: Dataset, name: str) -> str:
    """Against the labels, of rows that are read by blocks for some of them."""
    count, said = len(dataset.x), ""
    if isinstance(dataset.x, StoredRows) and dataset.x.by_blocks:
        dataset = dataset.of_rows(spaced(count, SAMPLED))
        said = f" (of {len(dataset.x)} of the {count} rows, evenly spaced)"
    labels = _quietly(run.predict_proba, dataset.x).argmax(axis=1)
    found = scores(dataset.y, labels, _quietly(run.embed, dataset.x))
    line = ", ".join(
        f"{name.upper()} {value:.3f}" for name, value in found.items() if value is not None and name != "silhouette"
    )
    return f"against the labels in {name}{said}: {line}"


def _check_free(args: Arguments) -> None:
    """Before anything is computed.

    Raises:
        InputError: a file is there, and is not to be replaced.
    """
    for flag, path in (("--out", args.out), ("--write-h5ad", args.write_h5ad)):
        if path is not None and path.is_file() and not args.overwrite:  # a device or a pipe is written to
            raise InputError(f"{path} is there already: --overwrite replaces it, {flag} FILE writes another")


def _check_range(run: Run, dataset: Dataset, force: bool) -> None:
    """Says which rows are far outside the range of training.

    Raises:
        InputError: all of them are, and that was not asked for.
    """
    odd = run.preparation.unlike(dataset.x)
    if odd is None or not odd.sentence:
        return
    if odd.all_of_them and not force:
        raise InputError(f"{odd.sentence} --force labels them all the same")
    print(f"warning: {odd.sentence}", file=sys.stderr)


def _write_h5ad(run: Run, source: Path, args: Arguments) -> None:
    from vaeclust_jax.fitting.annotate import to_anndata

    assert args.write_h5ad is not None
    found = read_annotated(source)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", InputWarning)  # it has been said
        to_anndata(run, found, args.reading.array)
    with whole_path(args.write_h5ad.resolve()) as path:
        found.write_h5ad(path)
