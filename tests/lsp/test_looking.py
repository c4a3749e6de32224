"""Hover, symbols and formatting: what one sees of a file."""

from collections.abc import Callable, Mapping

from inline_snapshot import snapshot

from tests.conftest import DIGEST
from tests.lsp.editor import CURSOR, Editor

PIPELINE = """\
name = "app"

[named-inputs]
source = ["src/**", "!src/**/*.md"]

[tasks.gen]
inputs = []
run = "true"

[tasks.build]
description = "Bundles the app"
depends-on = ["gen"]
inputs = ["source", "conf/*.json"]
outputs = []
cache = true
run = "true"

[jobs.verify]
target = "build"
"""


def test_a_key_says_what_it_is_for(editor: Editor) -> None:
    file = editor.open(PIPELINE.replace("outputs = []", "out▮puts = []"))
    assert file.hover() == snapshot("""\
**outputs**: Files that the task owns.

*a list*

```toml
outputs = ["dist/**", { glob = "coverage/**", optional = true }]
```\
""")
    file = editor.open("name: app\ntasks:\n  a:\n    shel▮l: bash\n    run: x\n", "pipeline.yaml")
    assert file.hover() == snapshot("""\
**shell**: The shell of its commands; `sh` and `bash` end a command at its first failing line.

*`sh` or `bash` or `pwsh` or `cmd` or a list*

Default: `"sh"`

```yaml
shell: bash
```\
""")


def test_a_task_says_its_inputs_and_what_a_run_would_do(
    editor: Editor, written: Callable[[Mapping[str, str]], None]
) -> None:
    written(dict.fromkeys(("src/a.ts", "src/b.ts", "src/c.md", "conf/x.json"), "x"))
    for name, text in (
        ("pipeline.toml", PIPELINE.replace("[tasks.build]", "[tasks.bui▮ld]")),
        ("pipec.toml", PIPELINE.replace('target = "build"', 'target = "▮build"')),
    ):
        said = editor.open(text, name).hover()
        assert said is not None
        assert DIGEST.sub("<digest>", said) == snapshot("""\
**build**: task

Bundles the app

Depends on `gen`

Inputs: 3 files

- `source`: 2 files
- `conf/*.json`: 1 file

Now: may run: depends on gen, which is not cached\
""")
    text = (
        "name: app\nnamed-inputs:\n  source: [src/**]\ntasks:\n"
        "  build▮:\n    inputs: [source]\n    cache: true\n    outputs: []\n    run: x\n"
    )
    said = editor.open(text, "pipeline.yaml").hover()
    assert said is not None
    assert "Inputs: 3 files\n\n- `source`: 3 files" in said


def test_what_is_hovered_over_is_the_buffer_on_the_files_as_they_are(
    editor: Editor, written: Callable[[Mapping[str, str]], None]
) -> None:
    file = editor.open(PIPELINE.replace('"conf/*.json"', '"conf/▮*.json"'))
    assert file.hover() == "`conf/*.json` selects 0 files"
    written({"conf/x.json": "x", "conf/y.json": "y"})
    assert file.hover() == "`conf/*.json` selects 2 files"
    file.replace(file.cursor, file.cursor, "x")
    assert file.hover() == "`conf/x*.json` selects 1 file"


def test_names_say_what_they_stand_for(editor: Editor) -> None:
    file = editor.open(PIPELINE.replace('["source"', '["sou▮rce"'))
    assert file.hover() == snapshot("""\
**source**: named input

```toml
["src/**", "!src/**/*.md"]
```\
""")
    file = editor.open(PIPELINE.replace("[jobs.verify]", "[jobs.v▮erify]"))
    assert file.hover() == snapshot("""\
**verify**: job

```toml
[jobs.verify]
target = "build"
```\
""")


def test_a_file_with_errors_says_what_can_be_said(editor: Editor) -> None:
    text = PIPELINE.replace("[tasks.build]", "[tasks.bui▮ld]").replace("cache = true", "cache =")
    assert editor.open(text).hover() == snapshot("""\
**build**: task

Bundles the app

Depends on `gen`

The file has errors: inputs and key are known without them.\
""")
    assert editor.open(f"{CURSOR}\n[").hover() is None
    assert editor.open(f"name = 'x' {CURSOR} # y").hover() is None


def test_symbols_are_the_sections_and_what_is_in_them(editor: Editor) -> None:
    text = """\
name = "app"

[tasks.lint]
run = "x"

[tasks.web.build]
run = "y"

[tasks.web.build.env]
A = "b"

[jobs.verify]
target = "lint"

[tasks.web.test]
run = "z"

[task-defaults."web.test"]
cache = true

[triggers]
pr = { manual = true }

[cache.stores.team.file]
"""
    expected = [
        "name",
        {"tasks": ["lint", {"web": ["build", "test"]}]},
        {"jobs": ["verify"]},
        {"task-defaults": ["web.test"]},
        {"triggers": ["pr"]},
        {"cache": [{"stores": ["team"]}]},
    ]
    assert editor.open(text).symbols() == expected
    assert editor.open(text + "[tasks.\ncac\n[jobs.w\ntarget = [").symbols()[2] == {
        "jobs": ["verify", "w"]
    }
    yaml = (
        "name: app\ntasks:\n  lint: {run: x}\n  web:\n    build: {run: y}\n    test: {run: z}\n"
        "jobs:\n  v:\n    target: [\n"
    )
    assert editor.open(yaml, "pipeline.yaml").symbols() == [
        "name",
        {"tasks": ["lint", {"web": ["build", "test"]}]},
        {"jobs": ["v"]},
    ]


UNTIDY = """\
name="app"
# the build
[tasks.build]
run="x"
description = "B"


# the test
[tasks.test]
run="y"   # why
inputs=[ "a",  "b" ]
"""


def test_formatting_is_what_fmt_does(editor: Editor) -> None:
    file = editor.open(UNTIDY)
    assert file.formatted() == snapshot("""\
name = "app"

# the build
[tasks.build]
description = "B"
run = "x"

# the test
[tasks.test]
inputs = ["a", "b"]
run = "y"   # why
""")
    assert editor.open(file.formatted(), "b/pipeline.toml").formatted() == file.formatted()
    crlf = editor.open(UNTIDY.replace("\n", "\r\n"), "c/pipeline.toml")
    assert crlf.formatted() == file.formatted().replace("\n", "\r\n")


def test_a_range_lays_out_the_tables_that_it_touches(editor: Editor) -> None:
    broken = UNTIDY + "\n[tasks.\ncac\n"
    file = editor.open(broken)
    place = broken.index("description")
    build = '# the build\n[tasks.build]\ndescription = "B"\nrun = "x"\n'
    first = broken.replace('# the build\n[tasks.build]\nrun="x"\ndescription = "B"\n', build)
    assert file.formatted(place, place) == first
    place = broken.index("inputs=")
    test = '# the test\n[tasks.test]\ninputs = ["a", "b"]\nrun = "y"   # why\n'
    old = '# the test\n[tasks.test]\nrun="y"   # why\ninputs=[ "a",  "b" ]\n'
    assert file.formatted(place, place + 3) == broken.replace(old, test)
    assert file.formatted(broken.index("run"), place) == first.replace(
        "\n\n\n# the test", "\n\n# the test"
    ).replace(old, test)
    # The whole of a file with syntax errors has no layout, nor has the broken table.
    assert file.formatted() == broken
    assert file.formatted(len(broken), len(broken)) == broken


def test_yaml_is_not_laid_out(editor: Editor) -> None:
    text = "jobs: {}\nname:   app\n"
    file = editor.open(text, "pipeline.yaml")
    assert file.formatted() == text
    assert file.formatted(0, len(text)) == text
