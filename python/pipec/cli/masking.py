"""Takes secrets out of what a command says outside of a run: errors, and what files had in them."""

from collections.abc import Mapping, Sequence

from pipec.cli.console import Console
from pipec.cli.invocation import Invocation, state_folder
from pipec.cli.options import take_globals
from pipec.errors import PipecError
from pipec.frontend import compiled
from pipec.ir.codec import decode
from pipec.runtime.declared_secrets import redaction_of
from pipec.runtime.redaction import Redaction


def redaction_of_project(invocation: Invocation) -> Redaction:
    """Hides what the project's pipeline declares as secret; nothing if it has no pipeline.

    Leaves nothing in the project: what is said may be that nothing can be written.
    """
    try:
        found = invocation.find()
        result = compiled.load(found, state=state_folder(found), keeps=False)
    except (PipecError, OSError):
        return Redaction()
    return redaction_of(decode(result.pipeline_bytes), invocation.environ)


def redaction_of_call(
    argv: Sequence[str], *, cwd: str, environ: Mapping[str, str], console: Console
) -> Redaction:
    """The same for a command line that may be wrong itself."""
    try:
        settings, _ = take_globals(argv)
    except PipecError:
        return Redaction()
    return redaction_of_project(
        Invocation(cwd=cwd, environ=environ, settings=settings, console=console)
    )
