"""`pipec diff` in a real repository: which files it takes, what it says, what it leaves alone."""

import json
import os
import subprocess
from collections.abc import Callable
from pathlib import Path

import jsonschema_rs
import pytest
from markdown_it import MarkdownIt

from tests.conftest import Project

SCHEMA = Path(__file__).parents[2] / "schemas/cli/diff.schema.json"
FIRST = """\
name = "app"

[tasks.build]
cache = true
inputs = ["src/**", "lib/**"]
outputs = ["dist/**"]
run = "make build"

[tasks.lint]
run = "lint a | tee log"

[jobs.verify]
target = ["build", "lint"]
"""
SECOND = """\
name: app
tasks:
  build:
    cache: true
    description: makes it
    inputs: ["lib/**", "src/**"]
    outputs: ["dist/**"]
    run: make all
    env: {TOKEN: {secret: BUILD_TOKEN}}
  check: {run: "lint a | tee log"}
  deploy: {depends-on: [build], run: "ship `now`"}
jobs:
  verify: {target: [build, check], github: {permissions: {contents: write}}}
"""


class Checkout:
    """A project under git."""

    def __init__(self, project: Project) -> None:
        self.project = project
        self.git("init", "--quiet", "--initial-branch=main")

    def git(self, *words: str) -> str:
        """Calls git and gives what it printed."""
        who = ("-c", "user.name=Somebody", "-c", "user.email=somebody@example.org")
        return subprocess.run(
            ["git", *who, *words],
            cwd=self.project.folder,
            env=self.project.environment,
            capture_output=True,
            text=True,
            check=True,
        ).stdout

    def commit(self) -> str:
        """Commits everything and gives the commit's id."""
        self.git("add", "--all")
        self.git("commit", "--quiet", "--message", "as it is")
        return self.git("rev-parse", "HEAD").strip()

    def difference(self, *words: str) -> dict[str, object]:
        """The JSON, after a look at its form."""
        result = self.project.pipec("diff", *words, "--format", "json")
        assert (result.stderr, result.status) == ("", 0)
        document = json.loads(result.stdout)
        jsonschema_rs.validator_for(json.loads(SCHEMA.read_text())).validate(document)
        return document


@pytest.fixture
def checkout(project: Project) -> Checkout:
    """A repository with nothing in it."""
    return Checkout(project)


@pytest.fixture
def changed(checkout: Checkout) -> Checkout:
    """A repository whose file was changed in content, name and notation since the last commit."""
    checkout.project.write("pipeline.toml", FIRST)
    checkout.commit()
    (checkout.project.folder / "pipeline.toml").unlink()
    checkout.project.write("pipec.yaml", SECOND)
    return checkout


def test_the_working_file_is_compared_with_the_last_commit(changed: Checkout) -> None:
    result = changed.project.pipec("diff")
    assert (result.stderr, result.status) == ("", 0)
    assert (
        result.stdout
        == """\
HEAD:pipeline.toml → pipec.yaml: 7 changes

Permissions
  + job verify: github permissions contents write

Secrets
  + task build: env TOKEN secret BUILD_TOKEN

Tasks
  > task check (was task lint)
  + task deploy: ship `now`

Inputs
  ~ task build: inputs [{"glob": "src/**"}, {"glob": "lib/**"}] → [{"glob": "lib/**"}, \
{"glob": "src/**"}]

Steps
  ~ task build: steps 0 command make build → make all

Other
  + task build: description makes it

Keys
  build  changes (steps, env); also may change (inputs)
  check  unchanged
"""
    )


def test_colours_are_for_a_terminal_that_reads_them(changed: Checkout) -> None:
    ours, theirs = os.openpty()
    with os.fdopen(ours, "rb"), os.fdopen(theirs, "wb") as terminal:
        process = changed.project.start("diff", stderr=terminal)
        out, _ = process.communicate(timeout=60)
    assert process.returncode == 0
    assert b"\x1b" not in out
    assert "\x1b[1mPermissions\x1b[" in changed.project.pipec("--color", "always", "diff").stdout


def test_a_table_of_markdown_keeps_its_columns(changed: Checkout) -> None:
    changed.project.write("pipec.yaml", SECOND.replace("| tee", "\\\\| `tee` \\\\\\\\|"))
    result = changed.project.pipec("diff", "--format", "markdown", "--exit-code")
    assert result.status == 1
    tokens = MarkdownIt().enable("table").parse(result.stdout)
    rows = "".join({"tr_open": "\n", "td_open": "|"}.get(token.type, "") for token in tokens)
    assert {row.count("|") for row in rows.split()} <= {5, 2}
    codes = [
        child.content for token in tokens for child in token.children or () if child.type != "text"
    ]
    assert "ship `now`" in codes
    assert "**Permissions** | added | `job verify` `github permissions contents`" in result.stdout


def test_two_revisions_are_compared_without_the_working_file(changed: Checkout) -> None:
    old = changed.git("rev-parse", "HEAD").strip()
    new = changed.commit()
    (changed.project.folder / "pipec.yaml").unlink()
    there, back = changed.difference(f"{old}..{new}"), changed.difference("HEAD..HEAD~1")
    assert there["before"] == {"path": "pipeline.toml", "revision": old, "commit": old}
    assert there["after"] == {"path": "pipec.yaml", "revision": new, "commit": new}
    assert len(there["changes"]) == len(back["changes"]) == 7
    assert [change["action"] for change in back["changes"][:2]] == ["removed", "removed"]


def test_three_dots_compare_with_where_the_branches_parted(checkout: Checkout) -> None:
    checkout.project.write("pipeline.toml", FIRST)
    base = checkout.commit()
    checkout.git("switch", "--quiet", "--create", "topic")
    checkout.project.write("pipeline.toml", FIRST + "timeout = 5\n")
    checkout.commit()
    checkout.git("switch", "--quiet", "main")
    checkout.project.write("pipeline.toml", FIRST.replace("make build", "make"))
    checkout.commit()
    document = checkout.difference("main...topic")
    assert document["before"]["commit"] == base
    assert [change["place"] for change in document["changes"]] == [["jobs", "verify", "timeout-ms"]]


def test_no_difference_is_success_in_every_form(checkout: Checkout) -> None:
    checkout.project.write("web/pipeline.toml", FIRST)
    checkout.commit()
    checkout.project.write("web/pipeline.toml", "# the same\n" + FIRST)
    checkout.project.write("web/src/a")
    result = checkout.project.pipec("diff", "--exit-code", cwd="web/src")
    assert (result.stdout, result.status) == (
        "HEAD:pipeline.toml → ../pipeline.toml: no difference\n",
        0,
    )


def test_git_and_the_work_tree_are_left_as_they_are(changed: Checkout) -> None:
    changed.git("add", "--all")
    os.utime(changed.project.folder / "pipec.yaml", ns=(1, 1))
    before = snapshot(changed.project.folder)
    for words in ((), ("HEAD",), ("HEAD..HEAD",)):
        assert changed.project.pipec("diff", *words).status == 0
    assert snapshot(changed.project.folder) == before


def snapshot(folder: Path) -> dict[str, tuple[int, bytes]]:
    return {
        str(path): (path.stat().st_mtime_ns, path.read_bytes())
        for path in folder.rglob("*")
        if path.is_file()
    }


def test_a_revision_that_does_not_compile_says_so_with_its_places(checkout: Checkout) -> None:
    checkout.project.write("pipeline.toml", FIRST + "timout = 5\n")
    checkout.commit()
    checkout.project.write("pipeline.toml", FIRST)
    result = checkout.project.pipec("diff")
    assert result.status == 2
    assert result.stdout == ""
    assert " --> HEAD:pipeline.toml:14:1\n" in result.stderr
    assert result.stderr.startswith("error[PIPEC_UNKNOWN_FIELD]")


def no_repository(checkout: Checkout) -> tuple[str, ...]:
    (checkout.project.folder / ".git").rename(checkout.project.folder / "elsewhere")
    return ()


def no_commit(_: Checkout) -> tuple[str, ...]:
    return ()


def no_such_revision(checkout: Checkout) -> tuple[str, ...]:
    checkout.commit()
    return ("HEAD..nowhere",)


def one_with_orders_for_the_terminal(checkout: Checkout) -> tuple[str, ...]:
    checkout.commit()
    return ("a\x1b[2Jb",)


def an_option_of_git(checkout: Checkout) -> tuple[str, ...]:
    checkout.commit()
    return ("HEAD..--help",)


def no_pipeline_yet(checkout: Checkout) -> tuple[str, ...]:
    checkout.git("rm", "--quiet", "--cached", "-r", ".", "--ignore-unmatch")
    checkout.git("commit", "--quiet", "--allow-empty", "--message", "nothing")
    return ()


def two_pipelines(checkout: Checkout) -> tuple[str, ...]:
    (checkout.project.folder / "pipeline.toml").rename(checkout.project.folder / "pipec.toml")
    checkout.project.write("pipec.yaml", SECOND)
    checkout.commit()
    (checkout.project.folder / "pipec.yaml").unlink()
    (checkout.project.folder / "pipec.toml").rename(checkout.project.folder / "pipeline.toml")
    return ()


def a_link(checkout: Checkout) -> tuple[str, ...]:
    path = checkout.project.folder / "pipeline.toml"
    path.rename(path.with_name("real.toml"))
    path.symlink_to("real.toml")
    checkout.commit()
    return ()


def far_too_large(checkout: Checkout) -> tuple[str, ...]:
    checkout.project.write("pipeline.toml", "#" * (8 * 1024 * 1024 + 1))
    checkout.commit()
    checkout.project.write("pipeline.toml", FIRST)
    return ()


def nothing_in_it(checkout: Checkout) -> tuple[str, ...]:
    checkout.project.write("pipeline.toml", "\n")
    checkout.commit()
    checkout.project.write("pipeline.toml", FIRST)
    return ()


@pytest.mark.parametrize(
    ("prepare", "expected"),
    [
        (no_repository, "[PIPEC_NOT_A_REPOSITORY]: `<project>` is not in a git repository\n"),
        (no_commit, "[PIPEC_UNKNOWN_REVISION]: this repository has no revision `HEAD`\n"),
        (no_such_revision, "[PIPEC_UNKNOWN_REVISION]: this repository has no revision `nowhere`\n"),
        (
            one_with_orders_for_the_terminal,
            "[PIPEC_UNKNOWN_REVISION]: this repository has no revision `a\\x1b[2Jb`\n",
        ),
        (an_option_of_git, "[PIPEC_UNKNOWN_REVISION]: this repository has no revision `--help`\n"),
        (no_pipeline_yet, "[PIPEC_NO_PIPELINE]: there is no pipeline in `<project>` at `HEAD`\n"),
        (
            two_pipelines,
            "[PIPEC_SEVERAL_PIPELINES]: the project has several pipelines at `HEAD`:",
        ),
        (a_link, "[PIPEC_UNREADABLE_FILE]: `HEAD:pipeline.toml` is not a regular file\n"),
        (far_too_large, "[PIPEC_FILE_TOO_LARGE]: `HEAD:pipeline.toml` is larger than <size>\n"),
        (nothing_in_it, "[PIPEC_EMPTY_FILE]: `HEAD:pipeline.toml` is empty\n"),
    ],
)
def test_what_cannot_be_compared_is_said(
    checkout: Checkout, prepare: Callable[[Checkout], tuple[str, ...]], expected: str
) -> None:
    checkout.project.write("pipeline.toml", FIRST)
    words = prepare(checkout)
    result = checkout.project.pipec("diff", *words)
    assert (result.stdout, result.status) == ("", 2)
    assert result.stderr.startswith(f"error{expected}")


def test_a_hook_of_git_may_call_it_in_a_folder_below(checkout: Checkout) -> None:
    checkout.project.write("web/pipeline.toml", FIRST)
    checkout.commit()
    surroundings = {"GIT_DIR": ".git", "GIT_INDEX_FILE": ".git/index", "GIT_PREFIX": ""}
    result = checkout.project.pipec("-C", "web", "diff", env=surroundings)
    assert (result.stdout, result.stderr) == (
        "HEAD:pipeline.toml → pipeline.toml: no difference\n",
        "",
    )


def test_without_git_the_message_says_so(checkout: Checkout) -> None:
    checkout.project.write("pipeline.toml", FIRST)
    result = checkout.project.pipec("diff", env={"PATH": "/nowhere"})
    assert (result.status, result.stderr.splitlines()[0]) == (
        2,
        "error[PIPEC_NOT_A_REPOSITORY]: there is no `git` on the path",
    )


def test_a_file_named_by_hand_is_looked_for_under_its_name(checkout: Checkout) -> None:
    checkout.project.write("pipeline.toml", 'name = "other"\n')
    checkout.project.write("second.toml", FIRST)
    checkout.commit()
    checkout.project.write("second.toml", FIRST.replace("make build", "make"))
    result = checkout.project.pipec("-f", "second.toml", "diff")
    assert result.stdout.startswith("HEAD:second.toml → second.toml: 1 change\n")
