"""Every golden workflow passes every linter, in both profiles, with and without its header.

The cases go through each linter in one call. What a linter may say all the same is argued in
docs/adr/0015-findings-that-generated-workflows-keep.md.
"""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from pipec.backends.github.pins import SHIPPED, render_pins
from tests.golden.github_cases import CASES, generate_case

ACCEPTED = {
    "zizmor": {
        ("execution-profile", "self-hosted-runner"),
        ("runner-labels", "self-hosted-runner"),
        ("runner-matrix", "self-hosted-runner"),
        ("secrets-without-environment", "secrets-outside-env"),
    },
    "jactionlint": {
        ("execution-profile", "self-hosted-runner"),
        ("runner-labels", "self-hosted-runner"),
        ("secrets-without-environment", "secrets-outside-env"),
        ("setup-node-npm-unlocked", "unlocked-install"),
        ("setup-python-pip-project", "unlocked-install"),
        ("setup-python-pip-unlocked", "unlocked-install"),
    },
}
"""The case, and the rule: what the author of the pipeline asked for."""

WITHOUT_CONSERVATIVE = {"schedules"}
"""Time zones: the profile refuses what it cannot say."""

BIN = Path(sys.executable).parent


@pytest.fixture(scope="module")
def workflows(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A repository with every form of every workflow: `<case>.<profile>.<form>.yml`."""
    root = tmp_path_factory.mktemp("workflows")
    folder = root / ".github" / "workflows"
    folder.mkdir(parents=True)
    for case in CASES:
        for profile in ("2026", "conservative"):
            if profile == "conservative" and case in WITHOUT_CONSERVATIVE:
                continue
            generated = generate_case(case, root / f"{case}-{profile}", profile=profile)
            for file in generated.files:
                if not file.path.endswith((".yml", ".yaml")):
                    continue
                assert file.content is not None
                text = file.content.decode()
                kind = "pins" if file.path == generated.subject.sync.pins else "workflow"
                bare = text.split("\n\n", 1)[1]
                assert text.startswith("# ")
                assert bare.startswith("name: ")
                (folder / f"{case}.{profile}.{kind}.yml").write_text(text, encoding="utf-8")
                (folder / f"{case}.{profile}.{kind}-bare.yml").write_text(bare, encoding="utf-8")
    text = render_pins(SHIPPED, workflow=".github/workflows/pipec.yml")
    (folder / "all.2026.pins.yml").write_text(text, encoding="utf-8")
    (folder / "all.2026.pins-bare.yml").write_text(text.split("\n\n", 1)[1], encoding="utf-8")
    return folder


def run(program: str, *words: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [str(BIN / program), *words],
        cwd=cwd,
        env={"PATH": os.environ["PATH"], "HOME": str(cwd), "NO_COLOR": "1"},
        capture_output=True,
        text=True,
        check=False,
        timeout=100,
    )


def case_of(path: str) -> str:
    return Path(path).name.split(".")[0]


def test_zizmor_finds_nothing(workflows: Path) -> None:
    words = ("--persona", "auditor", "--offline", "--no-progress", "--format", "json-v1")
    result = run("zizmor", *words, str(workflows), cwd=workflows)
    assert set(zizmor_findings(result.stdout)) == ACCEPTED["zizmor"]


def zizmor_findings(output: str) -> Iterator[tuple[str, str]]:
    for finding in json.loads(output):
        for location in finding["locations"]:
            path = location["symbolic"]["key"]["Local"]["verbatim_path"]
            yield case_of(path), finding["ident"]


def test_jactionlint_finds_nothing(workflows: Path) -> None:
    files = sorted(map(str, workflows.iterdir()))
    words = ("--profile", "pedantic", "--shellcheck=", "--format", "json")
    result = run("jactionlint", *words, *files, cwd=workflows)
    assert set(jactionlint_findings(result.stdout)) == ACCEPTED["jactionlint"]


def jactionlint_findings(output: str) -> Iterator[tuple[str, str]]:
    for finding in json.loads(output):
        yield case_of(finding["filepath"]), finding["id"]


def test_the_schema_of_github_is_met(workflows: Path) -> None:
    files = sorted(map(str, workflows.iterdir()))
    words = ("--builtin-schema", "vendor.github-workflows")
    result = run("check-jsonschema", *words, *files, cwd=workflows)
    assert (result.returncode, result.stdout) == (0, "ok -- validation done\n")


def test_a_linter_that_finds_something_is_heard(tmp_path: Path) -> None:
    folder = tmp_path / ".github" / "workflows"
    folder.mkdir(parents=True)
    bad = folder / "bad.yml"
    bad.write_text(
        "name: bad\non: push\njobs:\n  a:\n    runs-on: ubuntu-24.04\n"
        "    steps:\n      - uses: actions/checkout@v6\n",
        encoding="utf-8",
    )
    words = ("--persona", "auditor", "--offline", "--no-progress", "--format", "json-v1")
    heard = set(zizmor_findings(run("zizmor", *words, str(folder), cwd=tmp_path).stdout))
    assert ("bad", "unpinned-uses") in heard
    words = ("--profile", "pedantic", "--shellcheck=", "--format", "json", str(bad))
    assert list(jactionlint_findings(run("jactionlint", *words, cwd=tmp_path).stdout))
