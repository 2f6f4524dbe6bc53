"""Fits in one of several processes: `python -m tests.training.in_processes PORT PROCESSES INDEX MESH...`.

Prints a line of JSON a mesh. In the place of one, `other` gives the last process other seeds, and `first` asks what the
first has, of processes that each have their number.
"""

import json
import sys

import jax
import numpy as np

import vaeclust_jax as vc
from tests.fitting.made import K, blobs, config
from vaeclust_jax.training.processes import of_first

SEEDS = range(3)


def main() -> None:
    """Joins the other processes and fits."""
    port, processes, index = map(int, sys.argv[1:4])
    jax.config.update("jax_cpu_collectives_implementation", "gloo")
    jax.distributed.initialize(f"127.0.0.1:{port}", processes, index, initialization_timeout=60)
    x = blobs()[0]
    for word in sys.argv[4:]:
        if word == "first":
            found = of_first({"index": np.full(2, index), "alike": np.ones(3)})
            print(json.dumps({"index": found["index"].tolist(), "alike": found["alike"].tolist()}), flush=True)
            continue
        other = word == "other"
        mesh = vc.Mesh(seeds=processes) if other else vc.Mesh.of_text(word)
        seeds = range(1, 4) if other and index == processes - 1 else SEEDS
        try:
            runs = vc.fit_seeds(config(K), x, seeds, mesh=mesh)
        except vc.InputError as error:
            said = {"process": index, "error": str(error)}
        else:
            said = {"process": index, "q": np.stack([run.predict_proba(x) for run in runs]).tolist()}
        print(json.dumps(said), flush=True)


if __name__ == "__main__":
    main()
