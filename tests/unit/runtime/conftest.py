"""A rig for each test."""

from pathlib import Path

import pytest

from tests.unit.runtime.rig import Rig


@pytest.fixture
def rig(tmp_path: Path) -> Rig:
    return Rig(tmp_path)
