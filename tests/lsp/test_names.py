"""Definitions, references and renames: of every kind of name, in both notations."""

import pytest

from tests.lsp.client import ResponseError
from tests.lsp.editor import CURSOR, Editor

TOML = """\
name = "app"

[named-inputs]
source = ["src/**"]
all = ["source", "!docs/**"]

[task-defaults."web.build"]
cache = true

[tasks.lint]
inputs = ["source", "!all"]
run = "lint"

[tasks.web.default]
depends-on = ["build", "test"]

[tasks.web.build]
depends-on = ["lint"]
pool = "db"
cache = "team:read"
run = [{ agent = "claude", prompt = "x" }]

[tasks.web.build.env]
MODE = "x"

[tasks.web.test]
depends-on = ["web.build", 'test-data[os=linux]']
inputs = [{ outputs-of = "build" }]

[tasks.test-data]
run = "x"

[tasks.test-data.matrix]
os = ["linux"]

[jobs.verify]
target = ["web", "web.test"]
trigger = ["pr"]
execution = "ci"

[jobs.deploy]
target = "shop:deploy"
needs = ["verify"]

[triggers.pr]
manual = true

[pools]
db = 1

[cache]
default = "team"

[cache.stores.team.file]

[agents.claude]
command = ["claude"]

[execution.ci]
target = "local"
sandbox = "box"

[sandboxes.box.local]

[sources.shop]
path = "../shop"
"""

YAML = """\
name: app
named-inputs:
  source: ["src/**"]
  all: [source, "!docs/**"]
tasks:
  lint:
    inputs: [source, "!all"]
    run: lint
  web:
    default:
      depends-on: [build, test]
    build:
      depends-on: [lint]
      pool: db
      run: {agent: claude, prompt: x}
    test:
      depends-on:
        - web.build
        - "lint"
pools: {db: 1}
agents:
  claude: {command: [claude]}
jobs:
  verify:
    target: [web, web.test]
    trigger: [pr]
  deploy:
    target: lint
    needs: [verify]
triggers:
  pr: {manual: true}
"""


def at(text: str, place: str) -> str:
    """The text with the cursor in the place that is written with the cursor in it."""
    plain = place.replace(CURSOR, "")
    assert text.count(plain) == 1, plain
    return text.replace(plain, place)


@pytest.mark.parametrize(
    ("place", "definition"),
    [
        ('depends-on = ["li▮nt"]', "[tasks.«lint»]"),
        ('depends-on = ["buil▮d", "test"]', "[tasks.web.«build»]"),
        ('["web.bui▮ld", ', "[tasks.web.«build»]"),
        ('["we▮b.build", ', "[tasks.web.«default»]"),
        ('["▮web", ', "[tasks.web.«default»]"),
        ("'test-d▮ata[os=linux]'", "[tasks.«test-data»]"),
        ('outputs-of = "▮build"', "[tasks.web.«build»]"),
        ('["▮source", "!all"]', 'source» = ["src/**"]'),
        ('"!al▮l"]', 'all» = ["source", "!docs/**"]'),
        ('all = ["sour▮ce"', 'source» = ["src/**"]'),
        ('trigger = ["p▮r"]', "[triggers.«pr»]"),
        ('needs = ["verify▮"]', "[jobs.«verify»]"),
        ('execution = "c▮i"', "[execution.«ci»]"),
        ('sandbox = "b▮ox"', "[sandboxes.«box».local]"),
        ('pool = "d▮b"', "«db» = 1"),
        ('"t▮eam:read"', "[cache.stores.«team».file]"),
        ('default = "tea▮m"', "[cache.stores.«team».file]"),
        ('agent = "cl▮aude"', "[agents.«claude»]"),
        ('"sh▮op:deploy"', "[sources.«shop»]"),
        ('[task-defaults."web.buil▮d"]', "[tasks.web.«build»]"),
        ("[tasks.web.▮build]", "[tasks.web.«build»]"),
        ('MODE = "▮x"', None),
        ('[jobs.deploy]\ntarget = "shop:dep▮loy"', None),
    ],
)
def test_a_name_leads_to_its_definition(place: str, definition: str | None, editor: Editor) -> None:
    found = editor.open(at(TOML, place)).definition()
    if definition is not None and not definition.startswith(("[", "«")):
        definition = f"«{definition}"
    assert found == definition


def test_a_name_leads_to_its_definition_in_yaml(editor: Editor) -> None:
    for place, definition in (
        ("depends-on: [li▮nt]", "«lint»:"),
        ("depends-on: [build, ▮test]", "«test»:"),
        ("- web.bu▮ild", "«build»:"),
        ('- "lin▮t"', "«lint»:"),
        ('inputs: [source, "!al▮l"]', 'all»: [source, "!docs/**"]'),
        ("trigger: [▮pr]", "«pr»: {manual: true}"),
        ("needs: [veri▮fy]", "«verify»:"),
        ("pool: d▮b", "pools: {«db»: 1}"),
        ("agent: cl▮aude", "«claude»: {command: [claude]}"),
    ):
        file = editor.open(at(YAML, place), f"{len(place)}/pipeline.yaml")
        found = file.definition()
        assert found is not None
        assert found.endswith(definition), place


def test_all_references_are_found(editor: Editor) -> None:
    file = editor.open(at(TOML, "[tasks.web.bu▮ild]"))
    assert file.references() == [
        '[task-defaults."web.«build»"]',
        'depends-on = ["«build»", "test"]',
        "[tasks.web.«build»]",
        "[tasks.web.«build».env]",
        "depends-on = [\"web.«build»\", 'test-data[os=linux]']",
        'inputs = [{ outputs-of = "«build»" }]',
    ]
    assert len(file.references(with_definition=False)) == 4
    file = editor.open(at(YAML, "source▮: ["), "pipeline.yaml")
    assert file.references() == [
        '«source»: ["src/**"]',
        'all: [«source», "!docs/**"]',
        'inputs: [«source», "!all"]',
    ]


@pytest.mark.parametrize(
    ("place", "new", "changes"),
    [
        ("[tasks.lin▮t]", "check", [("[tasks.lint]", "[tasks.check]"), ('["lint"]', '["check"]')]),
        (
            '["bu▮ild", "test"]',
            "make",
            [
                ('"web.build"', '"web.make"'),
                ('["build"', '["make"'),
                ("[tasks.web.build", "[tasks.web.make"),
                ('"build" }', '"make" }'),
            ],
        ),
        (
            '["we▮b", ',
            "site",
            [("[tasks.web.", "[tasks.site."), ('"web.', '"site.'), ('["web"', '["site"')],
        ),
        (
            "[tasks.test▮-data]",
            "data",
            [("[tasks.test-data", "[tasks.data"), ("'test-data[", "'data[")],
        ),
        ('["sour▮ce", "!docs', "code", [("source = ", "code = "), ('"source"', '"code"')]),
        ('"!a▮ll"]', "most", [("all = ", "most = "), ('"!all"', '"!most"')]),
        ("[jobs.ver▮ify]", "v", [("[jobs.verify]", "[jobs.v]"), ('["verify"]', '["v"]')]),
        ("[triggers.p▮r]", "pull", [("[triggers.pr]", "[triggers.pull]"), ('["pr"]', '["pull"]')]),
        ("d▮b = 1", "disk", [("db = 1", "disk = 1"), ('"db"', '"disk"')]),
        (
            '"▮team:read"',
            "crew",
            [(".team.", ".crew."), ('"team:read"', '"crew:read"'), ('"team"', '"crew"')],
        ),
        (
            "[agents.▮claude]",
            "a",
            [("[agents.claude]", "[agents.a]"), ('agent = "claude"', 'agent = "a"')],
        ),
        ("[execution.c▮i]", "x", [("[execution.ci]", "[execution.x]"), ('"ci"', '"x"')]),
        ("[sandboxes.b▮ox.", "y", [("[sandboxes.box", "[sandboxes.y"), ('"box"', '"y"')]),
        ("[sources.sho▮p]", "z", [("[sources.shop]", "[sources.z]"), ('"shop:', '"z:')]),
    ],
)
def test_a_rename_changes_every_place(
    place: str, new: str, changes: list[tuple[str, str]], editor: Editor
) -> None:
    expected = TOML
    for before, after in changes:
        expected = expected.replace(before, after)
    assert editor.open(at(TOML, place)).renamed(new) == expected


def test_a_rename_changes_every_place_in_yaml(editor: Editor) -> None:
    file = editor.open(at(YAML, "  li▮nt:\n"), "pipeline.yaml")
    expected = YAML.replace("  lint:\n", "  check:\n").replace("[lint]", "[check]")
    expected = expected.replace('"lint"', '"check"').replace("target: lint", "target: check")
    assert file.renamed("check") == expected
    file = editor.open(at(YAML, "[▮web, web"), "pipeline.yml")
    expected = YAML.replace("  web:\n", "  site:\n").replace("- web.", "- site.")
    assert file.renamed("site") == expected.replace("[web, web.", "[site, site.")


def test_a_name_with_quotes_and_escapes_is_renamed_whole(editor: Editor) -> None:
    text = '[tasks."a▮"]\nrun = "x"\n[jobs.v]\ntarget = ["\\u0061", \'a\', """a"""]\n'
    renamed = editor.open(text).renamed("b")
    assert renamed == '[tasks."b"]\nrun = "x"\n[jobs.v]\ntarget = ["b", \'b\', "b"]\n'


@pytest.mark.parametrize(
    ("place", "new", "reason"),
    [
        ("[tasks.lin▮t]", "a b", "`a b` cannot be a name"),
        ("[tasks.lin▮t]", "web", "there is a task `web` already"),
        ("[tasks.lin▮t]", "build", "with `build`, line 15 would mean something else"),
        ("[tasks.web.▮default]", "x", "`default` stands for its group: rename that"),
        ("[tasks.web.te▮st]", "run", "a task in a group cannot be called `run`"),
        ("[tasks.web.te▮st]", "index", "`index` would stand for its group"),
        ("[named-inputs]\nsour▮ce", "all", "there is a named input `all` already"),
        ("[jobs.ver▮ify]", "deploy", "already"),
    ],
)
def test_a_rename_that_would_change_a_meaning_is_refused(
    place: str, new: str, reason: str, editor: Editor
) -> None:
    with pytest.raises(ResponseError) as refusal:
        editor.open(at(TOML, place)).renamed(new)
    assert reason in str(refusal.value)
    assert refusal.value.code == -32803


def test_only_names_that_are_given_here_can_be_renamed(editor: Editor) -> None:
    file = editor.open('name = "app"\n[tasks.a]\ndepends-on = ["b▮"]\ncache = "file:read"\n')
    assert file.prepare_rename() is None
    assert file.renamed("c") is None
    file.cursor = file.text.index("file:")
    assert file.prepare_rename() is None
    file.cursor = file.text.index("a]")
    answer = file.prepare_rename()
    assert answer is not None
    assert answer["placeholder"] == file.underlined(answer["range"]) == "a"


def test_names_work_in_a_file_with_errors_and_other_alphabets(editor: Editor) -> None:
    text = (
        'name = "😀 é"\r\n[tasks.lint]\r\nrun = "ü\r\n[tasks.b]\r\n'
        'description = "😀"; depends-on = [\r\n[jobs.v]\r\ntarget = ["lin▮t"] # 😀\r\ncac\r\n'
    )
    file = editor.open(text)
    assert file.definition() == "[tasks.«lint»]"
    assert file.renamed("x") == text.replace(CURSOR, "").replace("lint", "x")
    text = (
        'name: "😀 é"\n# 😀\ntasks:\n  lint: {run: "😀"}\n  b:\n    inputs: [x\n    cac\n'
        'jobs:\n  v: {description: "😀", target: ▮lint}\n'
    )
    file = editor.open(text, "pipeline.yaml")
    assert file.definition() == '«lint»: {run: "😀"}'
    assert file.renamed("x") == text.replace(CURSOR, "").replace("lint", "x")


def test_members_have_names_of_their_own(editor: Editor) -> None:
    text = """\
name = "mono"
[workspace]
members = ["packages/*"]
[workspace.tasks.build]
depends-on = ["^build"]
[workspace.tasks.test]
depends-on = ["buil▮d"]
[tasks.build]
depends-on = ["*:build"]
"""
    file = editor.open(text)
    assert file.definition() == "[workspace.tasks.«build»]"
    assert file.references() == [
        "[workspace.tasks.«build»]",
        'depends-on = ["^«build»"]',
        'depends-on = ["«build»"]',
        'depends-on = ["*:«build»"]',
    ]


def test_names_that_are_looked_at_light_up(editor: Editor) -> None:
    file = editor.open(at(TOML, "[triggers.p▮r]"))
    answer = file._ask_here("documentHighlight")
    assert [(file.underlined(one["range"]), one["kind"]) for one in answer] == [
        ("pr", 2),
        ("pr", 3),
    ]
