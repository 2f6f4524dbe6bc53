"""What may control a weight of the loss."""

import inspect
import sys

from notebooks.book.markdown import table
from vaeclust_jax.control.parse import KINDS


def controllers() -> str:
    """Every kind by the word that one writes, with what it does and its arguments."""
    cells = []
    for name, kind in KINDS.items():
        what = str(sys.modules[kind.__module__].__doc__).partition("\n")[0]
        given = inspect.signature(kind).parameters.values()
        arguments = [one.name if one.default is one.empty else f"{one.name}={one.default}" for one in given]
        cells.append([f"`{name}`", what, ", ".join(f"`{one}`" for one in arguments)])
    return table(["text", "what it is", "arguments"], cells)
