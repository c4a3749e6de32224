"""Steps of several lines end at the first that fails, in the shells that can."""

import pytest

from tests.conftest import Project
from tests.e2e.records import read_records


@pytest.mark.parametrize("shell", ["", 'shell = "sh"\n', 'shell = "bash"\n'])
def test_a_failing_line_in_the_middle_fails_the_step(project: Project, shell: str) -> None:
    project.write(
        "pipeline.toml",
        f"name = 'app'\n[tasks.a]\n{shell}cache = true\ninputs = []\noutputs = ['o']\n"
        "run = '''\necho one > o\nfalse\necho two > o\n'''\n",
    )
    assert project.pipec("run", "a").status == 1
    assert project.read("o") == "one\n"
    # A failure is never cached.
    assert project.pipec("run", "a").status == 1


def test_a_line_that_may_fail_can_say_so(project: Project) -> None:
    project.write(
        "pipeline.toml",
        "name = 'app'\n[tasks.a]\n"
        "run = '''\nfalse || true\nif false; then :; fi\necho end > o\n'''\n",
    )
    assert project.pipec("run", "a").status == 0
    assert project.read("o") == "end\n"


def test_a_shell_in_words_is_taken_as_it_is_written(project: Project) -> None:
    project.write(
        "pipeline.toml",
        "name = 'app'\n[tasks.a]\nshell = ['sh', '-c']\nrun = '''\nfalse\necho end > o\n'''\n",
    )
    assert project.pipec("run", "a").status == 0
    assert project.read("o") == "end\n"


def test_an_input_command_ends_at_its_first_failing_line(project: Project) -> None:
    project.write(
        "pipeline.toml",
        "name = 'app'\n[tasks.a]\ncache = true\noutputs = ['o']\n"
        "inputs = [{ command = '''\nfalse\necho 1\n''' }]\nrun = 'touch o'\n",
    )
    result = project.pipec("run", "a")
    assert result.status == 1
    assert "PIPEC_INPUT_COMMAND_FAILED" in result.stderr
    (record,) = read_records(project.folder)
    assert record["tasks"][0]["attempts"] == []
