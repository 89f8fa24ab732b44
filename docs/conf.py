"""Sphinx configuration."""

from __future__ import annotations

import os
from importlib.metadata import version as installed_version

project = "gammafind"
author = "The gammafind developers"
copyright = author
release = installed_version("gammafind")
version = release

extensions = [
    "myst_parser",
    "sphinx.ext.autodoc",
    "sphinx.ext.autosummary",
    "sphinx.ext.mathjax",
    "numpydoc",
]
myst_enable_extensions = ["amsmath", "colon_fence", "deflist", "dollarmath"]
myst_heading_anchors = 3
templates_path = ["_templates"]
exclude_patterns = ["_build"]
default_role = "py:obj"
suppress_warnings = ["myst.header"]

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
