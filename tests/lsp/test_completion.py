"""Completion: what is offered at a place, and what the text is when it is taken."""

import pytest

from pipec.spec.task import TaskSpec
from tests.lsp.editor import Editor

TASK_ORDER = TaskSpec.keys()
TOML = """\
name = "app"

[named-inputs]
source = ["src/**"]

[tasks.lint]
description = "Looks for mistakes"
run = "lint"

[tasks.web.build]
run = "build"

[tasks.web.test]
run = "test"

[triggers.pr]
manual = true

[pools]
db = 1

[agents.claude]
command = ["claude"]

[sandboxes.box.local]

[execution.ci]
target = "local"

[sources.shop]
path = "../shop"

[cache.stores.team.file]
"""

YAML = """\
name: app
named-inputs:
  source: ["src/**"]
triggers:
  pr: {manual: true}
pools: {db: 1}
agents:
  claude: {command: [claude]}
sandboxes:
  box: {local: {}}
execution:
  ci: {target: local}
sources:
  shop: {path: ../shop}
cache:
  stores:
    team: {file: {}}
tasks:
  lint:
    description: Looks for mistakes
    run: lint
  web:
    build:
      run: build
    test:
      run: test
"""


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("[tasks.build]\nrun = 'x'\n▮", "pipeline.toml"),
        ("[tasks.build]\ncac▮\nrun = 'x'\n[jobs.v]\ntarget = 'build'\n", "pipeline.toml"),
        ("tasks:\n  build:\n    run: x\n    ▮", "pipeline.yaml"),
        ("tasks:\n  build:\n    cac▮\n    run: x\njobs:\n  v:\n    target: x\n", "pipeline.yaml"),
    ],
)
def test_a_task_is_offered_the_keys_that_it_has_not(text: str, name: str, editor: Editor) -> None:
    file = editor.open(text, name)
    items = {item["label"]: item for item in file.completion()}
    assert list(items) == [name for name in TASK_ORDER if name != "run"]
    said = items["depends-on"]
    assert said["detail"] == "Tasks that must pass before this one starts."
    assert "Tasks that must pass" in said["documentation"]["value"]
    sign = " = " if name.endswith("toml") else ": "
    assert f"cache{sign}" in file.completed("cache")


@pytest.mark.parametrize(
    ("written", "offered"),
    [
        ('[tasks.new]\ndepends-on = ["▮', ["lint", "web.build", "web.test"]),
        ('[tasks.new]\ndepends-on = ["lint", "▮"]', ["web.build", "web.test"]),
        ('[tasks.new]\ndepends-on = [\n  "lint",\n  ▮\n]', ["web.build", "web.test"]),
        ('[tasks.web.new]\ndepends-on = ["▮"]', ["build", "test", "lint"]),
        ('[jobs.v]\ntarget = "▮"', ["lint", "web.build", "web.test"]),
        ('[tasks.new]\ninputs = [{ outputs-of = "▮" }]', ["lint", "web.build", "web.test"]),
    ],
)
def test_tasks_are_offered_by_the_names_that_hold(
    written: str, offered: list[str], editor: Editor
) -> None:
    file = editor.open(TOML + written)
    labels = file.labels()
    assert [label for label in labels if not label.endswith(":")] == offered
    # Tasks of a source are not known here, but the source is.
    assert "shop:" in labels


@pytest.mark.parametrize(
    ("written", "offered"),
    [
        ('[tasks.new]\ninputs = ["▮"]', ["source"]),
        ('[named-inputs]\nall = ["▮"]', ["source"]),
        ('[jobs.v]\ntrigger = ["▮', ["pr"]),
        ('[jobs.v]\ntarget = "lint"\n[jobs.w]\nneeds = ["▮"]', ["v"]),
        ('[jobs.v]\nexecution = "▮"', ["ci"]),
        ('[tasks.new]\npool = "▮"', ["db"]),
        ('[tasks.new]\nrun = { agent = "▮" }', ["claude"]),
        ('[execution.other]\nsandbox = "▮"', ["box"]),
        ('[tasks.new.cache]\nstore = "▮"', ["team", "file", "memory"]),
        ("[tasks.new]\ninteractive = ▮", ["true", "false"]),
        ('[tasks.new]\nshell = "▮"', ["sh", "bash", "pwsh", "cmd"]),
        ('[jobs.v.github.permissions]\ncontents = "▮"', ["read", "write", "none"]),
        ('[tasks.new]\nrun = { sh = "x", ▮ }', ["name", "cwd", "env", "shell", "timeout"]),
        ("[task-defaults.▮]", ["*", "lint", "web.build", "web.test"]),
        ("[tasks.new.▮]", ["cache", "env", "retry", "requires", "run", "service", "matrix"]),
        ("[triggers.n▮]", ["pr"]),
        ("# [tasks.▮]", []),
        ("[tasks.new] ▮", []),
        ('[tasks.new]\nrun = "▮"', []),
    ],
)
def test_toml_is_offered_what_can_stand_there(
    written: str, offered: list[str], editor: Editor
) -> None:
    text = TOML.replace("[named-inputs]\n", "") if written.startswith("[named-inputs]") else TOML
    text = text.replace('source = ["src/**"]\n', "") if text is not TOML else text
    if text is not TOML:
        written += '\nsource = ["src/**"]'
    assert editor.open(f"{text}{written}\n").labels() == offered


@pytest.mark.parametrize(
    ("written", "offered"),
    [
        ("  new:\n    depends-on: [▮", ["lint", "web.build", "web.test", "shop:"]),
        ("  new:\n    depends-on: [lint, we▮]", ["web.build", "web.test", "shop:"]),
        ("  new:\n    depends-on:\n      - lint\n      - ▮", ["web.build", "web.test", "shop:"]),
        ("  new:\n    inputs: ['▮", ["source", "file", "key", "env", "command", "outputs-of"]),
        ("  new:\n    pool: ▮", ["db"]),
        ("  new:\n    shell: ba▮", ["sh", "bash", "pwsh", "cmd"]),
        ("  new:\n    interactive: ▮", ["true", "false"]),
        ("  new:\n    run:\n      - agent: ▮", ["claude"]),
        ("  new:\n    run:\n      sh: x\n      ▮", ["name", "cwd", "env", "shell", "timeout"]),
        ("jobs:\n  v:\n    target: ▮", ["lint", "web.build", "web.test", "shop:"]),
        ("jobs:\n  v:\n    trigger: [▮]", ["pr"]),
        ("jobs:\n  v:\n    execution: ▮", ["ci"]),
        ("jobs:\n  v: {target: lint}\n  w:\n    needs: [▮", ["v"]),
        ("  # ▮", []),
        ("  new:\n    run: a ▮b", []),
    ],
)
def test_yaml_is_offered_what_can_stand_there(
    written: str, offered: list[str], editor: Editor
) -> None:
    assert editor.open(f"{YAML}{written}\n", "pipec.yaml").labels() == offered


def test_what_is_taken_replaces_what_was_written_of_it(editor: Editor) -> None:
    for text, label, expected in (
        ('depends-on = ["we▮nt"]', "web.test", 'depends-on = ["web.test"▮]'),
        ('depends-on = ["▮\nrun = "x"', "lint", 'depends-on = ["lint"▮\nrun = "x"'),
        ("depends-on = ['▮']", "lint", "depends-on = ['lint'▮]"),
        ("depends-on = [▮]", "lint", 'depends-on = ["lint"▮]'),
        ("ca▮ = true", "cache", "cache▮ = true"),
        ("cache = tr▮", "true", "cache = true▮"),
    ):
        head = f"{TOML}[tasks.new]\n"
        file = editor.open(head + text, f"{len(text)}/pipeline.toml")
        assert file.completed(label) == head + expected
    for text, label, expected in (
        ("    depends-on: [li▮]", "lint", "    depends-on: [lint▮]"),
        ('    depends-on: ["li▮"]', "lint", '    depends-on: ["lint"▮]'),
        ("    ca▮: true", "cache", "    cache▮: true"),
        ("    cache: ▮", "team:read", '    cache: "team:read"▮'),
    ):
        head = f"{YAML}  new:\n"
        file = editor.open(head + text, f"{len(text)}/pipeline.yml")
        assert file.completed(label) == head + expected


def test_completion_works_between_other_mistakes(editor: Editor) -> None:
    broken = '[tasks.a]\nrun = "x\ninputs = ["y"\n[tasks.b\nenv = {\n[tasks.c]\nrun = "z"\n'
    file = editor.open(f'{broken}[jobs.v]\ntarget = "▮\n[tasks.d]\nrun = "x"\n')
    assert file.labels() == ["a", "b", "c", "d"]
    broken = 'tasks:\n  a:\n    run: "x\n  b:\n    inputs: [y\n  c:\n    cac\n  d:\n    run: z\n'
    file = editor.open(f"{broken}jobs:\n  v:\n    target: ▮\n", "pipeline.yaml")
    assert file.labels() == ["a", "b", "c", "d"]


def test_a_name_is_offered_as_soon_as_it_is_typed(editor: Editor) -> None:
    file = editor.open('name = "app"\n[tasks.]\nrun = "x"\n[jobs.v]\ntarget = "▮"\n')
    assert file.labels() == []
    at = file.text.index("]")
    file.replace(at, at, "typed")
    file.cursor += len("typed")
    assert file.labels() == ["typed"]


@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_columns_are_counted_in_units(end: str, editor: Editor) -> None:
    lines = [
        'name = "app"',
        '[tasks."größe".x]',
        'run = [{ sh = "😀😎 é", name = "x" }, { agent = "▮" }]',
        "[agents.a]",
        'command = ["a"]',
    ]
    text = end.join(lines)
    assert editor.open(text).completed("a") == text.replace('"▮"', '"a"▮')
    yaml = [
        'name: "😀"',
        "tasks:",
        '  a: {run: {name: "😀😎 é", agent: ▮}}',
        "agents: {a: {command: [a]}}",
    ]
    text = end.join(yaml)
    assert editor.open(text, "pipeline.yaml").completed("a") == text.replace("▮", "a▮")
