"""ClustPy's DEC, IDEC and VaDE (github.com/collinleiber/ClustPy), fitted in a process of their own.

`python -m benchmarks.peers.clustpy_models X.npy SETTINGS` prints what `fit` returns; SETTINGS is its arguments as JSON.

What its source (0.0.3) says about a fair comparison: an epoch is a pass over all rows in shuffled batches, the last
one short, as ours; nothing stops early (patience counts only with data to evaluate on, which its algorithms never hand
over); Adam's rate is 1e-3 before and 1e-4 while clustering; the target P is that of the batch. DEC does not reconstruct
while it clusters, so that its decoder costs nothing then.
"""

import json
import sys
import time
from collections.abc import Sequence
from contextlib import suppress
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float

METHODS = ("DEC", "IDEC", "VaDE")
HIDDEN = (500, 500, 2000)
"""ClustPy's default widths."""
MODULES = ("torch", "torchvision", "clustpy")
"""What has to be installed."""


def declare_operators() -> None:
    """Makes torchvision importable beside a CPU build of PyTorch.

    The ordinary torchvision asks for CUDA's libraries: its own operators do not load, and then its import fails on the
    two that it describes without looking. ClustPy uses neither.
    """
    import torch

    spec = find_spec("torchvision")
    assert spec is not None, "installed"
    for library in Path(str(spec.origin)).parent.glob("_C*.so"):
        with suppress(OSError):
            torch.ops.load_library(library)  # torchvision's import does the same: once more is harmless
    for name in ("nms", "qnms"):
        if not hasattr(torch.ops.torchvision, name):
            torch.library.define(f"torchvision::{name}", "(Tensor boxes, Tensor scores, float threshold) -> Tensor")


def fit(
    x: Float[np.ndarray, "n f"],
    *,
    method: str,
    num_clusters: int,
    hidden: Sequence[int],
    latent_dim: int,
    epochs: int,
    batch_size: int,
    seed: int,
    one_thread: bool,
) -> dict[str, Any]:
    """Trains one model on all rows and labels them, with ClustPy's defaults for all that is not an argument.

    DEC and IDEC see standardised values, one mean and deviation for all, as our encoder does; VaDE's binary
    cross-entropy needs them in [0, 1].

    Args:
        x: in [0, 1].
        method: of `METHODS`.
        hidden: widths of the encoder; the decoder has them in reverse.
        epochs: before clustering, and again while clustering.
        one_thread: PyTorch on one thread instead of its default, all cores.

    Returns:
        "seconds" of `fit`; "labels", ClustPy's `labels_`: k-means or a mixture on the final latents; and "own_labels",
        those of the model's own assignment.
    """
    import torch

    declare_operators()
    import clustpy.deep
    from clustpy.deep.neural_networks import FeedforwardAutoencoder
    from clustpy.deep.vade import _VaDE_VAE

    if one_thread:
        torch.set_num_threads(1)
    of_vade = method == "VaDE"
    x = x if of_vade else (x - x.mean()) / x.std()
    model = getattr(clustpy.deep, method)(
        n_clusters=num_clusters,
        neural_network=(
            _VaDE_VAE if of_vade else FeedforwardAutoencoder,
            {"layers": [x.shape[1], *hidden, latent_dim]},
        ),
        embedding_size=latent_dim,
        pretrain_epochs=epochs,
        clustering_epochs=epochs,
        batch_size=batch_size,
        random_state=seed,
        device="cpu",
    )
    start = time.perf_counter()
    model.fit(x)
    seconds = time.perf_counter() - start
    own_labels = model.vade_labels_ if of_vade else model.dec_labels_
    return {"seconds": seconds, "labels": model.labels_.tolist(), "own_labels": own_labels.tolist()}


if __name__ == "__main__":
    print(json.dumps(fit(np.load(sys.argv[1]), **json.loads(sys.argv[2]))))
