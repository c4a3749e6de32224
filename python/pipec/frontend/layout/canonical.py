"""The canonical text of a pipeline file; refuses to give one that says something else."""

import json
import re
from typing import Any

from pipec.codes import Code
from pipec.errors import BugError, PipecError
from pipec.frontend.document import Document
from pipec.frontend.layout.values import comments_of
from pipec.frontend.read import read_values


def canonical_toml(document: Document, values: dict[str, Any]) -> str:
    """The text of a TOML file in canonical layout, with its comments and its line endings.

    `values` is what the file says.

    Raises:
        PipecError: tomlkit is not installed, or cannot read the file.
    """
    try:
        from tomlkit.exceptions import TOMLKitError

        from pipec.frontend.layout.toml import lay_out_toml
    except ImportError:
        message = "laying a file out needs tomlkit: `pip install 'pipec[edit]'` installs it"
        raise PipecError(Code.MISSING_EXTRA, message) from None
    text = document.text.replace("\r\n", "\n")
    try:
        laid_out = lay_out_toml(text, values)
    except (TOMLKitError, ValueError) as error:
        message = f"tomlkit cannot read `{document.path}`, though it is TOML: {error}"
        raise PipecError(Code.NOT_SUPPORTED, message) from error
    if re.search("\r?\n", document.text + "\n")[0] == "\r\n":  # type: ignore[index]
        laid_out = laid_out.replace("\n", "\r\n")
    after = Document(document.path, laid_out, "toml")
    if _plain(read_values(after)) != _plain(values) or comments_of(laid_out) != comments_of(
        document.text
    ):
        raise BugError(f"laying out `{document.path}` would change what it says")
    return laid_out


def _plain(values: dict[str, Any]) -> str:
    """The values as text: `nan` is the same as `nan` there, and 1 not the same as true."""
    return json.dumps(values, sort_keys=True, default=str)
