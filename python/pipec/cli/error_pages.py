"""The page about an error code, as it is in the documentation."""

import os

import pipec
from pipec.codes import Code


def read_page(code: Code) -> str:
    """The page of a code, in Markdown."""
    package = os.path.dirname(os.path.abspath(pipec.__file__))
    with open(os.path.join(package, "error_pages", f"{code}.md"), encoding="utf-8") as file:
        return file.read()
