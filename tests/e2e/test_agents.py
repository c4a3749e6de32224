"""Agent steps, with agents whose answers are scripted."""

import json

import pytest

from tests.conftest import Project
from tests.e2e.records import read_lines, read_records
from tests.e2e.survivors import MARK, assert_none_left

AGENT = """#!/bin/sh
# Says what it was asked, and how.
echo "profile=$PIPEC_AGENT_PROFILE model=$PIPEC_AGENT_MODEL task=$PIPEC_TASK"
cat
echo thinking >&2
echo asked >> "$PIPEC_ROOT/asked"
test ! -e "$PIPEC_ROOT/fail"
"""

PIPELINE = """
name = "app"
[agents.claude]
command = ["./agent"]
model = { var = "AGENT_MODEL", default = "small" }
[agents.other]
command = ["./agent", "--again"]
[tasks.ask]
inputs = []
outputs = ["out/**"]
cache = true
run = { agent = "claude", prompt = "Summarize\\nall", stdout-to = "out/summary.md" }
"""

ANSWER = "profile=claude model=small task=ask\nSummarize\nall"


@pytest.fixture
def asking(project: Project) -> Project:
    """A project with an agent."""
    project.write("pipeline.toml", PIPELINE)
    project.write("agent", AGENT).chmod(0o755)
    return project


def edit(project: Project, old: str, new: str) -> None:
    text = project.read("pipeline.toml")
    assert old in text
    project.write("pipeline.toml", text.replace(old, new))


def last(project: Project) -> dict[str, object]:
    return read_records(project.folder)[-1]["tasks"][0]


def asked(project: Project) -> int:
    """How often the agent ran."""
    return len(project.read("asked").splitlines())


def test_the_prompt_goes_in_and_the_answer_is_kept(asking):
    result = asking.pipec("run", "ask", "-v")
    assert result.status == 0, result.stderr
    assert asking.read("out/summary.md") == ANSWER
    assert "$ ask: agent claude\n" in result.stderr
    (folder,) = (asking.folder / ".pipec/runs").glob("*")
    assert (folder / "logs/ask.log").read_text() == f"{ANSWER}thinking\n"
    lines = read_lines(folder / "agents/ask.jsonl", "transcript")
    assert [lines[0]["kind"], lines[-1]["kind"]] == ["request", "response"]
    assert lines[0] == {
        "at": lines[0]["at"],
        "kind": "request",
        "attempt": 1,
        "step": 1,
        "agent": "claude",
        "model": "small",
        "prompt": "Summarize\nall",
    }
    said = {"stdout": "", "stderr": ""}
    for line in lines[1:-1]:
        said[line["stream"]] += line["text"]
    assert said == {"stdout": ANSWER, "stderr": "thinking\n"}
    assert (lines[-1]["exit_code"], lines[-1]["timed_out"]) == (0, False)


CHANGES = {
    "the command": ('command = ["./agent"]', 'command = ["./agent", "--fast"]', None),
    "the prompt": ("Summarize\\nall", "Summarize\\nmore", "prompt of step 1"),
    "the model": ('"small"', '"large"', "model of step 1"),
    "the agent": ('agent = "claude"', 'agent = "other"', "agent of step 1"),
    "the place of the answer": ("summary.md", "other.md", "steps"),
}


@pytest.mark.parametrize("change", CHANGES)
def test_agent_model_and_prompt_decide_and_the_command_does_not(asking, change):
    old, new, component = CHANGES[change]
    assert asking.pipec("run", "ask").status == 0
    edit(asking, old, new)
    result = asking.pipec("run", "ask")
    assert result.status == 0
    if component is None:
        assert (last(asking)["status"], asked(asking)) == ("cached", 1)
    else:
        assert asked(asking) == 2
        assert f"miss: {component}" in result.stderr


def test_a_variable_of_the_host_decides_agent_and_model(asking):
    edit(asking, 'agent = "claude"', 'agent = { var = "AGENT" }')
    result = asking.pipec("run", "ask")
    assert result.status == 2
    assert (
        "error[PIPEC_MISSING_VARIABLE]: `ask`: the variable `AGENT` decides the agent, is not set "
        "and has no default" in result.stderr
    )
    result = asking.pipec("run", "ask", env={"AGENT": "clade"})
    assert result.status == 2
    assert "there is no agent `clade`; the pipeline has `claude`, `other`" in result.stderr
    assert asking.pipec("run", "ask", env={"AGENT": "claude", "AGENT_MODEL": "big"}).status == 0
    assert asking.read("out/summary.md").startswith("profile=claude model=big ")
    assert asking.pipec("run", "ask", env={"AGENT": "claude", "AGENT_MODEL": "big"}).status == 0
    assert asked(asking) == 1
    assert asking.pipec("run", "ask", env={"AGENT": "other"}).status == 0
    assert asking.read("out/summary.md").startswith("profile=other model= ")


def test_a_prompt_may_be_a_file(asking):
    edit(asking, 'prompt = "Summarize\\nall"', 'prompt-file = "prompts/a.md"')
    result = asking.pipec("run", "ask")
    assert result.status == 1
    assert last(asking)["error"] == {
        "code": "PIPEC_INPUT_UNREADABLE",
        "message": "cannot read the prompt `prompts/a.md`: No such file or directory",
    }
    asking.write("prompts/a.md", "From a file")
    assert asking.pipec("run", "ask").status == 0
    assert asking.read("out/summary.md").endswith("From a file")
    # The text counts, and not where it stands.
    asking.write("prompts/b.md", "From a file")
    edit(asking, "prompts/a.md", "prompts/b.md")
    assert asking.pipec("run", "ask").status == 0
    assert asked(asking) == 1
    asking.write("prompts/b.md", "Another")
    assert asking.pipec("run", "ask").status == 0
    assert asked(asking) == 2


def test_a_failing_agent_leaves_the_last_answer(asking):
    assert asking.pipec("run", "ask").status == 0
    asking.write("fail")
    result = asking.pipec("run", "ask", "--force")
    assert result.status == 1
    error = last(asking)["error"]
    assert error == {
        "code": "PIPEC_STEP_FAILED",
        "message": "`agent claude` ended with exit status 1",
    }
    assert asking.read("out/summary.md") == ANSWER
    assert [path.name for path in (asking.folder / "out").iterdir()] == ["summary.md"]


@pytest.mark.parametrize("link", ["out", "deep"])
def test_no_link_leads_the_answer_out_of_the_folder(asking, tmp_path, link):
    outside = tmp_path / "outside"
    outside.mkdir()
    if link == "out":
        (asking.folder / "out").symlink_to(outside)
    else:
        edit(asking, "out/summary.md", "out/deep/summary.md")
        (asking.folder / "out").mkdir()
        (asking.folder / "out/deep").symlink_to("../../outside")
    result = asking.pipec("run", "ask")
    assert result.status == 1
    error = last(asking)["error"]
    assert error["code"] == "PIPEC_ANSWER_UNWRITABLE"
    assert error["message"].endswith("a link leads out of the folder")
    assert list(outside.iterdir()) == []
    # What there is nowhere to put is not asked for.
    assert not (asking.folder / "asked").exists()


def test_a_link_in_the_place_of_the_answer_is_replaced(asking, tmp_path):
    outside = tmp_path / "outside"
    outside.write_text("mine")
    (asking.folder / "out").mkdir()
    (asking.folder / "out/summary.md").symlink_to(outside)
    assert asking.pipec("run", "ask").status == 0
    assert outside.read_text() == "mine"
    assert asking.read("out/summary.md") == ANSWER


def test_a_link_that_stays_inside_is_followed(asking):
    (asking.folder / "out/real").mkdir(parents=True)
    (asking.folder / "out/link").symlink_to("real")
    edit(asking, "out/summary.md", "out/link/summary.md")
    assert asking.pipec("run", "ask").status == 0
    assert asking.read("out/real/summary.md") == ANSWER


def test_the_answer_is_as_it_is_and_everything_else_without_secrets(asking):
    secret = "hidden-value-of-a-key"
    edit(asking, "[agents.claude]", 'env = { KEY = { secret = "KEY" } }\n[agents.claude]')
    asking.write("agent", '#!/bin/sh\necho "$KEY"; echo "$KEY" >&2; printf "\\377"')
    edit(asking, "Summarize\\nall", secret)
    result = asking.pipec("run", "ask", env={"KEY": secret})
    assert result.status == 0, result.stderr
    assert (asking.folder / "out/summary.md").read_bytes() == f"{secret}\n".encode() + b"\xff"
    assert secret not in result.stdout + result.stderr
    (record,) = (asking.folder / ".pipec/runs").glob("*")
    for path in record.rglob("*"):
        if path.is_file():
            assert secret.encode() not in path.read_bytes(), path
    assert "***" in (record / "agents/ask.jsonl").read_text()


def test_each_try_and_each_step_is_in_the_transcript(asking):
    edit(asking, "cache = true", "cache = true\nretry = 2")
    step = '{ agent = "claude", prompt = "Summarize\\nall", stdout-to = "out/summary.md" }'
    edit(asking, f"run = {step}", f'run = [{{ agent = "other", prompt = "First" }}, {step}, "x"]')
    assert asking.pipec("run", "ask").status == 1
    (path,) = (asking.folder / ".pipec/runs").glob("*/agents/ask.jsonl")
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    requests = [line for line in lines if line["kind"] == "request"]
    assert [(line["attempt"], line["step"], line["agent"]) for line in requests] == [
        (1, 1, "other"), (1, 2, "claude"), (2, 1, "other"), (2, 2, "claude"),
    ]  # fmt: skip
    assert "model" not in requests[0]


def test_a_transcript_grows_no_longer_than_a_log(asking):
    asking.write("agent", "#!/bin/sh\nyes | head -c 200000")
    assert asking.pipec("run", "ask", env={"PIPEC_MAX_LOG_BYTES": "4096"}).status == 0
    (path,) = (asking.folder / ".pipec/runs").glob("*/agents/ask.jsonl")
    assert path.stat().st_size < 12000
    assert json.loads(path.read_text().splitlines()[-1])["bytes_left_out"] == 200000 - 4096
    assert (asking.folder / "out/summary.md").stat().st_size == 200000


def test_an_agent_that_takes_too_long_is_ended(asking):
    edit(asking, "stdout-to", 'timeout = "300ms", stdout-to')
    asking.write("agent", "#!/bin/sh\nsleep 1000 & sleep 1000")
    mark = str(asking.folder)
    process = asking.start("run", "ask", env={MARK: mark})
    process.communicate(timeout=60)
    assert process.returncode == 1
    assert last(asking)["error"]["code"] == "PIPEC_TIMED_OUT"
    assert not (asking.folder / "out/summary.md").exists()
    assert_none_left(mark)


def test_an_agent_that_is_not_there_says_so(asking):
    edit(asking, '["./agent"]', '["./nothing"]')
    assert asking.pipec("run", "ask").status == 1
    error = last(asking)["error"]
    assert error["code"] == "PIPEC_STEP_NOT_STARTED"
    assert error["message"] == "`agent claude` cannot be started: No such file or directory"
