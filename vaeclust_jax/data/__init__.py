"""Data in: named sets, files and arrays, checked, split and prepared for a model. Numpy only."""

from vaeclust_jax.data.config import PrepareConfig
from vaeclust_jax.data.dataset import Dataset, check_array, check_labels
from vaeclust_jax.data.loading import Listing, cache_dir, get, list_datasets, load
from vaeclust_jax.data.mapped import Rows, StoredRows
from vaeclust_jax.data.prepare import Preparation, checked_rows, columns_of, fit_preparation
from vaeclust_jax.data.reading import Columns, ReadConfig
from vaeclust_jax.data.registry import DATASETS, Entry
from vaeclust_jax.data.split import random_parts, split_rows, subjects_of
from vaeclust_jax.data.windows import checked_series, windows

__all__ = [
    "DATASETS",
    "Columns",
    "Dataset",
    "Entry",
    "Listing",
    "Preparation",
    "PrepareConfig",
    "ReadConfig",
    "Rows",
    "StoredRows",
    "cache_dir",
    "check_array",
    "check_labels",
    "checked_rows",
    "checked_series",
    "columns_of",
    "fit_preparation",
    "get",
    "list_datasets",
    "load",
    "random_parts",
    "split_rows",
    "subjects_of",
    "windows",
]
