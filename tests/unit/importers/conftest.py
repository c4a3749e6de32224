"""The `importing` fixture: write files, import them, look at the pipeline."""

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.unit.importers.rig import Result, import_from, write_all


@pytest.fixture
def importing(tmp_path: Path) -> Callable[..., Result]:
    """Imports files given as path → text."""

    def run(kind: str, files: dict[str, str], path: str | None = None) -> Result:
        folder = tmp_path / "app"
        folder.mkdir(exist_ok=True)
        write_all(folder, files)
        return import_from(folder, kind, path)

    return run
