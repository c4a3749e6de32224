"""The normalized pipeline and where it comes from: for `pipec metadata` and over MCP."""

import json

from pipec import _core
from pipec.cli.documents import MetadataDocument
from pipec.cli.invocation import Invocation


def describe_metadata(invocation: Invocation) -> MetadataDocument:
    """The project's pipeline as every command works on it. Runs nothing.

    Raises:
        SpecError: the pipeline file is missing or wrong.
    """
    found, compiled = invocation.compile()
    return MetadataDocument(
        tool_version=_core.VERSION,
        file=found.shown,
        digest=compiled.digest,
        warnings=tuple(finding.message for finding in compiled.warnings),
        pipeline=json.loads(compiled.pipeline_bytes),
    )
