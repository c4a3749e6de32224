"""`pipec why` down to the commit: component, file, pattern, commits, lines."""

import json
import subprocess

import jsonschema_rs
import pytest
from inline_snapshot import snapshot

from tests.conftest import Project
from tests.e2e.records import SCHEMAS, read_records

PIPELINE = """
name = "app"

[tasks.build]
inputs = ["src/**"]
outputs = ["out"]
cache = true
run = "cat src/* > out && ! grep -q bug out"
"""


class Checkout:
    """A project in a repository whose history always has the same ids."""

    def __init__(self, project: Project) -> None:
        self.project = project
        self.git("init", "-q", "-b", "main")
        self._day = 0

    def git(self, *words: str) -> str:
        """Runs git and gives what it prints."""
        named = {"NAME": "Ada", "EMAIL": "ada@example.org", "DATE": f"{self._now()} +0000"}
        env = {
            f"GIT_{who}_{what}": named[what] for who in ("AUTHOR", "COMMITTER") for what in named
        }
        done = subprocess.run(
            ["git", *words],
            cwd=self.project.folder,
            env={**self.project.environment, **env},
            capture_output=True,
            text=True,
            check=True,
        )
        return done.stdout

    def commit(self, subject: str, **files: str) -> None:
        """Commits these files under `src`."""
        for name, text in files.items():
            self.project.write(f"src/{name}", text)
        self._day += 1
        self.git("add", "pipeline.toml", "src")
        self.git("commit", "-q", "-m", subject)

    def _now(self) -> str:
        return f"2026-11-{getattr(self, '_day', 0) + 1:02d}T12:00:00"

    def why(self, *words: str) -> dict:
        """The answer for programs, which keeps to its schema."""
        out = json.loads(self.project.pipec("why", "build", *words, "--format", "json").stdout)
        schema = json.loads((SCHEMAS / "cli/why.schema.json").read_text(encoding="utf-8"))
        jsonschema_rs.validator_for(schema).validate(out)
        return out


@pytest.fixture
def checkout(project: Project) -> Checkout:
    project.write("pipeline.toml", PIPELINE)
    checkout = Checkout(project)
    checkout.commit("Begin", a="one\ntwo\n", b="same\n")
    project.pipec("run", "build")
    return checkout


def test_the_commits_between_two_runs_are_named_with_the_lines(checkout: Checkout) -> None:
    checkout.commit("Say two again", a="one\ntwo\ntwo\n")
    checkout.commit("Touch the other", b="other\n")
    checkout.commit("Say three", a="one\ntwo\nthree\n")
    checkout.project.pipec("run", "build")
    checkout.commit("Say four, which no run has seen", a="four\n")
    assert checkout.project.pipec("why", "build", "--diff").stdout == snapshot(
        """\
build passed in run <run>
  miss: src/a changed (+1 more)
  src/a  changed  by src/**
    ca681dd45c Say three (Ada, 2026-11-05)
    699dbe732e Say two again (Ada, 2026-11-03)
    git diff 814f4a4229 4cb29ea38f
    @@ -1,2 +1,3 @@
     one
     two
    +three
  src/b  changed  by src/**
    9c0bd58ab1 Touch the other (Ada, 2026-11-04)
    git diff 1275430f17 e45c9c2666
    @@ -1 +1 @@
    -same
    +other
"""
    )
    told = checkout.why()["files"][0]
    assert checkout.git("cat-file", "blob", told["before"]) == "one\ntwo\n"
    assert checkout.git("cat-file", "blob", told["now"]) == "one\ntwo\nthree\n"


def test_what_is_not_committed_says_so(checkout: Checkout) -> None:
    checkout.project.write("src/a", "one\n2\n")
    checkout.project.pipec("run", "build")
    (told,) = checkout.why()["files"]
    assert told["is_committed"] is False
    assert "commits" not in told
    assert told["diff"] == "@@ -1,2 +1,2 @@\n one\n-two\n+2\n"
    assert told["now"] == checkout.git("hash-object", "src/a").strip()


def test_a_failed_run_is_explained_too(checkout: Checkout) -> None:
    checkout.commit("Add a bug", a="bug\n")
    assert checkout.project.pipec("run", "build").status == 1
    (told,) = checkout.why()["files"]
    assert [commit["subject"] for commit in told["commits"]] == ["Add a bug"]
    assert told["diff"] == "@@ -1,2 +1 @@\n-one\n-two\n+bug\n"


def test_of_a_failed_run_whose_files_have_changed_since_nothing_is_guessed(
    checkout: Checkout,
) -> None:
    checkout.commit("Add a bug", a="bug\n")
    checkout.project.pipec("run", "build")
    checkout.project.write("src/a", "mended\n")
    (told,) = checkout.why()["files"]
    assert "diff" not in told
    assert "now" not in told
    assert "is_committed" not in told


def test_added_and_removed_files_have_a_history(checkout: Checkout) -> None:
    checkout.git("rm", "-q", "src/b")
    checkout.commit("Trade b for c", c="new\n")
    checkout.project.pipec("run", "build")
    removed, added = sorted(checkout.why()["files"], key=lambda file: file["path"])
    assert (removed["path"], removed["change"]) == ("src/b", "removed")
    assert [commit["subject"] for commit in removed["commits"]] == ["Trade b for c"]
    assert (added["path"], added["change"]) == ("src/c", "added")
    assert [commit["subject"] for commit in added["commits"]] == ["Trade b for c"]


def test_as_things_are_now_has_the_same_chain(checkout: Checkout) -> None:
    checkout.commit("Say three", a="three\n")
    (told,) = checkout.why("--now")["files"]
    assert [commit["subject"] for commit in told["commits"]] == ["Say three"]
    assert told["is_committed"] is True


def test_an_older_run_is_explained_by_its_own_files(checkout: Checkout) -> None:
    checkout.commit("Say three", a="three\n")
    checkout.project.pipec("run", "build")
    second = read_records(checkout.project.folder)[-1]["run_id"]
    checkout.commit("Say four", a="four\n")
    checkout.project.pipec("run", "build")
    (told,) = checkout.why("--run", second)["files"]
    assert [commit["subject"] for commit in told["commits"]] == ["Say three"]
    assert told["diff"] == "@@ -1,2 +1 @@\n-one\n-two\n+three\n"


def test_a_project_below_the_top_of_its_repository_has_the_chain(
    make_project,
) -> None:
    project = make_project("outer")
    (project.folder / "inner").mkdir()
    project.folder = project.folder / "inner"
    project.write("pipeline.toml", PIPELINE)
    checkout = Checkout(project)
    checkout.commit("Begin", a="one\n")
    project.pipec("run", "build")
    checkout.commit("Say two", a="two\n")
    project.pipec("run", "build")
    (told,) = checkout.why()["files"]
    assert [commit["subject"] for commit in told["commits"]] == ["Say two"]


def test_no_program_that_a_repository_names_is_started(checkout: Checkout) -> None:
    trap = checkout.project.write(
        "trap.sh", f"#!/bin/sh\ntouch '{checkout.project.folder}/sprung'\n"
    )
    trap.chmod(0o755)
    for setting in ("diff.external", "diff.x.textconv", "core.fsmonitor", "core.pager"):
        checkout.git("config", setting, str(trap))
    checkout.project.write(".gitattributes", "src/a diff=x\n")
    (checkout.project.folder / "sprung").unlink(missing_ok=True)
    checkout.project.write("src/a", "changed\n")
    checkout.project.pipec("run", "build")
    assert checkout.why()["files"][0]["diff"]
    assert not (checkout.project.folder / "sprung").exists()


def test_a_subject_cannot_move_the_cursor(checkout: Checkout) -> None:
    checkout.commit("Say \x1b[2J three", a="three\n")
    checkout.project.pipec("run", "build")
    assert "\x1b" not in checkout.project.pipec("why", "build", "--diff").stdout


def test_without_a_repository_the_patterns_are_the_end(project: Project) -> None:
    project.write("pipeline.toml", PIPELINE)
    project.write("src/a", "one\n")
    project.pipec("run", "build")
    project.write("src/a", "two\n")
    project.pipec("run", "build")
    assert project.pipec("why", "build").stdout == snapshot(
        """\
build passed in run <run>
  miss: src/a changed
  src/a  changed  by src/**
"""
    )


def test_the_chain_goes_through_dependencies_to_the_file(project: Project) -> None:
    project.write(
        "pipeline.toml",
        """
        name = "app"
        [tasks.first]
        inputs = ["a.txt"]
        outputs = ["first.txt"]
        cache = true
        run = "cat a.txt > first.txt"
        [tasks.second]
        depends-on = ["first"]
        outputs = ["second.txt"]
        cache = true
        run = "cat first.txt > second.txt"
        [tasks.third]
        depends-on = ["second"]
        inputs = ["c.txt"]
        cache = true
        run = "cat second.txt c.txt"
        """,
    )
    project.write("a.txt", "one")
    project.write("c.txt", "one")
    assert project.pipec("run", "third").status == 0
    project.write("a.txt", "two")
    result = project.pipec("run", "third")
    assert "third <time>  miss: dependency second changed" in result.stderr
    assert project.pipec("why", "third").stdout == snapshot(
        """\
third passed in run <run>
  miss: dependency second changed
second passed
  miss: dependency first changed
first passed
  miss: a.txt changed
  a.txt  changed  by a.txt
"""
    )
    answer = json.loads(project.pipec("why", "third", "--format", "json").stdout)
    jsonschema_rs.validate(json.loads((SCHEMAS / "cli" / "why.schema.json").read_text()), answer)
    assert [cause["task"] for cause in answer["causes"]] == ["second", "first"]
    long_way = project.pipec("run", "third", "--concurrency", "1", "--force")
    assert "third <time>  forced" in long_way.stderr
