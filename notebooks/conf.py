"""Settings of the book: `sphinx-build -W -b html notebooks build/book` writes it."""

import os
import sys
from importlib.metadata import version as version_of
from pathlib import Path

os.environ.setdefault("JAX_PLATFORMS", "cpu")  # stages are made, and nothing is trained
sys.path.insert(0, str(Path(__file__).parent.parent))  # for notebooks.book and benchmarks

project = "vaeclust_jax"
author = "the vaeclust_jax authors"
version = release = version_of("vaeclust_jax")
html_show_copyright = False

extensions = ["myst_nb", "sphinx.ext.autodoc", "notebooks.book.extension"]
exclude_patterns = ["README.md", "book"]

html_theme = "furo"
html_title = "vaeclust_jax"
html_static_path = ["static"]
html_css_files = ["book.css"]
html_copy_source = False
html_math_renderer = "mathml"  # the pages load nothing from a network
html_theme_options = {"navigation_with_keys": True}

myst_enable_extensions = ["dollarmath", "colon_fence"]
myst_heading_anchors = 3
nb_execution_mode = "off"  # the notebooks show the outputs they are kept with
nb_merge_streams = True

autodoc_member_order = "bysource"
autodoc_typehints = "none"  # shapes are in the docstrings
add_module_names = False
