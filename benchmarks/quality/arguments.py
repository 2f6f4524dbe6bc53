"""What the commands of the quality tables have in common: a short form, which stays apart from the committed rows."""

import argparse
from collections.abc import Sequence
from pathlib import Path


def parsed(parser: argparse.ArgumentParser, argv: Sequence[str] | None) -> argparse.Namespace:
    """The words, `--quick` and `--out` among them."""
    parser.add_argument("--quick", action="store_true", help="200 rows, two epochs a stage, one seed; needs --out")
    parser.add_argument("--out", type=Path, help="folder of all that is written, instead of this one")
    args = parser.parse_args(argv)
    if args.quick and args.out is None:
        parser.error("--quick needs --out: its figures mean nothing and must not get among the others")
    return args
