"""What the core raises, as errors that a person can act on."""

import json
from collections.abc import Iterator
from contextlib import contextmanager

from pipec.codes import Code
from pipec.diagnostics import Finding
from pipec.errors import RunError, SpecError
from pipec.runtime.refusal import describe_refusal


@contextmanager
def reading_inputs() -> Iterator[None]:
    """Around calls of an engine that look at inputs and environment.

    Raises:
        RunError: an input cannot be read.
        SpecError: a declared value of the environment cannot be found; all of them.
    """
    try:
        yield
    except OSError as error:
        message = f"an input cannot be read: {describe_refusal(error)}"
        raise RunError(Code.INPUT_UNREADABLE, message) from error
    except ValueError as error:
        troubles = json.loads(str(error))
        findings = [Finding(Code(trouble["code"]), trouble["message"]) for trouble in troubles]
        raise SpecError(findings) from error


@contextmanager
def changing_state() -> Iterator[None]:
    """Around calls of the core that remove what pipec keeps.

    Raises:
        RunError: a file of pipec's own cannot be read or removed.
    """
    try:
        yield
    except OSError as error:
        message = f"what pipec keeps cannot be changed: {describe_refusal(error)}"
        raise RunError(Code.STATE_UNWRITABLE, message) from error
