"""The read-me, the Makefile and the checks of a change name the same commands."""

import os
import subprocess
from pathlib import Path

import pytest
from markdown_it import MarkdownIt

ROOT = Path(__file__).parents[2]


def set_up_commands() -> list[str]:
    """The commands of the first fenced block of the read-me."""
    page = (ROOT / "README.md").read_text(encoding="utf-8")
    block = next(token for token in MarkdownIt().parse(page) if token.type == "fence")
    return block.content.splitlines()


def test_the_read_me_sets_up_with_two_commands() -> None:
    assert set_up_commands() == ["make demo", "make test"]


@pytest.mark.parametrize("command", set_up_commands())
def test_a_command_of_the_read_me_exists(command: str) -> None:
    dry = subprocess.run(
        [*command.split(), "--dry-run"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert dry.returncode == 0, dry.stderr


def test_a_change_is_judged_by_the_test_command_of_the_read_me() -> None:
    script = ROOT / ".ci" / "run"
    assert os.access(script, os.X_OK)
    assert script.read_text(encoding="utf-8").splitlines()[-1] == set_up_commands()[-1]


def test_every_locked_requirement_has_a_hash() -> None:
    for lock in ("requirements/dev.txt", "tests/real/requirements.txt"):
        lines = (ROOT / lock).read_text(encoding="utf-8").splitlines()
        pins = [number for number, line in enumerate(lines) if "==" in line]
        assert pins
        assert [lines[number] for number in pins if "--hash=sha256:" not in lines[number + 1]] == []
