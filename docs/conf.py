"""How Sphinx makes a site of the documentation: `make docs`. The pages are Markdown, and read as well without it."""

from importlib.metadata import version as version_of

from sphinx.application import Sphinx

project = "cloudscan"
version = release = version_of("cloudscan")
extensions = ["myst_parser"]
include_patterns = ["*.md", "deploy/*.md", "docs/**.md"]
exclude_patterns = [".venv/**"]
root_doc = "docs/index"
html_theme = "alabaster"
html_title = "cloudscan"
html_theme_options = {"description": "Who outside the intended circle can reach which file", "page_width": "1100px"}
html_show_sourcelink = False
myst_heading_anchors = 4

_CONTENTS = """

```{toctree}
:hidden:
:glob:

*
adr/*
../README
../deploy/README
../README.ja
../CONTRIBUTING
../SECURITY
../CHANGELOG
```
"""


def _add_contents(_app: Sphinx, page: str, source: list[str]) -> None:
    """Give the index the list of all pages, which Sphinx's navigation is made of."""
    if page == root_doc:
        source[0] += _CONTENTS


def setup(app: Sphinx) -> None:
    """Called by Sphinx."""
    app.connect("source-read", _add_contents)
