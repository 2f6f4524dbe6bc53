"""What the names of columns say of their part, and whether their values agree."""

import re

import numpy as np

LABELS = frozenset(
    ("label", "labels", "target", "targets", "class", "classes", "species", "cluster", "clusters", "category", "truth",
     "klasse", "klassen", "klass", "classe", "clase", "clases", "gruppe", "groupe", "grupo", "gruppo", "etiqueta",
     "leiden", "louvain", "kmeans")
)  # fmt: skip
"""Words in the names of columns that hold classes."""
_WHOLE_LABELS = {"group", "groups", "gt", "ytrue", "groundtruth", "ypred"}
"""Such names, of whose words others are in the names of features: age_group."""
AXES = frozenset(
    ("wavelength", "wavelengths", "wavenumber", "wavenumbers", "frequency", "frequencies", "raman", "nm", "mz", "ppm")
)
"""Words in the name of a first column beside which each column is a spectrum."""
PARTS = frozenset(("gene", "genes", "geneid", "ensembl", "probe", "probes", "transcript", "protein", "peptide", "otu"))
"""Those beside which each column is a sample."""
_SAMPLE = re.compile(r"(samples?|patient|subject|donor|cell|mouse|gsm|srr)[ _.-]?\d+", re.IGNORECASE)
COORDINATE = "y"
"""A label by custom, and a coordinate too."""
FEWEST = 5
"""Rows from which on it is no chance that a column numbers them."""
_INDICES = {"index", "idx", "id", "ids", "rowid", "row", "rowname", "rownames", "rownumber", "sampleid", "uuid", "guid"}
_UNNAMED = re.compile(r"#?|\.\.\.\d+|Unnamed: \d+(\.\d+)*|__index_level_\d+__")
_LEVEL = re.compile(r"level_\d+|unnamed \d+")
"""Of pandas' `reset_index`, and ours of a column amid the table."""
_NUMBERS = re.compile(
    r"x|x\.\d+|(.*\W)?(no|nr|num|number|nummer|lfdnr|sno|serial|n|samples?|cases?|obs|observations?|records?|entry|item|"
    r"instance|rows?)\W*"
)
"""X is R's for a column without a name."""


def words_of(name: str) -> set[str]:
    """The words of a name in small letters, ClassLabel and class_label alike."""
    return set(re.findall("[a-z0-9]+", re.sub("([a-z])([A-Z])", r"\1 \2", name).lower()))


def is_called_labels(name: str) -> bool:
    """Whether a column's name is one of those that classes have."""
    return bool(words_of(name) & LABELS) or is_whole_label(name)


def is_whole_label(name: str) -> bool:
    """Whether the name says that the column holds classes and nothing else, as Class does and class_size does not."""
    words = words_of(name)
    return (len(words) == 1 and words <= LABELS) or re.sub("[^a-z0-9]", "", name.lower()) in _WHOLE_LABELS


def is_unnamed(name: str) -> bool:
    """Whether a column's name is what programs write where there is none, as above row names."""
    return bool(_UNNAMED.fullmatch(name.strip()))


def is_called_index(name: str) -> bool:
    """Whether a column's name is one of those that numbers of rows have."""
    words = re.split(r"[^a-z0-9]+", re.sub("([a-z])(I[Dd])", r"\1 \2", name.strip()).lower())
    return re.sub("[^a-z0-9]", "", name.lower()) in _INDICES or bool({"id", "uuid", "guid"} & set(words))


def is_called_sample(name: str) -> bool:
    """Whether a column's name is that of a sample, as sample12."""
    return bool(_SAMPLE.fullmatch(name.strip()))


def may_number(name: str, leads: bool) -> bool:
    """Whether a column's name is one that a numbering of the rows may have, if its values are one.

    Args:
        name: of the column.
        leads: whether no feature stands before it, where people put a number of the row.
    """
    if is_unnamed(name) or _LEVEL.fullmatch(name.strip()):
        return True
    return leads and bool(_NUMBERS.fullmatch(name.strip().lower().replace("_", " ")))


def number_rows(values: np.ndarray) -> bool:
    """Whether each whole number of a range is there once, in any order."""
    return len(values) >= FEWEST and bool((np.sort(values) - values.min() == np.arange(len(values))).all())


def are_few(values: np.ndarray) -> bool:
    """Whether they are whole numbers, each of which is there twice on average."""
    return len(values) > 0 and bool((values == np.round(values)).all()) and 2 * len(np.unique(values)) <= len(values)
