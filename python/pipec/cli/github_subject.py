"""The pipeline of a call as the generator for GitHub sees it."""

import os

from pipec.backends.github.generate import find_problems, look
from pipec.backends.github.subject import Subject
from pipec.cli.invocation import Invocation
from pipec.errors import SpecError
from pipec.frontend.compiled import Compiled
from pipec.frontend.discover import Found
from pipec.ir.codec import decode


def open_subject(invocation: Invocation) -> tuple[Found, Compiled, Subject]:
    """The pipeline, and the subject that a workflow can be made of.

    Raises:
        SpecError: the file is missing or wrong, or says what GitHub cannot do: with every finding.
        PlanError: the pipeline asks for no workflow.
    """
    found, compiled = invocation.compile()
    pipeline = decode(compiled.pipeline_bytes)
    subject = look(pipeline, root=found.root, pipeline_name=os.path.basename(found.path))
    findings = find_problems(subject)
    if findings:
        from pipec.frontend.load import in_order

        document = compiled.document
        raise SpecError(in_order(findings, document), document=document)
    return found, compiled, subject
