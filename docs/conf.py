"""Sphinx configuration."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from importlib.metadata import version as installed_version
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))

project = "gammafind"
author = "The gammafind developers"
copyright = author
release = installed_version("gammafind")
version = release

extensions = [
    "myst_nb",
    "sphinx.ext.autodoc",
    "sphinx.ext.autosummary",
    "sphinx.ext.mathjax",
    "numpydoc",
    "sphinx_gallery.gen_gallery",
]
myst_enable_extensions = ["amsmath", "colon_fence", "deflist", "dollarmath"]
myst_heading_anchors = 3
templates_path = ["_templates"]
exclude_patterns = ["_build", "examples", "**.ipynb", "unreleased.rst"]
default_role = "py:obj"
suppress_warnings = ["myst.header"]

# Where the tutorial on networks finds the example of a plugin that learns, and where the page of
# figures finds the script that draws them.
os.environ["GAMMAFIND_TESTS"] = str(Path(__file__).resolve().parents[1] / "tests")
os.environ["GAMMAFIND_BENCHMARKS"] = str(Path(__file__).resolve().parents[1] / "benchmarks")
nb_execution_mode = "auto"
nb_execution_in_temp = True
nb_execution_raise_on_error = True
# The slowest tutorial takes 40 s on a free core; a busy build server may be four times slower.
nb_execution_timeout = 160
nb_output_stderr = "remove"
sphinx_gallery_conf = {
    "examples_dirs": "examples",
    "gallery_dirs": "gallery",
    "abort_on_example_error": True,
    "download_all_examples": False,
    "show_signature": False,
    "write_computation_times": False,
    "image_scrapers": ("matplotlib", "gallery_figures.plain_figures"),
    # What functions return is shown where the script prints it.
    "capture_repr": (),
}

# The list of changes that have no release yet, from the fragments in changes/.
_draft = subprocess.run(
    [sys.executable, "-m", "towncrier", "build", "--draft", "--version", "next"],
    cwd=Path(__file__).resolve().parents[1],
    capture_output=True,
    text=True,
    check=True,
).stdout
_entries = re.sub(r"\A.*?\n-+\n", "", _draft, count=1, flags=re.DOTALL)
(Path(__file__).resolve().parent / "unreleased.rst").write_text(_entries, encoding="utf-8")

autosummary_generate = True
autodoc_member_order = "bysource"
autodoc_typehints = "none"
# In an extra of its own: it holds other packages back.
autodoc_mock_imports = ["gammapy"]
autosummary_mock_imports = autodoc_mock_imports
numpydoc_show_class_members = False

# The objects of other projects are linked where the network can be reached, as on a build server.
if os.environ.get("READTHEDOCS"):
    extensions.append("sphinx.ext.intersphinx")
    intersphinx_mapping = {
        "python": ("https://docs.python.org/3", None),
        "numpy": ("https://numpy.org/doc/stable", None),
        "astropy": ("https://docs.astropy.org/en/stable", None),
        "regions": ("https://astropy-regions.readthedocs.io/en/stable", None),
    }

html_theme = "pydata_sphinx_theme"
html_title = "gammafind"
html_theme_options = {"show_toc_level": 2, "navigation_depth": 3}
