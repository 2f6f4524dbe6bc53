"""The character by which a text table is cut into cells."""

import csv
import re
from collections import Counter
from collections.abc import Sequence

SEPARATORS = {"\t": "tabs", ";": "semicolons", "|": "vertical bars", ",": "commas"}


def separator_of(lines: Sequence[str]) -> str:
    """The character that cuts every line into as many cells, more than one; a space stands for spaces and tabs."""
    most = {}
    for separator in SEPARATORS:
        widths = [len(row) for row in csv.reader(lines, delimiter=separator)]
        below = widths[1:] or widths
        # R leaves the name of the row names out.
        if min(below, default=0) > 1 and len(set(below)) == 1 and widths[0] in (below[0], max(2, below[0] - 1)):
            return separator
        most[separator] = sum(width > 1 for width in widths)
    widths = [len(re.findall(r'"[^"]*"|\S+', line)) for line in lines]
    if min(widths, default=0) > 1 and len(set(widths[1:] or widths)) == 1:
        return " "
    ragged = max(most, key=lambda separator: most[separator])
    named = len(lines) > 1 and bool(re.search("[A-Za-z]", lines[0]))
    if named and most[","] and all(re.fullmatch(r"\s*[-+]?\d+(,\d+)?\s*", line) for line in lines[1:]):
        return ";"  # one column with a name and decimal commas
    if most[ragged]:
        return ragged
    width, count = Counter(widths).most_common(1)[0] if widths else (0, 0)
    return " " if width > 1 and 2 * count > len(widths) else ","  # the line with another width is then named
