"""What the core raises reaches a person as an error with a code."""

import json

import pytest

from pipec.cli.trouble import changing_state, reading_inputs
from pipec.codes import Code
from pipec.errors import RunError, SpecError


def test_an_input_that_cannot_be_read_is_named():
    with pytest.raises(RunError, match="src/a: denied") as caught, reading_inputs():
        raise OSError("src/a: denied")
    assert caught.value.code is Code.INPUT_UNREADABLE


def test_every_missing_value_is_a_finding():
    troubles = [
        {"code": "PIPEC_MISSING_SECRET", "message": "no secret", "name": "A"},
        {"code": "PIPEC_MISSING_VARIABLE", "message": "no variable", "name": "B"},
    ]
    with pytest.raises(SpecError) as caught, reading_inputs():
        raise ValueError(json.dumps(troubles))
    assert [finding.message for finding in caught.value.findings] == ["no secret", "no variable"]


def test_state_that_cannot_be_changed_is_named():
    with pytest.raises(RunError, match="cannot be changed: Permission denied"), changing_state():
        raise PermissionError(13, "Permission denied")
