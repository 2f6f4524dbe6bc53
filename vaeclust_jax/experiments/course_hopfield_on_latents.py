"""The fixed points of a modern Hopfield net as clusters of `vaegraph`'s latents, beside `vaegraph` itself.

    vaeclust run course-hopfield --on latents         # digits, one seed

The net stores the codes of the training rows. One update is a softmax over them, followed by their mean; rows that come
to rest at the same point are a cluster. All arms are of one training: the net reads the latents after its joint stage.
"""

from vaeclust_jax.methods.hopfield_clusters import HopfieldClusters
from vaeclust_jax.selection.cluster import default_config
from vaeclust_jax.studies.experiment import Arm, Experiment, unchanged, unchanged_form

EXPERIMENT = Experiment(
    name="course-hopfield-on-latents",
    summary="fixed points of a modern Hopfield net as clusters of vaegraph's latents, beside vaegraph",
    dataset="digits",
    arms={
        "hopfield": Arm(unchanged, "hopfield"),
        "vaegraph": Arm(unchanged, "joint"),
        "vae-graph": Arm(unchanged, "graph"),
        "vae-kmeans": Arm(unchanged, "kmeans"),
    },
    prepare=default_config(10).prepare,
    method=HopfieldClusters(10, augment="auto"),
    quick=unchanged_form,
)
