"""An unchanged file is not compiled again, and whatever happens to the cache is a compile."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from pipec import ir
from pipec.codes import Code
from pipec.errors import SpecError
from pipec.frontend import compiled
from pipec.frontend.discover import find

TEXT = 'name = "app"\n[tasks.a]\nrun = "make"\n[triggers]\nidle = { manual = true }\n'


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "pipeline.toml").write_text(TEXT)
    return tmp_path


def load(folder: Path) -> compiled.Compiled:
    return compiled.load(find(str(folder)), state=str(folder / ".pipec"))


def entries(folder: Path) -> list[Path]:
    return sorted((folder / ".pipec" / "cache" / "ir").iterdir())


def same(one: compiled.Compiled, other: compiled.Compiled) -> bool:
    return (one.pipeline_bytes, one.digest, one.warnings, one.document) == (
        other.pipeline_bytes,
        other.digest,
        other.warnings,
        other.document,
    )


def test_the_second_load_gives_the_same_with_its_warnings(folder: Path) -> None:
    first = load(folder)
    assert [warning.code for warning in first.warnings] == [Code.UNUSED]
    (entry,) = entries(folder)
    before = entry.stat().st_mtime_ns
    assert same(load(folder), first)
    assert entry.stat().st_mtime_ns == before
    assert first.digest == ir.digest(first.pipeline_bytes)


def test_a_compiled_load_imports_no_models_and_no_parsers(folder: Path) -> None:
    load(folder)
    script = (
        "import sys, json\n"
        "from pipec.frontend import compiled, discover\n"
        f"found = discover.find({str(folder)!r})\n"
        f"compiled.load(found, state={str(folder / '.pipec')!r})\n"
        "print(json.dumps(sorted({name.partition('.')[0] for name in sys.modules})))\n"
    )
    output = subprocess.run(
        [sys.executable, "-c", script], check=True, capture_output=True, text=True
    ).stdout
    assert not {"pydantic", "pydantic_core", "yaml", "tomli", "typer", "rich"} & set(
        json.loads(output)
    )


def test_another_text_and_another_notation_are_other_entries(folder: Path) -> None:
    load(folder)
    (folder / "pipeline.toml").write_text(TEXT + "# more\n")
    load(folder)
    (folder / "pipeline.toml").unlink()
    (folder / "pipeline.yaml").write_text("name: app\n")
    load(folder)
    assert len(entries(folder)) == 3


@pytest.mark.parametrize("damage", ["cut", "flipped", "empty", "foreign", "folder"])
def test_a_damaged_entry_is_a_compile(folder: Path, damage: str) -> None:
    first = load(folder)
    (entry,) = entries(folder)
    content = entry.read_bytes()
    entry.unlink()
    if damage == "folder":
        entry.mkdir()
    else:
        entry.write_bytes(
            {
                "cut": content[:-5],
                "flipped": content[:-5] + bytes([content[-5] ^ 1]) + content[-4:],
                "empty": b"",
                "foreign": b"\xff" * 100,
            }[damage]
        )
    assert same(load(folder), first)


def test_a_state_folder_that_cannot_be_written_changes_nothing(folder: Path) -> None:
    (folder / ".pipec").write_text("a file in its place")
    assert load(folder).pipeline_bytes == load(folder).pipeline_bytes


def test_old_entries_are_removed(folder: Path) -> None:
    for number in range(20):
        (folder / "pipeline.toml").write_text(f"{TEXT}# {number}\n")
        load(folder)
    assert len(entries(folder)) == 16
    assert not [entry for entry in entries(folder) if entry.suffix == ".new"]


def test_a_wrong_file_is_never_kept(folder: Path) -> None:
    (folder / "pipeline.toml").write_text("name = 1\n")
    for _ in range(2):
        with pytest.raises(SpecError):
            load(folder)
    assert not (folder / ".pipec").exists()
