"""Rows of the table from times of ours and of several ways to run a peer, the fastest of which counts."""

from typing import Any

from benchmarks.case import Measured, Row

OURS = "ours"


def against_fastest(
    seconds: dict[str, Measured], *, target: float, details: dict[str, Any] | None = None, **fields: Any
) -> Row:
    """A row whose peer is the fastest of all that ran beside "ours"; the others go into its details.

    Args:
        seconds: of "ours" and of any number of peers by name.
        target: for peer / ours; none where nothing ran beside "ours".
        details: further ones.
        fields: of `Row`.
    """
    peers = {name: taken for name, taken in seconds.items() if name != OURS}
    name = min(peers, key=lambda name: peers[name].median, default=None)
    slower = {other: taken._asdict() for other, taken in peers.items() if other != name}
    return Row(
        ours=seconds[OURS],
        peer=None if name is None else peers[name],
        peer_name=name,
        target=None if name is None else target,
        details={**(details or {}), **({"slower_peers_seconds": slower} if slower else {})},
        **fields,
    )


def per(taken: Measured, parts: int) -> Measured:
    """The time of one of `parts` equal parts."""
    return Measured(*(seconds / parts for seconds in taken[:3]), taken.repetitions)
