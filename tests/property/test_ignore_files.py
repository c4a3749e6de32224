"""Ignore files mean what git says they mean."""

import itertools
import json
import os
import subprocess
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.property.effort import laws
from tests.unit.core.bench import Bench, task

counter = itertools.count()

NAMES = ["a", "b", "c.log", "ab", ".x", "é", "a b", "{a,b}", "#a", "!a", "[a]", "d "]
PIECES = ["a", "b", "*", "**", "?", "[ab]", "[!a]", "*.log", "c.log", ".x", "é", "{a,b}", "a b"]

names = st.sampled_from(NAMES)
paths = st.lists(names, min_size=1, max_size=4).map("/".join)
lines = st.one_of(
    st.builds(
        "{}{}{}{}".format,
        st.sampled_from(["", "", "", "!", "\\", "!!"]),
        st.sampled_from(["", "", "/"]),
        st.lists(st.sampled_from(PIECES), min_size=1, max_size=3).map("/".join),
        st.sampled_from(["", "", "/", "/**", " ", "\\ ", "\t", "\r"]),
    ),
    st.sampled_from(
        [
            "",
            "#a",
            "\\#a",
            "\\!a",
            "!",
            "/",
            "[",
            "[a",
            "*",
            "!*/",
            "**",
            "***",
            "a**b",
            "a\\",
            "**a",
        ]
    ),
    st.text("ab*?[]!^-\\/{},# .é", max_size=8),
)
files = st.lists(lines, max_size=4).map("\n".join)
GIT = {
    "PATH": os.environ["PATH"],
    "GIT_CONFIG_GLOBAL": os.devnull,
    "GIT_CONFIG_SYSTEM": os.devnull,
    "HOME": os.devnull,
}


def git(folder: Path, *words: str) -> bytes:
    """What git prints."""
    return subprocess.run(
        ["git", *words], cwd=folder, env=GIT, check=True, capture_output=True
    ).stdout


def not_ignored(folder: Path) -> set[bytes]:
    """The files that git would offer to add."""
    listed = git(folder, "ls-files", "-z", "--others", "--exclude-standard")
    return set(listed.split(b"\0")) - {b""}


def is_ignored(folder: Path, path: str) -> bool:
    """Whether git ignores this path."""
    asked = subprocess.run(["git", "check-ignore", "-q", path], cwd=folder, env=GIT, check=False)
    return asked.returncode == 0


@pytest.fixture(scope="module")
def repositories(tmp_path_factory: pytest.TempPathFactory):
    """Makes a new repository for each example."""
    base = tmp_path_factory.mktemp("repositories")
    template = base / "template"
    template.mkdir()
    git(template, "init", "--quiet", "--template=")

    def make() -> Path:
        folder = base / str(next(counter))
        subprocess.run(["cp", "-r", template, folder], check=True)
        return folder

    return make


def write(folder: Path, path: str, text: str) -> None:
    """Writes a file where there is room for it."""
    target = folder / path
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        if not target.is_dir():
            target.write_bytes(text.encode())
    except (FileExistsError, NotADirectoryError):
        pass


@laws(40)
@given(st.lists(paths, min_size=1, max_size=12), st.dictionaries(paths, files, max_size=2), files)
def test_globs_see_what_git_does_not_ignore(
    repositories, tree: list[str], nested: dict[str, str], top: str
) -> None:
    folder = repositories()
    for path in tree:
        write(folder, path, "")
    for path, text in nested.items():
        write(folder, f"{path}/.gitignore", text)
    write(folder, ".gitignore", top)
    bench = Bench(folder, {"t": task(["**"])}, request={"state": f"{folder}/.git/state"})
    assert set(bench.inputs()) == not_ignored(folder)


@laws(40)
@given(st.lists(paths, min_size=1, max_size=8), files, files)
def test_a_project_below_the_top_of_its_checkout_obeys_the_files_above_it(
    repositories, tree: list[str], above: str, own: str
) -> None:
    folder = repositories()
    project = folder / "p"
    project.mkdir()
    for path in tree:
        write(project, path, "")
    write(folder, ".gitignore", above)
    write(project, ".gitignore", own)
    if is_ignored(folder, "p"):
        return  # a project that is ignored whole is no less a project
    bench = Bench(project, {"t": task(["**"])}, request={"state": f"{folder}/.git/state"})
    expected = {path[2:] for path in not_ignored(folder) if path.startswith(b"p/")}
    assert set(bench.inputs()) == expected


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    bench = Bench(tmp_path, {"t": task(["**"])})
    for path in ("a", "b", "gen/a", "gen/deep/b"):
        bench.write(path)
    return bench


def test_a_literal_path_is_taken_though_it_is_ignored(bench: Bench) -> None:
    bench.write(".gitignore", "gen/\na\n")
    bench.tasks = {"t": task(["gen/a"]), "u": task(["gen"]), "v": task(["gen/*", "a"])}
    assert set(bench.inputs("t")) == {b"gen/a"}
    assert set(bench.inputs("u")) == {b"gen/deep/b"}
    assert set(bench.inputs("v")) == {b"a"}


def test_ignore_files_can_be_left_aside(bench: Bench) -> None:
    bench.write(".gitignore", "*\n")
    assert bench.inputs() == {}
    bench.tasks = {"t": task(["**"], inputs_gitignore=False)}
    assert set(bench.inputs()) == {b".gitignore", b"a", b"b", b"gen/a", b"gen/deep/b"}


def test_outputs_are_kept_though_they_are_ignored(bench: Bench) -> None:
    bench.write(".gitignore", "out/\n")
    bench.tasks = {"t": task(["a"], ["out/**"])}
    make = lambda _: bench.write("out/x/y", "1")  # noqa: E731
    bench.run(make)
    (bench.root / "out/x/y").unlink()
    assert bench.run(make) == {"t": "restored"}
    assert (bench.root / "out/x/y").read_text() == "1"


@pytest.mark.parametrize("kind", ["pipe", "folder", "link", "broken link"])
def test_an_ignore_file_that_is_no_file_says_nothing(bench: Bench, kind: str) -> None:
    path = bench.root / "gen" / ".gitignore"
    if kind == "pipe":
        os.mkfifo(path)
    elif kind == "folder":
        path.mkdir()
    else:
        bench.write("rules", "*\n")
        path.symlink_to("../rules" if kind == "link" else "nowhere")
    assert {b"gen/a", b"gen/deep/b"} <= set(bench.inputs())


def test_an_ignored_file_is_an_input_or_not_whatever_else_is_in_the_plan(bench: Bench) -> None:
    bench.write(".gitignore", "a\n")
    bench.named = {"all": ["**"]}
    bench.tasks = {"t": task(["a", "!@all"])}
    alone = bench.inputs("t")
    bench.tasks["u"] = task(["a"])
    together = json.loads(bench.engine().assess("{}"))["t"]
    assert together["inputs"] == len(alone) == 1
