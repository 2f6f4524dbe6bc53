"""Whether a peer is installed, found out without importing it."""

from importlib.util import find_spec

_NAMES = {"torch": "PyTorch", "clustpy": "ClustPy", "torchvision": "torchvision"}


def missing(*modules: str) -> str | None:
    """What a row says in place of a comparison.

    Args:
        modules: import names of the packages that the peer needs.

    Returns:
        None if all are installed, else e.g. "PyTorch is not installed (benchmarks/install_peers.sh)".
    """
    absent = [_NAMES.get(module, module) for module in modules if find_spec(module) is None]
    if not absent:
        return None
    return f"{' and '.join(absent)} {'is' if len(absent) == 1 else 'are'} not installed (benchmarks/install_peers.sh)"
