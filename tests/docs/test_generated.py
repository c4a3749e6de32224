"""What is made from the command line itself is what the repository holds."""

from pathlib import Path

import pytest

from pipec.cli.generated import generated_files
from pipec.cli.main import VERBS

ROOT = Path(__file__).parents[2]
FILES = generated_files()


@pytest.mark.parametrize("path", FILES)
def test_a_generated_file_is_up_to_date(path: str) -> None:
    assert (ROOT / path).read_text(encoding="utf-8") == FILES[path]


def test_no_generated_file_is_left_over() -> None:
    folders = [ROOT / "schemas", ROOT / "schemas/cli", ROOT / "python/pipec/cli/help"]
    present = {
        path.relative_to(ROOT).as_posix()
        for folder in folders
        for path in folder.iterdir()
        if path.is_file()
    }
    assert present == {path for path in FILES if not path.startswith("docs/")}


def test_every_verb_has_a_page() -> None:
    page = FILES["docs/reference/cli.md"]
    assert [verb for verb in VERBS if f"### `pipec {verb}`\n" not in page] == []


def test_every_command_has_examples() -> None:
    pages = FILES["docs/reference/cli.md"].split("```text\n")[1:]
    commands = [page for page in pages if "COMMAND [ARGS]" not in page]
    assert [page for page in commands if "Examples:\n    pipec " not in page] == []
