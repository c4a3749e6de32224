"""What recipes, expressions and settings of a justfile become."""

import pytest

from tests.unit.importers.rig import findings_of, write_all


def just(importing, text, **more):
    return importing("just", {"justfile": text, **more})


def test_each_line_of_a_recipe_is_a_step(importing):
    text = (
        "# Build it\nbuild: gen\n  @cc a.c\n  -rm x \\\n    y\n  # no\n\n  echo {{{{x}}\n"
        "\n_gen:\n gen\ngen: _gen\n"
    )
    result = just(importing, text)
    assert result.task("build") == {
        "description": "Build it",
        "depends-on": ["gen"],
        "run": ["cc a.c", "(rm x y) || true", "echo {{x}}"],
    }
    assert result.edges["gen"] == ["_gen"]
    assert any("private recipe `_gen`" in note for note in result.notes("approximated"))


@pytest.mark.parametrize(
    ("definition", "expression", "command"),
    [
        ("x := 'a'", "x", "a"),
        ('x := "a\\tb"', "x", "a\tb"),
        ("x := 'a' + 'b' / 'c'", "x", "ab/c"),
        ("x := `date`", "x", "$(date)"),
        ("", "env_var('HOME')", "${HOME:-}"),
        ("", "env('A', 'b')", "${A:-b}"),
        ("", "uppercase('a') + replace('aba', 'b', 'c')", "Aaca"),
        ("x := '1'", "if x == '1' { 'yes' } else { 'no' }", "yes"),
        ("x := ('a' + ('b'))", "x", "ab"),
        ("", "justfile_directory() / 'x'", "${PIPEC_ROOT}/x"),
    ],
)
def test_expressions_are_filled_in(importing, definition, expression, command):
    result = just(importing, f"{definition}\nt:\n  echo {{{{ {expression} }}}}\n")
    assert result.task("t")["run"] == f"echo {command}"


@pytest.mark.parametrize(
    "expression", ["os()", "x", "shell('date')", "if 'a' =~ 'b' {'c'} else {'d'}"]
)
def test_what_only_just_can_evaluate_is_left_to_just(importing, expression):
    result = just(importing, f"t: u\n  echo {{{{{expression}}}}}\nu:\n  echo\n")
    assert result.task("t") == {"run": "just t"}


def test_parameters_are_those_of_a_job(importing):
    result = just(importing, "deploy env tag='latest' *rest:\n  ship {{env}} '{{tag}}' {{rest}}\n")
    assert result.values["jobs"]["deploy"] == {
        "target": "deploy",
        "params": {
            "env": "string",
            "tag": {"type": "string", "default": "latest"},
            "rest": {"type": "string", "default": ""},
        },
    }
    task = result.task("deploy")
    assert task["env-inputs"] == ["PIPEC_PARAM_ENV", "PIPEC_PARAM_TAG", "PIPEC_PARAM_REST"]
    assert task["run"] == (
        "ship ${PIPEC_PARAM_ENV:?} ''\"${PIPEC_PARAM_TAG:-latest}\"'' ${PIPEC_PARAM_REST:-}"
    )


def test_a_dependency_with_arguments_is_a_task_of_its_own(importing):
    text = (
        "all: (build 'x86' 'fast') (build 'arm')\nbuild arch mode='slow':\n  cc {{arch}} {{mode}}\n"
    )
    result = just(importing, text)
    assert result.edges["all"] == ["build-arm", "build-x86-fast"]
    assert result.task("build-x86-fast")["run"] == "cc x86 fast"
    assert result.task("build-arm")["run"] == "cc arm slow"


def test_what_comes_after_a_recipe_stands_at_its_end(importing):
    result = just(importing, "a: && b\n  one\nb: c\n  two\nc:\n  three\n")
    assert result.task("a") == {
        "depends-on": ["c"],
        "run": ["one", "two"],
    }


def test_recipes_by_platform(importing):
    result = just(
        importing, "[linux]\nx:\n  apt\n[macos, group('g')]\nx:\n  brew\n[unix]\ny:\n  z\n"
    )
    assert result.edges["x"] == ["x-linux", "x-macos"]
    assert result.task("x-macos")["platforms"] == ["macos"]
    assert result.task("y")["platforms"] == ["linux", "macos"]
    assert any("`[group]`" in note for note in result.notes("dropped"))


def test_scripts_go_to_their_interpreter(importing):
    text = (
        "p:\n  #!/usr/bin/env python3\n  if 1:\n    print('x')\n\n"
        "b:\n  #!/bin/bash\n  set -e\n  echo {{env('A')}}\n\nr:\n"
        "  #!/usr/bin/env -S cargo run\n  x\n"
    )
    result = just(importing, text)
    assert result.task("p") == {"shell": ["python3", "-c"], "run": "if 1:\n  print('x')"}
    assert result.task("b") == {"shell": "bash", "run": "set -e\necho ${A:-}"}
    assert result.task("r") == {"run": "just r"}


def test_settings_and_variables_of_the_whole_file(importing):
    text = (
        "set dotenv-load\nset shell := ['bash', '-uc']\nset quiet := true\nexport A := 'b'\n"
        "alias t := test\ntest $x='1':\n  echo $x\n"
    )
    result = just(importing, text)
    assert result.values["env-files"] == [{"path": ".env", "optional": True}]
    assert result.values["env"] == {"A": "b"}
    assert result.values["jobs"]["t"]["target"] == "test"
    assert result.task("test")["shell"] == ["bash", "-uc"]
    assert result.task("test")["run"] == 'export x="${PIPEC_PARAM_X:-1}"\necho $x'
    assert any("`quiet`" in note for note in result.notes("dropped"))


def test_modules_are_groups_and_imports_are_not(importing):
    files = {
        "more.just": "here:\n  echo\n",
        "docs/mod.just": "site: lint\n  mk\nlint:\n  l\n",
    }
    text = "import 'more.just'\nimport? 'no.just'\nmod docs\nall: docs::site here\n"
    result = just(importing, text, **files)
    assert result.edges == {
        "all": ["docs.site", "here"],
        "here": [],
        "docs.site": ["docs.lint"],
        "docs.lint": [],
    }
    assert result.task("docs.site")["cwd"] == "docs"


@pytest.mark.parametrize(
    ("text", "finding"),
    [
        ("t:\n  x\nwhat is this\n", "(19, 19): `justfile` is not a justfile: expected `:`"),
        ("x := 'a\n", "(5, 5): `justfile` is not a justfile: a text or command does not end"),
        ("  echo\n", "(0, 0): `justfile` is not a justfile: an indented line"),
        ("t: (a\n", "`justfile` is not a justfile: expected a name"),
    ],
)
def test_a_file_that_just_could_not_read(tmp_path, text, finding):
    write_all(tmp_path, {"justfile": text})
    assert finding in findings_of(tmp_path, "just")[0]


def test_all_mistakes_are_found_at_once(tmp_path):
    write_all(tmp_path, {"justfile": "x := \nt:\n  echo\ny := (\nu ;\n"})
    assert len(findings_of(tmp_path, "just")) >= 2
