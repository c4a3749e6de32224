"""A file with thirty mistakes yields those thirty findings, in order, and nothing else."""

import re
from pathlib import Path

import pytest

from pipec.cli.report.findings import describe_findings
from pipec.errors import SpecError
from pipec.frontend.document import Document
from pipec.frontend.load import load_document

FILE = Path(__file__).parent / "mistakes" / "pipeline.toml"


def test_a_file_with_thirty_mistakes_yields_them_all_in_order() -> None:
    text = FILE.read_text(encoding="utf-8")
    expected = [
        (number, code)
        for number, line in enumerate(text.splitlines(), 1)
        for code in re.findall(r"PIPEC_\w+", line.partition("# ")[2])
    ]
    assert len(expected) == 30
    document = Document("pipeline.toml", text, "toml")
    with pytest.raises(SpecError) as caught:
        load_document(document)
    found = describe_findings(caught.value.findings, document).findings
    errors = [finding for finding in found if finding.severity == "error"]
    assert [(finding.places[0].line, finding.code) for finding in errors] == expected
    assert len({finding.message for finding in found}) == len(found)
