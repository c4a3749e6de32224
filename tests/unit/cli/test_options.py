"""The two readers of a command line agree, and what they share does what it says."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

import pipec.cli.run
from pipec.cli.app import run_app
from pipec.cli.concurrency import parse_concurrency, usable_cores
from pipec.cli.invocation import Invocation
from pipec.cli.options import Settings, UsageError, plain_run, take_globals

FLAGS = st.sampled_from(
    [
        ["--force"],
        ["--dry"],
        ["--wait"],
        ["--concurrency", "3"],
        ["--concurrency=50%"],
        ["--format", "json"],
        ["--format=jsonl"],
        ["--output-logs", "full"],
        ["--param", "a=b"],
        ["--param=c=d=e"],
        # Forms that the plain reader has to leave alone.
        ["--format", "xml"],
        ["--output-logs="],
        ["--param"],
        ["--force=1"],
        ["--", "x"],
        ["--unknown"],
    ]
)
WORDS = st.sampled_from([["verify"], ["a.b"], ["t[x=1]"], ["é"]])


def typer_reads(words, monkeypatch):
    """The request that typer makes of these words; None if it refuses them."""
    seen = []
    monkeypatch.setattr(pipec.cli.run, "run", lambda _, options: seen.append(options) or 0)
    invocation = Invocation(cwd="", environ={}, settings=Settings(), console=None)
    try:
        run_app(invocation, list(words))
    except UsageError:
        return None
    (options,) = seen
    return options


@given(verb=st.sampled_from(["run", "run-task"]), parts=st.lists(FLAGS | WORDS, max_size=5))
def test_a_form_that_the_front_door_knows_means_the_same_to_typer(verb, parts):
    words = [verb, *(word for part in parts for word in part)]
    options = plain_run(words)
    if options is not None:
        with pytest.MonkeyPatch.context() as monkeypatch:
            assert typer_reads(words, monkeypatch) == options


@pytest.mark.parametrize(
    "words",
    [
        ["run", "verify"],
        ["run", "a", "b", "--force", "--concurrency", "2"],
        ["run", "a", "--format", "json", "--dry", "--wait"],
        ["run", "a", "--param", "x=1", "--param", "y=2", "--output-logs", "none"],
        ["run-task", "a", "--format=jsonl"],
    ],
)
def test_the_usual_forms_do_not_need_typer(words):
    assert plain_run(words) is not None


@pytest.mark.parametrize(
    "words", [[], ["list"], ["run"], ["run", "--help"], ["run", "x", "--format", "xml"]]
)
def test_every_other_form_is_left_to_typer(words):
    assert plain_run(words) is None


def test_options_of_every_command_are_taken_out_wherever_they_stand():
    argv = ["-q", "run", "-C", "there", "x", "--file=f.toml", "--color", "never", "--", "-v"]
    settings, rest = take_globals(argv)
    assert rest == ["run", "x", "--", "-v"]
    assert settings == Settings(directory="there", file="f.toml", color="never", is_quiet=True)


@pytest.mark.parametrize(
    ("text", "cores", "tasks"),
    [("auto", 8, 8), ("3", 8, 3), ("50%", 8, 4), ("50%", 1, 1), ("200%", 2, 4), ("1%", 8, 1)],
)
def test_concurrency_is_a_number_or_a_share(text, cores, tasks):
    assert parse_concurrency(text, cores=cores) == tasks


@pytest.mark.parametrize("text", ["", "0", "-1", "1.5", "two", "%", "0%", "²"])
def test_anything_else_is_no_concurrency(text):
    with pytest.raises(UsageError):
        parse_concurrency(text, cores=8)


def test_there_is_at_least_one_core():
    assert usable_cores() >= 1
