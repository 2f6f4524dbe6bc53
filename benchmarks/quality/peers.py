"""Deep methods of others, as ClustPy has them in PyTorch: rows of the table.

Layers, latents, epochs, batches and Adam's rate before clustering are the table's; all else is ClustPy's default. They
see standardised values, one mean and deviation for all, as our encoder does.
"""

from typing import Any

import numpy as np

from benchmarks.peers.clustpy_models import MODULES, declare_operators
from benchmarks.quality.floors import N2D_NEIGHBOURS, Other

HIDDEN, LATENT_DIM, PRETRAIN_EPOCHS, JOINT_EPOCHS = (512, 256), 10, 100, 50


def fitted(name: str, x: np.ndarray, seed: int, **settings: Any) -> Any:
    """A fitted model of `clustpy.deep`."""
    declare_operators()
    import clustpy.deep
    from clustpy.deep.neural_networks import FeedforwardAutoencoder

    layers = [x.shape[1], *HIDDEN, settings.get("embedding_size", LATENT_DIM)]
    model = getattr(clustpy.deep, name)(
        neural_network=(FeedforwardAutoencoder, {"layers": layers}),
        pretrain_epochs=PRETRAIN_EPOCHS, random_state=seed, device="cpu", **settings,
    )  # fmt: skip
    return model.fit(((x - x.mean()) / x.std()).astype(np.float32))


def n2d(x: np.ndarray, num_clusters: int, seed: int) -> np.ndarray:
    """N2D (McConville et al. 2019): a mixture in K dimensions of UMAP of an autoencoder's latents."""
    from umap import UMAP

    neighbours = min(N2D_NEIGHBOURS, len(x) - 1)
    of_umap = {"n_neighbors": neighbours, "n_components": num_clusters, "min_dist": 0.0}
    model = fitted("N2D", x, seed, n_clusters=num_clusters, manifold_class=UMAP, manifold_params=of_umap)
    return np.asarray(model.labels_)


def dcn(x: np.ndarray, num_clusters: int, seed: int) -> np.ndarray:
    """DCN (Yang et al. 2017): an autoencoder and k-means on its latents, by turns."""
    return np.asarray(fitted("DCN", x, seed, n_clusters=num_clusters, clustering_epochs=JOINT_EPOCHS).labels_)


def dipdeck(x: np.ndarray, num_clusters: int, seed: int) -> np.ndarray:
    """DipDECK (Leiber et al. 2021): 35 clusters at first, merged where the dip test finds one mode.

    It finds the number of clusters itself. Five latents are its own default.
    """
    del num_clusters
    model = fitted("DipDECK", x, seed, clustering_epochs=JOINT_EPOCHS, embedding_size=5)
    return np.unique(model.labels_, return_inverse=True)[1]


def deepect(x: np.ndarray, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """The tree of DeepECT (Mautz et al. 2019), at most 20 leaves: scipy's linkage matrix, and the leaf of each row."""
    model = fitted("DeepECT", x, seed)
    leaves, splits = model.tree_.get_leaf_and_split_nodes()
    number = {id(leaf): at for at, leaf in enumerate(leaves)}
    merges = []
    for node in reversed(splits):  # from the root down, level by level: children before their parents
        merges.append([number[id(node.left_node_)], number[id(node.right_node_)], 0.0, 0.0])
        number[id(node)] = len(leaves) + len(merges) - 1
    of_label = {label: at for at, leaf in enumerate(leaves) for label in leaf.labels}
    return np.array(merges), np.array([of_label[label] for label in model.labels_.tolist()])


PEERS = {
    "n2d": Other(n2d, (*MODULES, "umap")),
    "dcn": Other(dcn, MODULES),
    "dipdeck": Other(dipdeck, MODULES),
}
