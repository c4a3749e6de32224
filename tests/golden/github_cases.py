"""The golden workflows: each case is a project as it is after `pipec github generate`.

`python -m tests.golden.github_cases` writes the generated files anew.
"""

import shutil
from dataclasses import replace
from pathlib import Path

from pipec.backends.files import write_files
from pipec.backends.github.generate import Generated, find_problems, generate, look
from pipec.frontend.discover import find
from pipec.frontend.load import load

FOLDER = Path(__file__).parent / "github"
CASES = sorted(path.name for path in FOLDER.iterdir())


def generate_case(case: str, folder: Path, *, profile: str = "") -> Generated:
    """Generates in a copy of the case that has none of the generated files.

    A folder inside this repository would be a part of this repository.
    """
    shutil.copytree(FOLDER / case, folder, ignore=_without_generated)
    found = find(str(folder))
    pipeline = load(found).pipeline
    sync = pipeline.sync.github
    assert sync is not None
    if profile:
        changed = replace(sync, profile=profile)  # type: ignore[arg-type]
        pipeline = replace(pipeline, sync=replace(pipeline.sync, github=changed))
    subject = look(pipeline, root=found.root, pipeline_name=Path(found.path).name)
    problems = find_problems(subject)
    assert problems == [], problems
    return generate(subject)


def generated_paths(case: str) -> list[Path]:
    """The generated files of a case, relative to its folder."""
    root = FOLDER / case
    paths = (path.relative_to(root) for path in root.rglob("*") if path.is_file())
    return sorted(path for path in paths if _is_generated(path))


def _is_generated(path: Path) -> bool:
    return path.parts[0] == ".github" and path.suffix in {".yml", ".yaml", ".json"}


def _without_generated(folder: str, names: list[str]) -> set[str]:
    root = Path(folder)
    while root.parent != FOLDER:
        root = root.parent
    paths = {name: (Path(folder) / name).relative_to(root) for name in names}
    return {name for name, path in paths.items() if _is_generated(path)}


if __name__ == "__main__":
    import tempfile

    for name in CASES:
        for old in generated_paths(name):
            (FOLDER / name / old).unlink()
        with tempfile.TemporaryDirectory() as scratch:
            write_files(str(FOLDER / name), generate_case(name, Path(scratch) / "case").files)
