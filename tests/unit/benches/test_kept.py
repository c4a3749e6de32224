"""The smaller benchmarks leave their tables where the documentation finds the newest."""

import sys
from pathlib import Path

import pytest

from benches import kept


def test_what_is_printed_within_is_kept_under_its_title(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(kept, "RESULTS", tmp_path)
    with kept.kept("planning", keep=True):
        sys.stdout.write("| a table |\n")
    assert capsys.readouterr().out == "| a table |\n"
    (path,) = tmp_path.iterdir()
    assert path.name.endswith("-planning.md")
    assert path.read_text().startswith(f"### {kept.TITLES['planning']}\n\nTaken 2")
    assert path.read_text().endswith("\n\n| a table |\n")


def test_a_look_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kept, "RESULTS", tmp_path)
    with kept.kept("editor", keep=False):
        sys.stdout.write("| a table |\n")
    assert not list(tmp_path.iterdir())


def test_of_each_benchmark_the_newest_table_counts(tmp_path: Path) -> None:
    for name in ("2026-01-02-overhead", "2026-11-01-overhead", "2026-03-04-editor", "2026-12-01"):
        (tmp_path / f"{name}.md").write_text(f"{name}\n")
    assert kept.newest_tables(tmp_path) == "2026-11-01-overhead\n\n2026-03-04-editor\n"
