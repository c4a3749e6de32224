"""Diagnostics as one types, and the code actions that do what they suggest."""

from collections.abc import Callable, Mapping

import pytest

from tests.lsp.editor import CURSOR, Editor

GOOD = 'name = "app"\n\n[tasks.build]\nrun = "x"\n\n[jobs.v]\ntarget = "build"\n'
GOOD_YAML = "name: app\ntasks:\n  build:\n    run: x\njobs:\n  v:\n    target: build\n"


def test_a_good_file_has_none(editor: Editor) -> None:
    assert editor.open(GOOD).diagnostics() == []
    assert editor.open(GOOD_YAML, "pipec.yaml").diagnostics() == []


def test_every_mistake_is_said_at_its_place(editor: Editor) -> None:
    text = 'name = "app"\n[tasks.build]\ntimout = "5m"\ndepends-on = ["lint"]\ncache = 3\n'
    file = editor.open(text)
    assert file.findings() == [
        ("PIPEC_UNKNOWN_FIELD", "timout"),
        ("PIPEC_UNKNOWN_TASK", '"lint"'),
        ("PIPEC_WRONG_TYPE", "3"),
    ]
    first = file.diagnostics()[0]
    assert first["severity"] == 1
    assert first["source"] == "pipec"
    assert first["message"] == "a task has no key `timout`\ndid you mean `timeout`?"


def test_every_mistake_is_said_at_its_place_in_yaml(editor: Editor) -> None:
    text = "name: app\ntasks:\n  build:\n    timout: 5m\n    depends-on: [lint]\n    cache: 3\n"
    assert editor.open(text, "pipeline.yaml").findings() == [
        ("PIPEC_UNKNOWN_FIELD", "timout"),
        ("PIPEC_UNKNOWN_TASK", "lint"),
        ("PIPEC_WRONG_TYPE", "3"),
    ]


def test_all_syntax_errors_of_a_toml_file_are_said(editor: Editor) -> None:
    file = editor.open('name = "app"\n[tasks.a]\nrun = \n[tasks.b\nrun = "x"\n')
    assert [code for code, _ in file.findings()] == ["PIPEC_TOML_SYNTAX", "PIPEC_TOML_SYNTAX"]
    lines = [one["range"]["start"]["line"] for one in file.diagnostics()]
    assert lines == [2, 3]


def test_other_places_and_warnings_are_told_apart(editor: Editor) -> None:
    file = editor.open(
        'name = "app"\n[tasks.a]\nrun = "x"\n[tasks.a.b]\nrun = "y"\n[triggers.t]\nmanual = true\n'
    )
    (wrong,) = [one for one in file.diagnostics() if one["code"] == "PIPEC_TASK_OR_GROUP"]
    (other,) = wrong["relatedInformation"]
    assert (other["message"], file.marked(other["location"]["range"])) == (
        "this makes it a task",
        '«run» = "x"',
    )
    file = editor.open(GOOD + "[triggers.t]\nmanual = true\n", "other/pipeline.toml")
    (unused,) = file.diagnostics()
    assert (unused["severity"], unused["tags"]) == (2, [1])


def test_they_follow_what_is_typed(editor: Editor) -> None:
    file = editor.open(GOOD.replace("build]\n", f"build]\n{CURSOR}"))
    assert file.diagnostics() == []
    for letter in 'pool = "x"\n':
        file.type(letter)
    assert file.findings() == [("PIPEC_UNKNOWN_POOL", '"x"')]
    file.replace(file.cursor - len('pool = "x"\n'), file.cursor, "")
    assert file.diagnostics() == []


def test_what_counts_is_the_buffer_and_not_the_disk(
    editor: Editor, written: Callable[[Mapping[str, str]], None]
) -> None:
    written({"pipeline.toml": "name = 3\n"})
    file = editor.open(GOOD)
    assert file.diagnostics() == []
    file.rewrite(GOOD.replace("run", "rum"))
    assert file.findings() == [("PIPEC_UNKNOWN_FIELD", "rum")]
    assert (editor.folder / "pipeline.toml").read_text() == "name = 3\n"
    # A file that is nowhere on the disk is as good as one that is.
    assert editor.open(GOOD, "nowhere/pipeline.toml").diagnostics() == []


def test_several_open_files_do_not_mix(editor: Editor) -> None:
    first = editor.open(GOOD, "a/pipeline.toml")
    second = editor.open(GOOD_YAML.replace("build\n", "bild\n"), "b/pipeline.yaml")
    third = editor.open("name = 1\n", "c/pipec.toml")
    first.rewrite("[")
    assert second.findings() == [("PIPEC_UNKNOWN_TASK", "bild")]
    assert [code for code, _ in first.findings()] == ["PIPEC_TOML_SYNTAX"]
    assert third.findings() == [("PIPEC_WRONG_TYPE", "1")]
    first.rewrite(GOOD)
    assert first.diagnostics() == []


def test_a_closed_file_has_none_and_can_be_opened_again(editor: Editor) -> None:
    file = editor.open("name = 1\n")
    assert file.findings() == [("PIPEC_WRONG_TYPE", "1")]
    file.close()
    cleared = editor.client.wait_for(
        "textDocument/publishDiagnostics",
        lambda params: params["uri"] == file.uri and params.get("version") is None,
    )
    assert cleared["diagnostics"] == []
    editor.client.notifications.clear()
    assert editor.open(GOOD).diagnostics() == []


def test_other_files_are_left_alone(editor: Editor) -> None:
    """Editors send every TOML file to a server of TOML."""
    other = editor.open("name = 1\n", "Cargo.toml")
    named = editor.open("#:schema ./pipeline.schema.json\nname = 1\n", "ci.toml")
    yaml = "# yaml-language-server: $schema=./pipeline.schema.json\nname: 1\n"
    assert editor.open(yaml, "ci.yaml").findings() == [("PIPEC_WRONG_TYPE", "1")]
    assert named.findings() == [("PIPEC_WRONG_TYPE", "1")]
    said = {params["uri"] for _, params in editor.client.notifications}
    assert other.uri not in said
    assert other.completion() is None
    assert other.hover() is None


def test_a_byte_order_mark_and_an_empty_file_are_no_trouble(editor: Editor) -> None:
    assert editor.open("\ufeff" + GOOD).diagnostics() == []
    wrong = editor.open("\ufeff" + GOOD.replace("run", "rum"), "b/pipeline.toml")
    assert wrong.findings() == [("PIPEC_UNKNOWN_FIELD", "rum")]
    assert editor.open("\ufeffname: 1\n", "c/pipeline.yaml").findings() == [
        ("PIPEC_WRONG_TYPE", "1")
    ]
    assert editor.open("", "d/pipeline.toml").findings() == [("PIPEC_EMPTY_FILE", "")]
    assert editor.open("# x\n", "e/pipeline.yaml").findings() == [("PIPEC_EMPTY_FILE", "")]


@pytest.mark.parametrize("end", ["\n", "\r\n"])
@pytest.mark.parametrize("name", ["pipeline.toml", "pipeline.yaml"])
def test_places_are_right_behind_any_characters(end: str, name: str, editor: Editor) -> None:
    """Some of them others take for line ends, and the protocol does not."""
    toml = ['name = "😀é\x85 \u2028"', "[tasks.a]", 'run = { sh = "😀😎é", nam = "x" }']
    yaml = ['name: "😀é"', "tasks:", '  a: {description: "\x85\u2028", run: {sh: "😀😎é", nam: x}}']
    file = editor.open(end.join(toml if name.endswith("toml") else yaml), name)
    assert file.findings() == [("PIPEC_UNKNOWN_FIELD", "nam")]


@pytest.mark.parametrize(
    ("text", "fixed"),
    [
        ("[tasks.a]\ndependsOn▮ = []", "[tasks.a]\ndepends-on = []"),
        ('[tasks.a]\ndepends-on = ["▮lnt"]', '[tasks.a]\ndepends-on = ["lint"]'),
        ("[tasks.a]\ndepends-on = '▮lint'", '[tasks.a]\ndepends-on = ["lint"]'),
        ("[tasks.a]\ndescription = 3▮", '[tasks.a]\ndescription = "3"'),
        ('[tasks.a]\nshell = "▮basch"', '[tasks.a]\nshell = "bash"'),
        ("[tasks.a]\ninputs = ['!▮sourc']", '[tasks.a]\ninputs = ["!source"]'),
        ("[task-defaults.lin▮]\nretry = 2", "[task-defaults.lint]\nretry = 2"),
        (
            '[jobs.v]\ntarget = "lint"\ntrigger = ["▮prr"]',
            '[jobs.v]\ntarget = "lint"\ntrigger = ["pr"]',
        ),
    ],
)
def test_a_suggestion_is_carried_out(text: str, fixed: str, editor: Editor) -> None:
    head = (
        'name = "app"\n[named-inputs]\nsource = ["a"]\n[triggers.pr]\nmanual = true\n'
        '[tasks.lint]\nrun = "x"\n'
    )
    file = editor.open(head + text + "\n")
    assert file.fixed() == head + fixed + "\n"
    (action,) = file.actions()
    assert action["kind"] == "quickfix"
    assert [one["code"] for one in action["diagnostics"]]


def test_a_suggestion_is_carried_out_in_yaml(editor: Editor) -> None:
    head = "name: app\ntasks:\n  lint: {run: x}\n  a:\n"
    for index, (text, fixed) in enumerate(
        (
            ("    ▮timeOut: 5m", "    timeout: 5m"),
            ("    depends-on: [▮lnt]", "    depends-on: [lint]"),
            ("    depends-on: ▮lint", "    depends-on: [lint]"),
            ("    description: 3.▮5", '    description: "3.5"'),
        )
    ):
        file = editor.open(head + text + "\n", f"{index}/pipeline.yaml")
        assert file.fixed() == head + fixed + "\n"


@pytest.mark.parametrize(
    ("text", "fixed"),
    [
        ("[tasks.a]\nrun = 'x'\n  cache▮ = true", "[tasks.a]\nrun = 'x'\n  NEW\n  cache = true"),
        ("tasks.a = { run = 'x', cache▮ = true }", "tasks.a = { run = 'x', cache = true, NEW }"),
        (
            "tasks.a.run = 'x'\ntasks.a.cache▮ = 1",
            "tasks.a.run = 'x'\ntasks.a.NEW\ntasks.a.cache = 1",
        ),
        ("[tasks.a]\r\ncache▮ = true\r", "[tasks.a]\r\nNEW\r\ncache = true\r"),
    ],
)
def test_what_is_missing_is_added(text: str, fixed: str, editor: Editor) -> None:
    text, fixed = (f"name = 'app'\n{part}\n".replace("= 1", "= true") for part in (text, fixed))
    file = editor.open(text)
    actions = file.actions()
    assert [action["title"] for action in actions] == ["Add `inputs = []`", "Add `outputs = []`"]
    for key, action in zip(("inputs", "outputs"), actions, strict=True):
        edited = file.edited(action["edit"])
        assert edited == fixed.replace("NEW", f"{key} = []")
        left = editor.open(edited, f"{key}/pipeline.toml").findings()
        assert len(left) == len(file.findings()) - 1


@pytest.mark.parametrize(
    ("text", "fixed"),
    [
        ("  a:\n    run: x\n    cache▮: true", "  a:\n    run: x\n    NEW\n    cache: true"),
        ("  a: {run: x, cache▮: true}", "  a: {run: x, cache: true, NEW}"),
    ],
)
def test_what_is_missing_is_added_in_yaml(text: str, fixed: str, editor: Editor) -> None:
    file = editor.open(f"name: app\ntasks:\n{text}\n", "pipeline.yaml")
    expected = f"name: app\ntasks:\n{fixed.replace('NEW', 'inputs: []')}\n"
    assert file.edited(file.actions()[0]["edit"]) == expected


def test_what_is_missing_is_added_in_json(editor: Editor) -> None:
    file = editor.open('{"name": "app", "tasks": {"a": {"cache▮": true}}}', "pipeline.yaml")
    expected = '{"name": "app", "tasks": {"a": {"cache": true, "inputs": []}}}'
    assert file.edited(file.actions()[0]["edit"]) == expected


@pytest.mark.parametrize(
    ("text", "fixed"),
    [
        ("[tasks.a]\n", 'name = "shop"\n\n[tasks.a]\n'),
        ("#:schema x.json\n\n# One.\n[tasks.a]\n", None),
        ("#:schema x.json\n[tasks.a]\n", '#:schema x.json\nname = "shop"\n\n[tasks.a]\n'),
        ("# A pipeline.", '# A pipeline.\nname = "shop"\n'),
        ("", 'name = "shop"\n'),
        ("tasks.a = {}\r\n", 'name = "shop"\r\ntasks.a = {}\r\n'),
    ],
)
def test_a_pipeline_without_a_name_gets_that_of_its_folder(
    text: str, fixed: str | None, editor: Editor
) -> None:
    file = editor.open(text, "shop/pipeline.toml")
    fixed = fixed or '#:schema x.json\n\nname = "shop"\n\n# One.\n[tasks.a]\n'
    assert file.fixed() == fixed
    assert editor.open(fixed, "again/pipeline.toml").findings() == []


@pytest.mark.parametrize(
    ("text", "fixed"),
    [
        ("tasks: {}\n", "name: my-shop\ntasks: {}\n"),
        ("# x\n\n# y\ntasks: {}\n", "# x\n\nname: my-shop\n\n# y\ntasks: {}\n"),
        ("---\ntasks: {}\n", "---\nname: my-shop\ntasks: {}\n"),
        ("  tasks: {}\n  jobs: {}\n", "  name: my-shop\n  tasks: {}\n  jobs: {}\n"),
        ('{"tasks": {}}', '{"name": "my-shop", "tasks": {}}'),
        ("# x", "# x\nname: my-shop\n"),
        ("", "name: my-shop\n"),
    ],
)
def test_a_pipeline_of_yaml_gets_a_name_too(text: str, fixed: str, editor: Editor) -> None:
    file = editor.open(text, "my-shop/pipeline.yaml")
    assert file.fixed() == fixed
    assert editor.open(fixed, "again/pipeline.yaml").findings() == []


@pytest.mark.parametrize(
    ("text", "fixed"),
    [
        ("[jobs.v▮]\ndescription = 'x'", "[jobs.v]\ntarget = \"\"\ndescription = 'x'"),
        ("[jobs.v▮]", '[jobs.v]\ntarget = ""'),
        ("[jobs.v▮]\n[jobs.v.env]\nA = 'x'", "[jobs.v]\ntarget = \"\"\n[jobs.v.env]\nA = 'x'"),
        ("jobs.v▮ = {}", 'jobs.v = {target = ""}'),
        ("[agents]\nx▮ = {model = 'm'}", "[agents]\nx = {model = 'm', command = []}"),
        ("[tasks.a]\nretry▮ = {delay = '1s'}", "[tasks.a]\nretry = {delay = '1s', attempts = 1}"),
        ("[execution.ci▮]", '[execution.ci]\ntarget = "local"'),
        (
            "[[commands.rules▮]]\nprefix = 'rm'",
            "[[commands.rules]]\naction = \"allow\"\nprefix = 'rm'",
        ),
        ("[jobs.v]\ntarget = 'a'\n[jobs.v.params]\np = {type▮ = 'choice'}", None),
    ],
)
def test_a_required_key_is_added(text: str, fixed: str | None, editor: Editor) -> None:
    file = editor.open(f"name = 'app'\n{text}\n")
    fixed = fixed or text.replace("'choice'}", "'choice', choices = []}").replace(CURSOR, "")
    assert file.fixed() == f"name = 'app'\n{fixed}\n"
    codes = [
        code for code, _ in editor.open(f"name = 'app'\n{fixed}\n", "b/pipeline.toml").findings()
    ]
    assert "PIPEC_MISSING_FIELD" not in codes


@pytest.mark.parametrize(
    ("text", "fixed"),
    [
        ("jobs:\n  v▮:\n    description: x", 'jobs:\n  v:\n    target: ""\n    description: x'),
        ("jobs:\n  v▮: {}", 'jobs:\n  v: {target: ""}'),
        (
            "commands:\n  rules:\n    - prefix▮: rm # all",
            "commands:\n  rules:\n    - prefix: rm # all\n      action: allow",
        ),
        (
            "tasks:\n  a:\n    retry▮:\n      delay: 1s",
            "tasks:\n  a:\n    retry:\n      attempts: 1\n      delay: 1s",
        ),
    ],
)
def test_a_required_key_is_added_in_yaml(text: str, fixed: str, editor: Editor) -> None:
    file = editor.open(f"name: app\n{text}\n", "pipeline.yaml")
    assert file.fixed() == f"name: app\n{fixed}\n"
    codes = [code for code, _ in editor.open(f"name: app\n{fixed}\n", "b/pipeline.yaml").findings()]
    assert "PIPEC_MISSING_FIELD" not in codes


MAKER = "name = 'app'\n[tasks.x]\n[tasks.gen]\noutputs = ['g/**']\nrun = 'g'\n[tasks.a]\n"
YAML_MAKER = "name: app\ntasks:\n  x: {run: x}\n  gen: {run: g, outputs: [g]}\n  a:\n"


@pytest.mark.parametrize(
    ("written", "fixed"),
    [
        ("", 'depends-on = ["gen"]\n'),
        ("depends-on = []\n", 'depends-on = ["gen"]\n'),
        ('depends-on = ["x"]\n', 'depends-on = ["x", "gen"]\n'),
        ('depends-on = [\n  "x",  # first\n]\n', 'depends-on = [\n  "x", "gen",  # first\n]\n'),
    ],
)
def test_a_dependency_that_is_missing_is_added(written: str, fixed: str, editor: Editor) -> None:
    file = editor.open(f"{MAKER}{written}inputs▮ = ['g/**']\nrun = 'x'\n")
    inputs = "inputs = ['g/**']\n"
    lines = fixed + inputs if written else inputs + fixed
    assert file.fixed() == f"{MAKER}{lines}run = 'x'\n"


def test_a_dependency_that_is_missing_is_added_to_a_list_of_yaml(editor: Editor) -> None:
    needs, rest = "    depends-on:\n      - x\n", "    inputs▮: [g]\n    run: x\n"
    file = editor.open(f"{YAML_MAKER}{needs}{rest}", "pipeline.yaml")
    assert file.fixed() == f"{YAML_MAKER}{needs}      - gen\n{rest.replace('▮', '')}"


def test_there_is_no_action_where_nothing_is_suggested(editor: Editor) -> None:
    file = editor.open(f"{CURSOR}name = 'app'\n[tasks.a]\ndependsOn = []\n")
    assert file.actions() == []
    params = {
        "textDocument": {"uri": file.uri},
        "range": file.range(0, len(file.text)),
        "context": {"diagnostics": [], "only": ["source.organizeImports"]},
    }
    assert editor.ask("textDocument/codeAction", params) == []
