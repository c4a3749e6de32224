"""Whatever the values of `sh` are, the shell takes each as it is, and nothing else."""

import subprocess

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipec import sh
from pipec.steps.shell import quote_powershell
from tests.property.effort import laws

WORDS = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=20)
NASTY = st.text("'\"\\$`!*?[]{}()<>|&;#~ \t\n\r=%^-aé", max_size=12)
SHELL = "/bin/sh"


def words_of(command: str) -> list[str]:
    """The arguments that a shell gives to a program, read off NUL by NUL."""
    done = subprocess.run([SHELL, "-c", command], capture_output=True, check=True)
    assert done.stderr == b""
    return done.stdout.decode().split("\0")[:-1]


@laws(60)
@given(st.lists(WORDS | NASTY, min_size=1, max_size=4))
def test_a_shell_gives_the_values_back(values):
    command = sh("printf '%s\\0' " + " ".join(["{}"] * len(values)), *values)
    assert words_of(command.command) == values


@laws(40)
@given(st.lists(NASTY, min_size=1, max_size=3), NASTY)
def test_a_list_is_as_many_words_and_a_value_can_be_part_of_one(values, part):
    command = sh("printf '%s\\0' --x={} {}; true $(printf '%s' {} | cat)", part, values, part)
    assert words_of(command.command) == [f"--x={part}", *values]


BREAKS_OUT = [
    f"{before}echo out > broke{after}"
    for before, after in (
        ("; ", ";"), ("' ; ", "; '"), ('" ; ', '; "'), ("\n", "\n"), ("$(", ")"), ("`", "`"),
        ("\\'; ", "; \\'"), ("')\n", "\n("), ("E\n", "\nE"), ("}\n", "\n{"),
    )
]  # fmt: skip


@laws(60)
@given(st.text("'\"\\$`#(){}<>|&; \nab{}E", max_size=16))
def test_where_a_value_is_taken_it_cannot_break_out(tmp_path, before):
    """Any text may stand before a value: either it is refused, or no value becomes a command."""
    for value in BREAKS_OUT:
        try:
            command = sh(f"true {before} {{}}", value).command
        except ValueError:
            return
        # No program is found: what comes of it can only come of the shell itself.
        subprocess.run(
            [SHELL, "-c", command],
            cwd=tmp_path,
            env={"PATH": "/nothing"},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            check=False,
        )
        assert not (tmp_path / "broke").exists(), command


@pytest.mark.parametrize(
    "command",
    [
        "echo '{}'",
        'echo "{}"',
        'echo "$(echo {})"',
        "echo `echo {}`",
        "echo ${}",
        "echo \\{}",
        "true # {}",
        "cat <<EOF\n{}\nEOF",
        "echo $(( {} ))",
        "echo $'{}'",
    ],
)
def test_a_value_where_quotes_would_not_hold_is_refused(command):
    with pytest.raises(ValueError, match="where it cannot be quoted"):
        sh(command, "x")


@pytest.mark.parametrize("value", [None, b"x", True, {"a": 1}, [["a"]]])
def test_only_what_is_plainly_a_word_is_one(value):
    with pytest.raises(TypeError):
        sh("echo {}", value)


def test_braces_are_braces_and_places_are_counted():
    assert sh("echo {} ${HOME} {a,b} {{}}", "x y").command == "echo 'x y' ${HOME} {a,b} {}"
    assert sh("find . -exec rm {} +").command == "find . -exec rm {} +"
    with pytest.raises(ValueError, match="has 1 places"):
        sh("echo {}", "a", "b")
    with pytest.raises(ValueError, match="zero byte"):
        sh("echo {}", "a\0b")


class Interpolation:
    def __init__(self, value, conversion=None, format_spec=""):
        self.value = value
        self.conversion = conversion
        self.format_spec = format_spec


class Template:
    """As `string.templatelib.Template`, for Pythons that have none."""

    def __init__(self, strings, *interpolations):
        self.strings = strings
        self.interpolations = interpolations


def test_a_template_is_quoted_likewise():
    template = Template(("echo ", " ", ""), Interpolation("a b"), Interpolation(7, None, "03d"))
    assert sh(template).command == "echo 'a b' 007"
    assert sh(Template(("echo ", ""), Interpolation("a", "r"))).command == "echo ''\"'\"'a'\"'\"''"
    with pytest.raises(ValueError, match="inside quotes"):
        sh(Template(("echo '", "'"), Interpolation("a b")))
    with pytest.raises(TypeError, match="text or a t-string"):
        sh(3)


def test_powershell_takes_every_kind_of_quote_for_one():
    assert quote_powershell("it's \u2019 $x") == "'it''s \u2019\u2019 $x'"
    assert sh("echo {}", "it's", shell="pwsh").quoted_for("pwsh") == "echo 'it''s'"
