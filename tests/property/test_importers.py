"""Laws of importing: whatever a file holds, there is a pipeline that compiles, or findings."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from pipec.errors import SpecError
from pipec.frontend.render import render
from pipec.importers.files import Files
from pipec.importers.kinds import IMPORTERS
from pipec.importers.make_pipeline import make_pipeline
from tests.property.effort import laws
from tests.unit.importers.rig import SCHEMA

PIECES = {
    "turbo": [
        '{"tasks": {"',
        '": {"dependsOn": ["',
        "^",
        '"], "outputs": ["',
        "//#",
        '"]}',
        "}}",
        "!",
        "**",
        '"env": ["*"]',
        "$TURBO_DEFAULT$",
        "extends",
    ],
    "package-json": [
        '{"scripts": {"',
        '": "',
        '"',
        "}}",
        "run-p ",
        ":",
        "pre",
        '"workspaces": ["*"]',
        ",",
    ],
    "make": [
        "\t",
        ":",
        "=",
        "$(",
        ")",
        "${",
        "}",
        "%",
        "all",
        "\n",
        "\\\n",
        "ifeq (",
        "endif",
        "else",
        "define x",
        "endef",
        "include ",
        ".PHONY: ",
        "$@",
        "$<",
        "$(shell ",
        "|",
        "::",
        "+=",
        "?=",
        "#",
        "$(foreach a,",
        "$(call ",
        "$$",
        "'",
        '"',
    ],
    "just": [
        ":",
        ":=",
        "\n",
        "    ",
        "{{",
        "}}",
        "'",
        '"',
        "`",
        "set ",
        "mod ",
        "import ",
        "alias ",
        "[private]",
        "[linux]",
        "#!/bin/sh",
        "&&",
        "(",
        ")",
        "*",
        "+",
        "$",
        "=",
        "if ",
        "else",
        "export ",
        "@",
        "-",
        "\\",
        "env('A')",
    ],
    "taskfile": [
        "version: '3'\n",
        "tasks:\n",
        "  a:\n",
        "    cmds:\n",
        "      - ",
        "task: a",
        "deps: [",
        "]",
        "{{.",
        "}}",
        "sh: ",
        "vars: ",
        "for: ",
        "&x ",
        "*x",
        "<<: ",
        "includes: {",
        "}",
        "sources: ['",
        "'",
        ": ",
        "\n",
    ],
    "nx": [
        '{"targets": {"',
        '": {"',
        '"executor": "nx:run-commands"',
        '"options": {"',
        '"command": "',
        '"dependsOn": ["^',
        '"]',
        '"inputs": ["{projectRoot}',
        "}",
        ",",
    ],
    "github": [
        "on: ",
        "push",
        "\n",
        "jobs:\n",
        "  a:\n",
        "    steps:\n",
        "      - run: ",
        "uses: ",
        "    needs: [",
        "]",
        "${{ ",
        " }}",
        "matrix: ",
        "strategy: ",
        "env: ",
        "{",
        "}",
        "'",
        "runs-on: x\n",
        "    if: ",
    ],
}


def texts(kind: str) -> st.SearchStrategy[str]:
    """Texts that look a little like such a file."""
    pieces = st.sampled_from(PIECES[kind]) | st.text(max_size=8)
    return st.lists(pieces, max_size=30).map("".join)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("imports")


def attempt(folder: Path, kind: str, content: bytes) -> None:
    """Imports a file, which may only end in findings."""
    importer = next(known for known in IMPORTERS if known.kind == kind)
    (folder / "package.json").write_text('{"name": "root", "scripts": {"a": "x", "b": "y"}}')
    name = importer.names[0] if not importer.names[0].endswith("/") else ".github/workflows/x.yml"
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    for notation in ("toml", "yaml"):
        try:
            make_pipeline(importer, Files(str(folder)), name, notation=notation, schema=SCHEMA)
        except SpecError as error:
            text = render(error.findings, error.document, color=False)
            if not text.strip():
                raise AssertionError("a file was refused without a word") from error
    path.unlink()


def law(kind: str) -> Callable[..., None]:
    """The law for one importer."""

    @laws(60)
    @given(content=texts(kind).map(lambda text: text.encode(errors="replace")) | st.binary())
    @example(b"")
    @example(b"\xff")
    def holds(folder: Path, content: bytes) -> None:
        attempt(folder, kind, content)

    return holds


@pytest.mark.parametrize("kind", [importer.kind for importer in IMPORTERS])
def test_any_text_gives_a_pipeline_or_findings(folder: Path, kind: str) -> None:
    law(kind)(folder)


values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=6),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["a", "b", "x y", "env"]), inner, max_size=3)
    ),
    max_leaves=8,
)
SETTINGS = [
    "dependsOn",
    "inputs",
    "outputs",
    "env",
    "cache",
    "persistent",
    "extends",
    "passThroughEnv",
]


@laws(60)
@given(
    tasks=st.dictionaries(
        st.sampled_from(["a", "b", "//#a", "root#b", "^"]),
        st.dictionaries(
            st.sampled_from(SETTINGS),
            st.booleans() | st.lists(st.text(max_size=5) | st.sampled_from(["^a", "b", "//#a"])),
        ),
    )
)
def test_any_definition_of_tasks_gives_a_pipeline_or_findings(folder: Path, tasks: object) -> None:
    attempt(folder, "turbo", json.dumps({"tasks": tasks}).encode())


@laws(60)
@given(scripts=st.dictionaries(st.text(min_size=1, max_size=8), st.text(min_size=1), min_size=1))
def test_any_scripts_become_tasks_of_their_own(folder: Path, scripts: dict[str, str]) -> None:
    importer = next(known for known in IMPORTERS if known.kind == "package-json")
    named = {name: text for name, text in scripts.items() if "\0" not in name + text}
    (folder / "package.json").write_text(json.dumps({"scripts": named}))
    try:
        result = make_pipeline(
            importer, Files(str(folder)), "package.json", notation="toml", schema=SCHEMA
        )
    except SpecError:
        assert not any(named.values())
        return
    hooks = sum("it is no own task" in note.reason for note in result.notes)
    assert len(result.pipeline.tasks) + hooks == len([text for text in named.values() if text])


@laws(40)
@given(value=values)
@pytest.mark.parametrize("kind", ["taskfile", "turbo", "package-json"])
def test_any_value_gives_a_pipeline_or_findings(folder: Path, kind: str, value: object) -> None:
    keys = {"taskfile": "tasks", "turbo": "tasks", "package-json": "scripts"}
    document = {"version": "3", keys[kind]: {"a": value, "b": value}, "vars": value}
    attempt(folder, kind, json.dumps(document, ensure_ascii=False).encode(errors="replace"))


EVENTS = ["push", "pull_request", "issues", "merge_group", "workflow_run", "workflow_dispatch", "x"]
FILTERS = ["branches", "tags", "paths", "branches-ignore", "paths-ignore", "types", "inputs"]
PATTERNS = st.sampled_from(["main", "!main", "v*", "a[b", "/x", "**", "", "opened", "x y"])
NUMBERS = st.sampled_from([0, 1, 5, 99_999, -1, "5", True, None])
STEPS = st.fixed_dictionaries(
    {"run": st.text(max_size=4) | st.sampled_from(["x", "${{ matrix.a }}", "${{ secrets.A }}"])},
    optional={
        "working-directory": st.sampled_from(["a", "../a", "", "/a"]),
        "timeout-minutes": NUMBERS,
        "shell": st.sampled_from(["bash", "cmd", "python", "x"]),
        "env": st.dictionaries(st.sampled_from(["A", "a b", "B"]), st.text(max_size=3)),
    },
)
JOBS = st.fixed_dictionaries(
    {"steps": st.lists(STEPS, max_size=3)},
    optional={
        "permissions": st.sampled_from(["read-all", {}, {"contents": "read"}, {"models": "read"}]),
        "timeout-minutes": NUMBERS,
        "needs": st.sampled_from(["a", "b", ["a", "c"], []]),
        "environment": st.sampled_from(["prod", {"name": "x"}, {"url": "x"}, ""]),
        "concurrency": st.sampled_from(["x", {"group": "x", "cancel-in-progress": "${{ x }}"}]),
        "strategy": st.just({"matrix": {"a": [1, "2"], "x y": [1], "include": [{"a": 1}]}}),
        "runs-on": st.sampled_from(["x", ["x", "y"], "${{ matrix.a }}", {"labels": "x"}]),
    },
)


@laws(60)
@given(
    events=st.dictionaries(
        st.sampled_from(EVENTS),
        st.dictionaries(st.sampled_from(FILTERS), st.lists(PATTERNS, max_size=2), max_size=2),
        max_size=3,
    ),
    jobs=st.dictionaries(st.sampled_from(["a", "b", "c d"]), JOBS, min_size=1, max_size=3),
)
def test_any_workflow_gives_a_pipeline_or_findings(
    folder: Path, events: object, jobs: object
) -> None:
    document = {"on": events, "jobs": jobs}
    attempt(folder, "github", json.dumps(document, ensure_ascii=False).encode(errors="replace"))
