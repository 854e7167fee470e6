"""How Sphinx makes the reference: `make docs` writes it to build/docs."""

from typing import Any

import nser_pmt

project = "nser_pmt"
version = release = nser_pmt.__version__
copyright = "the authors of nser_pmt"
exclude_patterns = ["conf.py"]

extensions = ["sphinx.ext.autodoc", "numpydoc", "myst_parser"]
myst_enable_extensions = ["colon_fence"]
myst_heading_anchors = 3

# A name in single backticks is a link where it is one of ours.
default_role = "py:obj"
autodoc_default_options = {"members": True, "member-order": "bysource"}
autodoc_typehints = "signature"
autodoc_typehints_format = "short"
autodoc_preserve_defaults = True
python_maximum_signature_line_length = 80
numpydoc_show_class_members = False
numpydoc_class_members_toctree = False

html_theme = "furo"
html_title = f"nser_pmt {version}"
html_copy_source = False
html_show_sphinx = False


def _signature_of_made_classes(
    app: object, what: str, name: str, thing: object, options: object, *signature: str | None
) -> tuple[str | None, ...]:
    """Show no constructor where the docstring has none: callers do not make results and errors."""
    made = what in ("class", "exception") and "Parameters\n" not in (thing.__doc__ or "")
    return ("", None) if made and signature[0] else signature


def setup(app: Any) -> None:
    """Change what autodoc shows."""
    app.connect("autodoc-process-signature", _signature_of_made_classes)
