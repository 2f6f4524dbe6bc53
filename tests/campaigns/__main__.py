"""`python -m tests.campaigns NAME --count N --seed S`."""

import argparse
import sys
import tempfile
from pathlib import Path

from tests import conftest  # first: it has jax compile as quickly as in the tests
from tests.campaigns.arguments import arguments
from tests.campaigns.campaign import run
from tests.campaigns.folders import folders
from tests.campaigns.forks import forks
from tests.campaigns.growth import GROWTH
from tests.campaigns.kills import kills
from tests.campaigns.models import models

TRIALS = {"models": models, "folders": folders, "kills": kills, "arguments": arguments, "forks": forks}


def main() -> None:
    """Prints a line of JSON; exits with 1 if anything failed."""
    parser = argparse.ArgumentParser(prog="python -m tests.campaigns", description="Trials by seed, see the package.")
    parser.add_argument("name", choices=[*TRIALS, *GROWTH])
    parser.add_argument("--count", type=int, default=100, help="trials, fits or epochs")
    parser.add_argument("--seed", type=int, default=0, help="of the first trial; the next has the next")
    parser.add_argument("--minutes", type=float, default=float("inf"), help="begin no trial after so many")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix=f"vaeclust-{given.name}-") as folder:
        place = Path(folder).resolve()
        if given.name in GROWTH:
            report = GROWTH[given.name](given.count, given.seed, place)
        else:
            report = run(given.name, TRIALS[given.name](place), given.count, given.seed, 60 * given.minutes)
    conftest.pytest_unconfigure()
    print(report.line())
    sys.exit(bool(report.failures))


if __name__ == "__main__":
    main()
