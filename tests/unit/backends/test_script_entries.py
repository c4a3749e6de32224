"""Where scripts go in the files of each runner: the whole text is compared."""

import textwrap

import pytest

from pipec.backends.scripts.deno import Deno
from pipec.backends.scripts.just import Just
from pipec.backends.scripts.make import Make
from pipec.backends.scripts.package import Package
from pipec.backends.scripts.pixi import PixiManifest
from pipec.backends.scripts.poe import Poe
from pipec.backends.scripts.port import Runner, UnsuitableError

ONE = {"ci:a": "pipec run a"}
TWO = {"ci:a": "pipec run a", "ci:b": 'pipec run "b"'}


def in_and_out(runner: Runner, before: str, *, wanted: dict[str, str] = ONE) -> str:
    """The text with the scripts; taking them out again gives the text before."""
    edited = runner.edit(before, wanted=wanted, owned=(), made=())
    again = runner.edit(edited.text, wanted=wanted, owned=tuple(wanted), made=edited.made)
    assert again == edited
    out = runner.edit(edited.text, wanted={}, owned=tuple(wanted), made=edited.made)
    assert out.text == before
    return edited.text


PACKAGES = {
    "members": (
        '{\n  "name": "x",\n  "scripts": {\n    "t": "v"\n  }\n}\n',
        '{\n  "name": "x",\n  "scripts": {\n    "t": "v",\n    "ci:a": "pipec run a"\n  }\n}\n',
    ),
    "no scripts": (
        '{\n\t"name": "x"\n}',
        '{\n\t"name": "x",\n\t"scripts": {\n\t\t"ci:a": "pipec run a"\n\t}\n}',
    ),
    "empty scripts": (
        '{\r\n    "scripts": { }\r\n}\r\n',
        '{\r\n    "scripts": {\r\n        "ci:a": "pipec run a"\r\n    }\r\n}\r\n',
    ),
    "an empty file": ("{}", '{\n  "scripts": {\n    "ci:a": "pipec run a"\n  }\n}'),
    "minified": (
        '{"name":"x","scripts":{"t":"v"}}',
        '{"name":"x","scripts":{"t":"v","ci:a":"pipec run a"}}',
    ),
    "minified, no scripts": ('{"name":"x"}', '{"name":"x","scripts":{"ci:a":"pipec run a"}}'),
    "scripts on one line": (
        '{\n  "scripts": { "t": "v" }\n}\n',
        '{\n  "scripts": { "t": "v", "ci:a": "pipec run a" }\n}\n',
    ),
}


@pytest.mark.parametrize(("before", "after"), PACKAGES.values(), ids=PACKAGES)
def test_a_package_json_gets_a_script(before: str, after: str) -> None:
    assert in_and_out(Package(), before) == after


DENO = {
    "a comment beside the last": (
        '{\n  "tasks": {\n    "t": "v" // why\n  }\n}\n',
        '{\n  "tasks": {\n    "t": "v", // why\n    "ci:a": "pipec run a"\n  }\n}\n',
    ),
    "a trailing comma": (
        '{\n  "tasks": {\n    "t": "v", // why\n  },\n}\n',
        '{\n  "tasks": {\n    "t": "v", // why\n    "ci:a": "pipec run a",\n  },\n}\n',
    ),
    "only a comment": (
        '{\n  // top\n  "tasks": {\n    // none yet\n  }\n}\n',
        '{\n  // top\n  "tasks": {\n    "ci:a": "pipec run a"\n    // none yet\n  }\n}\n',
    ),
    "a task that is a table": (
        '{\n  "tasks": {\n    "t": { "command": "x", "dependencies": ["y"] }\n  }\n}\n',
        (
            '{\n  "tasks": {\n    "t": { "command": "x", "dependencies": ["y"] },\n'
            '    "ci:a": "pipec run a"\n  }\n}\n'
        ),
    ),
}


@pytest.mark.parametrize(("before", "after"), DENO.values(), ids=DENO)
def test_a_deno_json_gets_a_task_and_keeps_its_comments(before: str, after: str) -> None:
    assert in_and_out(Deno(), before) == after


HEADER = '[tool.poe.tasks]\n"ci:a" = "pipec run a"\n'
POE = {
    "a table with entries": (
        '[tool.poe.tasks]\nt = "v" # why\n\n[tool.other]\nx = 1\n',
        '[tool.poe.tasks]\nt = "v" # why\n"ci:a" = "pipec run a"\n\n[tool.other]\nx = 1\n',
    ),
    "an empty table": ("[tool.poe.tasks]\n# none\n", HEADER + "# none\n"),
    "no table": ('[project]\nname = "x"\n', '[project]\nname = "x"\n\n' + HEADER),
    "no table and no last line break": (
        '[project]\nname = "x"',
        '[project]\nname = "x"\n\n' + HEADER.rstrip("\n"),
    ),
    "a blank last line": ("[project]\n\n", "[project]\n\n" + HEADER),
    "an empty file": ("", HEADER),
    "tables of tasks": (
        '[tool.poe.tasks.t]\ncmd = "v"\n',
        '[tool.poe.tasks.t]\ncmd = "v"\n\n' + HEADER,
    ),
    "a table and tables of tasks": (
        '[tool.poe.tasks]\nt.cmd = "v"\n[tool.poe.tasks.u]\ncmd = """\n[x]\n"""\n',
        (
            '[tool.poe.tasks]\nt.cmd = "v"\n"ci:a" = "pipec run a"\n'
            '[tool.poe.tasks.u]\ncmd = """\n[x]\n"""\n'
        ),
    ),
    "dotted keys": (
        '[tool.poe]\n  tasks.t = "v"\nenv.A = "b"\n',
        '[tool.poe]\n  tasks.t = "v"\n  tasks."ci:a" = "pipec run a"\nenv.A = "b"\n',
    ),
    "braces": (
        '[tool.poe]\ntasks = { t = "v" } # why\n',
        '[tool.poe]\ntasks = { t = "v", "ci:a" = "pipec run a" } # why\n',
    ),
    "empty braces": (
        "[tool.poe]\ntasks = {}\n",
        '[tool.poe]\ntasks = { "ci:a" = "pipec run a" }\n',
    ),
    "other line ends": (
        '[tool.poe.tasks]\r\nt = "v"\r\n',
        '[tool.poe.tasks]\r\nt = "v"\r\n"ci:a" = "pipec run a"\r\n',
    ),
    "more than ASCII": (
        '[tool.poe.tasks]\n"größe" = "→"\n# ü\n',
        '[tool.poe.tasks]\n"größe" = "→"\n"ci:a" = "pipec run a"\n# ü\n',
    ),
}


@pytest.mark.parametrize(("before", "after"), POE.values(), ids=POE)
def test_a_pyproject_gets_a_task(before: str, after: str) -> None:
    assert in_and_out(Poe(), before) == after


def test_a_pixi_manifest_gets_a_task() -> None:
    after = in_and_out(PixiManifest(), '[project]\nname = "x"\n\n[tasks]\nt = "v"\n')
    assert after == '[project]\nname = "x"\n\n[tasks]\nt = "v"\n"ci:a" = "pipec run a"\n'


@pytest.mark.parametrize(
    ("runner", "line"), [(Make(), "include pipec.mk"), (Just(), "import 'pipec.just'")]
)
@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("a:\n\tb\n", "a:\n\tb\n{}\n"),
        ("a:\n\tb", "a:\n\tb\n{}"),
        ("", "{}\n"),
        ("a:\r\n", "a:\r\n{}\r\n"),
    ],
)
def test_a_makefile_or_justfile_gets_a_line(
    runner: Runner, line: str, before: str, after: str
) -> None:
    assert in_and_out(runner, before) == after.format(line)


@pytest.mark.parametrize(
    ("runner", "before"),
    [
        (Make(), "-include extra.mk pipec.mk\nall:\n"),
        (Make(), "include pipec.mk\nall:\n"),
        (Just(), 'import? "./pipec.just"\nall:\n'),
    ],
)
def test_a_line_that_its_author_wrote_is_left_alone(runner: Runner, before: str) -> None:
    assert in_and_out(runner, before) == before


def test_make_and_just_read_a_command_as_it_is_meant() -> None:
    command = {"ci-x": "pipec run x --param a=$HOME{{b}}"}
    make, just = Make().companion, Just().companion
    assert make is not None
    assert just is not None
    assert "\tpipec run x --param a=$$HOME{{b}}\n" in make.render(command)
    assert "    pipec run x --param a=$HOME{{{{b}}\n" in just.render(command)


@pytest.mark.parametrize(
    ("runner", "text", "present"),
    [
        (Make(), "x ci-a y: z\n", True),
        (Make(), "ci-a::\n", True),
        (Make(), "ci-a := 1\nnot-ci-a: x\n\tci-a:\n", False),
        (Just(), "ci-a arg='1':\n", True),
        (Just(), "@ci-a:\n", True),
        (Just(), "alias ci-a := other\n", True),
        (Just(), "ci-a := '1'\nother: ci-a\n", False),
    ],
)
def test_a_rule_of_the_same_name_is_seen(runner: Runner, text: str, *, present: bool) -> None:
    assert list(runner.entries(text, ["ci-a"])) == (["ci-a"] if present else [])


def test_a_new_script_comes_where_a_fresh_file_has_it() -> None:
    three = {"ci:a": "1", "ci:b": "2", "ci:c": "3"}
    for runner, before in (
        (Package(), '{\n  "scripts": {\n    "t": "v"\n  }\n}\n'),
        (Poe(), '[tool.poe.tasks]\nt = "v"\n'),
        (Poe(), '[tool.poe]\ntasks.t = "v"\n'),
    ):
        fresh = runner.edit(before, wanted=three, owned=(), made=()).text
        for missing in three:
            fewer = {name: value for name, value in three.items() if name != missing}
            text = runner.edit(before, wanted=fewer, owned=(), made=()).text
            assert runner.edit(text, wanted=three, owned=tuple(fewer), made=()).text == fresh


def test_a_command_that_changed_is_replaced_in_place() -> None:
    before = '{"scripts": {"ci:a": "old", "t": "v"}}'
    edited = Package().edit(before, wanted=TWO, owned=("ci:a",), made=())
    assert edited.text == (
        '{"scripts": {"ci:a": "pipec run a", "ci:b": "pipec run \\"b\\"", "t": "v"}}'
    )


@pytest.mark.parametrize(
    ("runner", "text", "why"),
    [
        (Package(), "[]", "holds no JSON object"),
        (Package(), '{"scripts": []}', "has something else than an object in `scripts`"),
        (Package(), '{"a": 1, "a": 2}', "is not JSON: the key `a` is there twice"),
        (Package(), "{\"a\": 'b'}", "is not JSON: line 1: Expecting value"),
        (
            Package(),
            "{,}",
            "is not JSON: line 1: Expecting property name enclosed in double quotes",
        ),
        (Package(), '{"a": 1 /* b }', "is not JSON: line 1: there is something that is no JSON"),
        (Package(), "[" * 600, "is not JSON: it is nested too deeply"),
        (Poe(), "a = ", "is not TOML: Invalid value (at end of document)"),
        (Poe(), "tool = 1", "has something else than a table in `tool`"),
        (Poe(), "tool = { poe = {} }", "has `tool` in braces: write it as a table `[tool]`"),
    ],
)
def test_what_cannot_be_edited_is_refused(runner: Runner, text: str, why: str) -> None:
    with pytest.raises(UnsuitableError) as refusal:
        runner.edit(text, wanted=ONE, owned=(), made=())
    assert str(refusal.value).startswith(why)


def test_what_was_added_below_survives_taking_the_section_out() -> None:
    edited = Poe().edit('[project]\nname = "x"', wanted=ONE, owned=(), made=())
    text = edited.text + "\n[tool.mine]\nx = 1\n"
    out = Poe().edit(text, wanted={}, owned=tuple(ONE), made=edited.made).text
    assert out == '[project]\nname = "x"\n[tool.mine]\nx = 1\n'


def test_scripts_of_somebody_else_stay_in_what_pipec_made() -> None:
    edited = Package().edit("{}", wanted=ONE, owned=(), made=())
    text = edited.text.replace('"pipec run a"', '"pipec run a",\n    "mine": "x"')
    out = Package().edit(text, wanted={}, owned=tuple(ONE), made=edited.made).text
    assert out == textwrap.dedent(
        """\
        {
          "scripts": {
            "mine": "x"
          }
        }"""
    )
