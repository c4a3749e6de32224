"""What targets, variables and conditionals of a Makefile become."""

import pytest

from tests.unit.importers.rig import findings_of, write_all


def make(importing, text, **more):
    return importing("make", {"Makefile": text, **more})


def test_a_phony_target_is_a_task_that_is_not_cached(importing):
    result = make(
        importing, ".PHONY: test\ntest: lint\n\t@pytest -q\n\t-rm -f x\nlint:\n\truff check\n"
    )
    assert result.edges == {"lint": [], "test": ["lint"]}
    assert result.task("test")["run"] == ["pytest -q", "(rm -f x) || true"]
    assert "cache" not in result.task("test")
    assert result.values["jobs"]["default"]["target"] == "test"


def test_a_file_made_of_others_is_cached(importing):
    text = (
        "app: src/a.c lib.o | dir\n\tcc -o $@ $^\nlib.o: lib.c\n\tcc -c $< -o $@\ndir:\n"
        "\tmkdir dir\n"
    )
    result = make(importing, text, **{"src/a.c": "", "lib.c": ""})
    assert result.task("app") == {
        "depends-on": ["lib-o", "dir"],
        "inputs": ["src/a.c"],
        "outputs": [{"glob": "app", "optional": True}],
        "cache": True,
        "run": "cc -o app src/a.c lib.o",
    }
    assert "cache" not in result.task("dir")


def test_a_name_that_is_no_file_is_not_cached(importing):
    result = make(importing, "test: a.c\n\tpytest\n", **{"a.c": ""})
    assert "cache" not in result.task("test")
    assert any("not `.PHONY`" in note for note in result.notes("approximated"))


def test_pattern_rules_make_what_is_needed(importing):
    text = (
        "OBJ := $(patsubst src/%.c,out/%.o,$(wildcard src/*.c))\nall: $(OBJ)\n"
        "out/%.o: src/%.c\n\tcc -c $< -o $@ # $*\n%.html: %.md\n\tmd $<\n"
    )
    result = make(importing, text, **{"src/a.c": "", "src/b.c": ""})
    assert result.edges["all"] == ["out-a-o", "out-b-o"]
    assert result.task("out-a-o")["run"] == "cc -c src/a.c -o out/a.o # a"
    assert any("`%.html`" in note for note in result.notes("dropped"))


def test_static_pattern_rules_and_several_targets(importing):
    text = "a.x b.x: %.x: %.y\n\tgen $< $@\none two: a.x\n\techo $@\n"
    result = make(importing, text, **{"a.y": "", "b.y": ""})
    assert result.task("b-x")["run"] == "gen b.y b.x"
    assert result.edges["two"] == ["a-x"]


@pytest.mark.parametrize(
    ("definition", "command"),
    [
        ("X = a", "echo a"),
        ("X := a\nX += b", "echo a b"),
        ("X ?= a", "echo ${X:-a}"),
        ("", "echo ${X:-}"),
        ("X = $(shell date)", "echo $(date)"),
        ("X != date", "echo $(date)"),
        ("Y = a.c b.c\nX = $(Y:.c=.o)", "echo a.o b.o"),
        ("X = $(addprefix d/,$(notdir a/b c))", "echo d/b d/c"),
        ("f = <$(1)>\nX = $(call f,q)", "echo <q>"),
        ("X = $(foreach i,a b,$(i).c)", "echo a.c b.c"),
        ("X = $(if $(Z),yes,no)\nZ=1", "echo yes"),
        ("X = $(filter-out b,a b c) $(firstword p q) $(words a b)", "echo a c p 2"),
        ("define X\none\nendef", "echo one"),
        ("t: X = own", "echo own"),
        ("X = $$HOME", "echo $HOME"),
        ("X = a # comment", "echo a"),
        ("X = $(CC) $(MAKE)", "echo ${CC:-cc} make"),
        ("X := a\nY := $(X)\nX := b$(Y)", "echo ba"),
        ("X := $(HOME)\nX += b", "echo ${HOME:-} b"),
    ],
)
def test_variables_are_filled_in(importing, definition, command):
    result = make(importing, f"{definition}\nt:\n\techo $(X)\n")
    assert result.task("t")["run"] == command


def test_shell_in_single_quotes_is_taken_out_of_them(importing):
    result = make(importing, "V := $(shell git describe)\nt:\n\techo '$(V)' \"$(V)\"\n")
    assert result.task("t")["run"] == "echo ''\"$(git describe)\"'' \"$(git describe)\""


def test_what_a_command_prints_decides_about_a_cached_file(importing):
    text = "V = $(shell date)\nP ?= x\nout.txt: in.txt\n\techo $(V) $(P) > $@\n"
    task = make(importing, text, **{"in.txt": ""}).task("out-txt")
    assert task["inputs"] == ["in.txt", {"command": "date || true"}]
    assert task["env-inputs"] == ["P"]


@pytest.mark.parametrize(
    ("condition", "branch"),
    [
        ("ifeq ($(A),1)", "yes"),
        ("ifneq ($(A),1)", "no"),
        ("ifdef A", "yes"),
        ("ifndef A", "no"),
        ('ifeq "$(A)" "1"', "yes"),
        ("ifeq ($(OS),Windows_NT)", "no"),
    ],
)
def test_conditions_are_decided_and_said(importing, condition, branch):
    text = (
        f"A = 1\n{condition}\nX = yes\nelse ifdef NOBODY\nX = what\nelse\nX = no\nendif\n"
        f"t:\n\techo $(X)\n"
    )
    result = make(importing, text)
    assert result.task("t")["run"] == f"echo {branch}"
    assert any(condition in note for note in result.notes("approximated"))


def test_included_files_are_read(importing):
    text = "include mk/*.mk\n-include nothing.mk\ninclude missing.mk\nt: u\n"
    result = make(importing, text, **{"mk/a.mk": "u:\n\techo u\n"})
    assert result.edges == {"t": ["u"], "u": []}
    assert [note for note in result.notes("dropped") if "missing.mk" in note]
    assert not [note for note in result.notes("dropped") if "nothing.mk" in note]


def test_what_only_make_can_expand_is_left_to_make(importing):
    result = make(importing, "t: u\n\techo $(abspath x)\nu:\n\techo u\n")
    assert result.task("t") == {"run": "make t"}
    assert any("it is left to make" in note for note in result.notes("approximated"))


def test_settings_of_the_whole_file(importing):
    text = "SHELL := /bin/bash\n.NOTPARALLEL:\n.ONESHELL:\nexport A = 1\nt: ## Say\n\tcd x\n\tpwd\n"
    result = make(importing, text)
    assert result.values["env"] == {"A": "1"}
    assert result.values["pools"] == {"make": 1}
    assert result.task("t") == {
        "description": "Say",
        "shell": "bash",
        "run": "cd x\npwd",
        "pool": "make",
    }


def test_exported_variables_that_ask_the_shell_are_exported_by_each_step(importing):
    text = "PATH := bin:$(PATH)\nexport V = $(shell date)\nt:\n\tone\n\ttwo\n"
    exports = 'export PATH="bin:${PATH:-}"\nexport V="$(date)"\n'
    assert make(importing, text).task("t")["run"] == [f"{exports}one", f"{exports}two"]


def test_messages_of_make_are_not_printed_and_that_is_said(importing):
    result = make(importing, "t:\n\t$(info *** building ***)\n\tcc a.c\n")
    assert result.task("t") == {"run": "cc a.c"}
    assert any("a message of make" in note for note in result.notes("dropped"))


def test_the_last_recipe_of_a_target_counts(importing):
    assert make(importing, "t: a\n\tone\nt: b\n\ttwo\na b:\n\tx\n").task("t") == {
        "depends-on": ["a", "b"],
        "run": "two",
    }


def test_nothing_is_executed(importing, tmp_path):
    text = f"X := $(shell touch {tmp_path}/ran)\nY != touch {tmp_path}/ran\nt:\n\techo $(X)$(Y)\n"
    make(importing, text)
    assert not (tmp_path / "ran").exists()


@pytest.mark.parametrize(
    ("text", "finding"),
    [
        ("t:\n    echo\n", "(7, 7): `Makefile` is not a Makefile: this line is no rule"),
        ("\techo\nt:\n", "(1, 1): `Makefile` is not a Makefile: a recipe before the first target"),
        ("ifdef X\nt:\n", "(0, 0): `Makefile` is not a Makefile: this condition does not end"),
        ("endif\nt:\n", "(0, 0): `Makefile` is not a Makefile: `endif` without a condition"),
        ("define X\nt:\n", "(0, 0): `Makefile` is not a Makefile: this `define` does not end"),
    ],
)
def test_a_file_that_make_could_not_read(tmp_path, text, finding):
    write_all(tmp_path, {"Makefile": text})
    assert finding in findings_of(tmp_path, "make")[0]
