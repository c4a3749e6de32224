"""What tasks, variables and inclusions of a Taskfile become."""

import pytest

from tests.unit.importers.rig import findings_of, write_all


def taskfile(importing, text, **more):
    return importing("taskfile", {"Taskfile.yml": f"version: '3'\n{text}", **more})


def test_commands_dependencies_and_descriptions(importing):
    text = (
        "tasks:\n  a:\n    desc: Say  it\n    deps: [b, {task: c}]\n    cmds: [echo a]\n"
        "  b: echo b\n  c: [echo c]\n"
    )
    result = taskfile(importing, text)
    assert result.task("a") == {
        "description": "Say it",
        "depends-on": ["b", "c"],
        "run": "echo a",
    }
    assert result.task("b")["run"] == "echo b"


def test_sources_and_generates_make_a_cached_task(importing):
    text = (
        "tasks:\n  a:\n    dir: web\n    sources: ['src/**', {exclude: src/x}, ../go.mod]\n"
        "    generates: [dist/a.js]\n    cmds: [build]\n"
        "  b:\n    method: none\n    sources: [x]\n    cmds: [y]\n"
        "  c:\n    status: [test -f x]\n    cmds: [y]\n"
    )
    result = taskfile(importing, text)
    assert result.task("a") == {
        "inputs": ["web/src/**", "!web/src/x", "go.mod"],
        "outputs": [{"glob": "web/dist/a.js", "optional": True}],
        "cache": True,
        "cwd": "web",
        "run": "build",
    }
    assert result.task("b") == {"run": "y"}
    assert any("`status`" in note for note in result.notes("dropped"))


@pytest.mark.parametrize(
    ("variables", "command", "filled"),
    [
        ("{X: a}", "echo {{.X}}", "echo a"),
        ("{X: a, Y: '{{.X}}b'}", "echo {{.Y}}", "echo ab"),
        ("{X: {sh: date}}", "echo {{.X}}", "X=$(date)\necho ${X}"),
        ("{X: {sh: date}}", "echo '{{.X}}'", "X=$(date)\necho ''\"${X}\"''"),
        ("{}", "echo {{.HOME}}", "echo ${HOME:-}"),
        ("{}", 'echo {{.X | default "y"}}', "echo ${X:-y}"),
        ("{X: 3}", "echo {{ .X }}", "echo 3"),
        ("{X: '{{default `y` .X}}'}", "echo {{.X}}", "echo ${X:-y}"),
        ("{}", "echo {{.TASK}} {{.ROOT_DIR}}", "echo t ${PIPEC_ROOT}"),
    ],
)
def test_templates_are_filled_in(importing, variables, command, filled):
    text = f"vars: {variables}\ntasks:\n  t:\n    cmds:\n      - |\n        {command}\n"
    assert taskfile(importing, text).task("t")["run"] == filled


@pytest.mark.parametrize("template", ["{{if .X}}y{{end}}", "{{.X | upper}}", "{{range .L}}"])
def test_what_only_task_can_fill_in_is_left_to_task(importing, template):
    result = taskfile(importing, f"tasks:\n  t:\n    deps: [u]\n    cmds: ['{template}']\n  u: x\n")
    assert result.task("t") == {"run": "task t"}


def test_calls_with_variables_are_tasks_of_their_own(importing):
    text = (
        "tasks:\n  all:\n"
        "    deps: [{task: b, vars: {OS: linux}}, {task: b, vars: {OS: mac}}]\n"
        "  b: ['make {{.OS}}']\n"
    )
    result = taskfile(importing, text)
    assert result.edges["all"] == ["b-linux", "b-mac"]
    assert result.task("b-mac")["run"] == "make mac"


def test_calls_before_and_between_commands(importing):
    text = (
        "tasks:\n  t:\n    cmds: [{task: a}, echo t, {task: b}]\n  a: echo a\n"
        "  b:\n    dir: sub\n    deps: [c]\n    cmds: [echo b]\n  c: echo c\n"
    )
    result = taskfile(importing, text)
    assert result.task("t") == {
        "depends-on": ["a", "c"],
        "run": ["echo t", {"sh": "echo b", "cwd": "sub"}],
    }


def test_loops_are_written_out(importing):
    text = (
        "vars: {L: a b, M: [x, y]}\ntasks:\n  t:\n    cmds:\n"
        "      - {for: [1, 2], cmd: 'echo {{.ITEM}}'}\n"
        "      - {for: {var: L, as: N}, cmd: 'say {{.N}}'}\n"
        "      - {for: {var: M}, cmd: 'is {{.ITEM}}'}\n"
    )
    assert taskfile(importing, text).task("t")["run"] == [
        "echo 1", "echo 2", "say a", "say b", "is x", "is y"
    ]  # fmt: skip


def test_options_of_tasks_and_commands(importing):
    text = (
        "env: {A: b, C: {sh: date}}\ntasks:\n  t:\n    interactive: true\n    aliases: [short]\n"
        "    platforms: [linux, darwin]\n    preconditions: [{sh: test -f x, msg: no x}]\n"
        "    cmds: [{cmd: rm x, ignore_error: true}, {defer: rm y}]\n"
    )
    result = taskfile(importing, text)
    task = result.task("t")
    assert task["env"] == {"A": "b"}
    assert task["interactive"] is True
    assert task["platforms"] == ["linux", "macos"]
    assert task["run"] == [
        "export C=$(date)\n(test -f x) || { echo 'no x' >&2; exit 1; }",
        "export C=$(date)\n(rm x) || true",
    ]
    assert result.values["jobs"]["short"]["target"] == "t"
    assert any("`defer`" in note for note in result.notes("dropped"))


def test_included_files_are_groups(importing):
    text = (
        "includes:\n  docs: ./docs\n  flat: {taskfile: flat.yml, flatten: true}\n"
        "  no: {taskfile: no, optional: true}\ntasks:\n"
        "  default: [{task: 'docs:build'}]\n"
    )
    files = {
        "docs/Taskfile.yml": (
            "version: '3'\ntasks:\n  build:\n    deps: [lint, ':f']\n    cmds: [x]\n"
            "  lint: y\n  default: z\n"
        ),
        "flat.yml": "version: '3'\ntasks:\n  f: echo f\n",
    }
    result = taskfile(importing, text, **files)
    assert result.edges == {
        "default": ["docs.build"],
        "docs": [],
        "docs.build": ["docs.lint", "f"],
        "docs.lint": [],
        "f": [],
    }
    assert any("include `no`" in note for note in result.notes("dropped"))


def test_aliases_and_merge_keys_of_yaml(importing):
    text = "x-base: &base {dir: sub}\ntasks:\n  t:\n    <<: *base\n    cmds: [echo]\n"
    assert taskfile(importing, text).task("t")["cwd"] == "sub"


@pytest.mark.parametrize(
    ("text", "finding"),
    [
        ("tasks: [a", "PIPEC_IMPORT_SYNTAX"),
        ("tasks: 3", "PIPEC_WRONG_TYPE (13, 18): `tasks` is a table, not a whole number"),
        ("tasks: {a: {deps: [[1]], cmds: [x]}}", "PIPEC_WRONG_TYPE"),
    ],
)
def test_a_file_that_task_could_not_read(tmp_path, text, finding):
    write_all(tmp_path, {"Taskfile.yml": f"version: '3'\n{text}\n"})
    assert findings_of(tmp_path, "taskfile")[0].startswith(finding)
