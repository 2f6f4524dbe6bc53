"""VAE + DEC that follows the posterior's neighbour graph, beside that graph's clusters and k-means on the same latents.

    vaeclust run                                        # digits, one seed
    vaeclust run --dataset coil20 --seeds 5

The images of an object form a ring in the latent space: one centroid cannot hold it, a neighbour graph can. The numbers
of the graph (draws, neighbours, walk, the half share of the samples' own values) were chosen with labels of COIL-20 and
digits in view. Whether the encoder sees moved views of the images, and the graph with it, is chosen for each data set
without them, by how well its graphs show K clusters (`--augment auto`). All samples are trained on; `--validation 0.2`
holds a fifth out.

Several seeds are scored twice: each with a graph of its own, and "together", after they voted on their clusters and
went on with the mean of their graphs, so that every one of them learns what all say.
"""

from vaeclust_jax.selection.cluster import default_config
from vaeclust_jax.studies.experiment import Arm, Experiment, unchanged

_CONFIG = default_config(10)

EXPERIMENT = Experiment(
    name="vaegraph",
    summary="VAE + DEC that follows the posterior's neighbour graph; any data set, 50 + 20 epochs",
    dataset="digits",
    arms={
        "vaegraph": Arm(unchanged, "joint"),
        "vaegraph-together": Arm(unchanged, "shared-joint", together=True),
        "vae-graph": Arm(unchanged, "graph"),
        "vae-graph-together": Arm(unchanged, "shared-graph", together=True),
        "vae-kmeans": Arm(unchanged, "kmeans"),
    },
    prepare=_CONFIG.prepare,
    method=_CONFIG.method,
)
