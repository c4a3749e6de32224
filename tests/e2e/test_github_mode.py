"""A run inside of GitHub Actions: groups, annotations, masks, and a summary of the step."""

import re

import pytest

from tests.conftest import Project

PIPELINE = """\
name = "app"

[tasks.good]
env = { TOKEN = { secret = "TOKEN" } }
run = "echo fine; echo '::error::not ours'; echo ::stop-commands::guess"

[tasks.quiet]
run = "true"

[tasks.bad]
depends-on = ["good", "quiet"]
run = "echo '::endgroup::'; printf '::set-output name=x::y'; exit 3"

[jobs.verify]
target = "bad"
"""


FAILURE = (
    "::error file=pipeline.toml,line=10,title=PIPEC_STEP_FAILED::bad: `echo '::endgroup::'; "
    "printf '::set-output name=x::y'; exit 3` ended with exit status 3"
)


@pytest.fixture
def app(project: Project) -> Project:
    project.write("pipeline.toml", PIPELINE)
    project.environment |= {
        "GITHUB_ACTIONS": "true",
        "GITHUB_STEP_SUMMARY": str(project.folder / "summary.md"),
        "TOKEN": "line one%\nline two",
    }
    return project


def obeyed(text: str) -> list[str]:
    """The commands that a runner carries out: none between `stop-commands` and its token."""
    commands, token = [], ""
    for line in text.splitlines():
        if token:
            token = "" if line == f"::{token}::" else token
            continue
        if line.startswith("::"):
            name, data = re.fullmatch(r"::([^:]+)::(.*)", line).groups()  # type: ignore[union-attr]
            token = data if name == "stop-commands" else ""
            commands.append("stop-commands" if token else line)
    assert not token, "what was stopped goes on"
    return commands


def test_a_runner_carries_out_our_commands_and_none_of_a_task(app: Project) -> None:
    result = app.pipec("verify")
    assert result.status == 1
    assert obeyed(result.stderr) == [
        "::add-mask::line one%25%0Aline two",
        "::add-mask::line one%25",
        "::add-mask::line two",
        "::group::log of good",
        "stop-commands",
        "::endgroup::",
        "stop-commands",
        FAILURE,
    ]


def test_the_log_of_a_failed_task_is_not_folded(app: Project) -> None:
    lines = app.pipec("verify").stderr.splitlines()
    at = next(i for i, line in enumerate(lines) if line.startswith("✗ bad"))
    assert lines[at + 1].startswith("::stop-commands::pipec-")
    token = lines[at + 1].removeprefix("::stop-commands::")
    assert lines[at + 2 : at + 5] == ["::endgroup::", "::set-output name=x::y", f"::{token}::"]


def test_a_failure_that_is_allowed_is_annotated_as_a_warning(app: Project) -> None:
    app.write("pipeline.toml", PIPELINE.replace("[tasks.bad]", "[tasks.bad]\nallow-failure = true"))
    result = app.pipec("verify")
    assert result.status == 0
    commands = obeyed(result.stderr)
    assert commands[-1] == FAILURE.replace("::error", "::warning") + " (it may fail)"


def test_tokens_cannot_be_guessed(app: Project) -> None:
    tokens = [re.findall(r"stop-commands::(pipec-\w+)", app.pipec("verify").stderr) for _ in "12"]
    assert len({token for run in tokens for token in run}) == 2
    assert all(len(token) > 32 for run in tokens for token in run)


def test_the_summary_is_added_to_what_other_steps_wrote(app: Project) -> None:
    app.write("summary.md", "before\n")
    app.pipec("run", "quiet")
    app.pipec("verify")
    text = app.read("summary.md")
    assert text.startswith("before\n# app: quiet\n")
    assert "# app: verify" in text
    assert "| bad | failed | disabled | 1 |" in text


def test_a_summary_that_is_too_large_is_cut(app: Project) -> None:
    tasks = "".join(f"[tasks.t{n}-{'x' * 150}]\nrun = []\n" for n in range(6000))
    names = ",".join(f"'t{n}-{'x' * 150}'" for n in range(6000))
    app.write("pipeline.toml", f"name='app'\n{tasks}[tasks.all]\ndepends-on=[{names}]\n")
    app.pipec("run", "all")
    size = (app.folder / "summary.md").stat().st_size
    assert 1000 * 1024 < size <= 1024 * 1024
    assert "has the rest" in app.read("summary.md")[-200:]


def test_a_summary_that_cannot_be_written_is_a_warning(app: Project) -> None:
    result = app.pipec("run", "quiet", env={"GITHUB_STEP_SUMMARY": "/no/such/folder/x"})
    assert "::warning::the step summary cannot be written: No such file or directory" in (
        result.stderr
    )
    assert result.status == 0


def test_output_for_programs_stays_as_it_is(app: Project) -> None:
    result = app.pipec("verify", "--format", "jsonl")
    assert not any(line.startswith("::") for line in result.stdout.splitlines())
    assert all(line.startswith("{") for line in result.stdout.splitlines())


def test_no_logs_means_no_groups(app: Project) -> None:
    result = app.pipec("verify", "--output-logs", "none")
    assert "::group::" not in result.stderr
    assert "::error file=" in result.stderr


def test_a_cached_run_has_a_summary_too(app: Project) -> None:
    app.write(
        "pipeline.toml", "name='app'\n[tasks.t]\noutputs=['o']\ncache=true\nrun='echo 1 > o'\n"
    )
    for _ in range(2):
        assert app.pipec("run", "t").status == 0
    assert app.read("summary.md").count("# app: t") == 2
    assert "| t | cached |" in app.read("summary.md")


def test_output_that_is_said_as_it_comes_is_no_command_either(app: Project) -> None:
    result = app.pipec("verify", "--log-order", "stream")
    assert "[good] ::error::not ours" in result.stderr
    # Names stand before all of it; a runner finds older commands anywhere in a line.
    commands = obeyed(result.stderr)
    assert commands[:2] == ["::add-mask::line one%25%0Aline two", "::add-mask::line one%25"]
    assert commands[-1] == FAILURE
    assert set(commands[3:-1]) == {"stop-commands"}
