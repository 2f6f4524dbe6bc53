"""Tables in Markdown."""

from collections.abc import Sequence


def table(heading: Sequence[str], rows: Sequence[Sequence[str]], numbers_from: int | None = None) -> str:
    """A table; columns from `numbers_from` on are aligned to the right."""
    aligned = len(heading) if numbers_from is None else numbers_from
    rule = ["---" if place < aligned else "---:" for place in range(len(heading))]
    lines = [heading, rule, *([cell.replace("|", "\\|") for cell in row] for row in rows)]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines) + "\n"


def one_line(text: str) -> str:
    """A text of several lines as a cell."""
    return " ".join(text.split())
