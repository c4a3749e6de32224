"""Generated workflows are those that a reviewer has read."""

from pathlib import Path

import pytest

from tests.golden.github_cases import CASES, FOLDER, generate_case, generated_paths


@pytest.mark.parametrize("case", CASES)
def test_a_workflow_is_what_was_read(case: str, tmp_path: Path) -> None:
    generated = generate_case(case, tmp_path / "case")
    assert sorted(Path(file.path) for file in generated.files) == generated_paths(case)
    for file in generated.files:
        assert file.content is not None
        written = (FOLDER / case / file.path).read_text(encoding="utf-8")
        assert file.content.decode() == written, (
            "`python -m tests.golden.github_cases` writes the files anew"
        )


def test_there_are_shapes_enough() -> None:
    assert len(CASES) >= 40
