import io
import warnings

import pytest


@pytest.fixture
def png():
    """Render a figure without a warning (cut or collapsed layouts warn) and return its size in pixels."""

    def render(figure):
        buffer = io.BytesIO()
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            figure.savefig(buffer, dpi=50)
        content = buffer.getvalue()
        assert content.startswith(b"\x89PNG\r\n")
        return int.from_bytes(content[16:20]), int.from_bytes(content[20:24])

    return render
