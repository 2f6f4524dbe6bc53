"""Axes that a notebook shows; the one file of the room that imports matplotlib when it is imported."""

import io

from matplotlib.axes import Axes
from matplotlib.figure import Figure


class ShownAxes(Axes):
    """Axes whose figure a notebook shows where they are the last line of a cell: pyplot, which would, has no part."""

    def _repr_png_(self) -> bytes:
        file = io.BytesIO()
        figure = self.get_figure(root=True)
        assert isinstance(figure, Figure)
        figure.savefig(file, format="png")
        return file.getvalue()
