"""What a run was told by a person, and how far its clusters keep to it."""

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class HintsRecord:
    """Hints that a clustering read: it is semi-supervised.

    Attributes:
        rows: that a hint is about, which are not scored.
        labels: rows whose class was given.
        must_link, cannot_link: pairs.
        names: of the classes; class c is cluster c.
        kept: share of the hints that the clusters keep, mean over seeds.
    """

    rows: int
    labels: int
    must_link: int
    cannot_link: int
    names: tuple[str, ...]
    kept: float

    @property
    def sentence(self) -> str:
        """What was read."""
        parts = [f"the {'class' if self.labels == 1 else 'classes'} of {self.labels} rows"] if self.labels else []
        parts += [f"{count} {name} pairs" for name, count in self._links() if count]
        return " and ".join([", ".join(parts[:-1]), parts[-1]] if len(parts) > 1 else parts)

    def _links(self) -> tuple[tuple[str, int], ...]:
        return (("must_link", self.must_link), ("cannot_link", self.cannot_link))
