"""The policy on command lines, as a user meets it."""

import json

import pytest

from tests.conftest import Project
from tests.e2e.records import read_lines, read_records


def write(project: Project, rules: str, run: str, *, more: str = "", task: str = "") -> None:
    project.write(
        "pipeline.toml",
        f"""
name = "app"
{more}
{rules}
[tasks.work]
inputs = []
outputs = ["out"]
cache = true
{task}
run = {run}
""",
    )


def rule(action: str, prefix: str = "publish", key: str = "prefix") -> str:
    return f"[[commands.rules]]\n{key} = {json.dumps(prefix)}\naction = {action}\n"


def last(project: Project) -> dict[str, object]:
    return read_records(project.folder)[-1]["tasks"][0]


def kept(project: Project) -> list[dict[str, object]]:
    path = max((project.folder / ".pipec/runs").glob("*/commands.jsonl"))
    return read_lines(path, "command")


def test_a_denied_command_fails_its_task_before_anything_of_it_runs(project):
    denial = rule('{ deny = "releases are made by CI" }')
    write(project, denial, '["touch out", "publish --now"]')
    result = project.pipec("run", "work")
    assert result.status == 1
    message = "`publish --now` is denied by the rule on `publish`: releases are made by CI"
    assert f"error[PIPEC_COMMAND_DENIED]: work: {message}\n" in result.stderr
    assert last(project)["error"] == {"code": "PIPEC_COMMAND_DENIED", "message": message}
    assert not (project.folder / "out").exists()
    (line,) = kept(project)
    assert (line["action"], line["code"], line["reason"]) == (
        "deny", "PIPEC_COMMAND_DENIED", message,
    )  # fmt: skip
    dry = project.pipec("run", "work", "--dry")
    assert dry.stdout == f"run      work  {message}\n1 task: 1 would run\n"


def test_a_result_from_before_the_rule_does_not_hide_it(project):
    write(project, "", '"touch out"')
    assert project.pipec("run", "work").status == 0
    write(project, rule('"allow"', "touch"), '"touch out"')
    # A rule that allows changes no key.
    assert project.pipec("run", "work").status == 0
    assert last(project)["status"] == "cached"
    write(project, rule('"deny"', "touch"), '"touch out"')
    assert project.pipec("run", "work").status == 1
    assert last(project)["error"]["code"] == "PIPEC_COMMAND_DENIED"


def test_a_replaced_command_does_not_run_and_is_never_taken_for_it(project):
    mock = rule('{ mock = { stdout = "published 1.0", stderr = "quietly" } }')
    write(project, mock, '["echo real > out", "publish"]')
    result = project.pipec("run", "work", "--output-logs", "full")
    assert result.status == 0, result.stderr
    assert "published 1.0quietly" in result.stderr
    first = last(project)
    assert first["attempts"][0]["steps"][1]["policy"] == {
        "action": "mock",
        "rules": ["mock publish"],
    }
    assert [line["action"] for line in kept(project)] == ["allow", "mock"]
    assert kept(project)[1]["output"] == "published 1.0quietly"
    assert project.pipec("run", "work").status == 0
    assert last(project)["status"] == "cached"
    # Without the rule the command itself is asked for, and there is none here.
    write(project, "", '["echo real > out", "publish"]')
    result = project.pipec("run", "work")
    assert result.status == 1
    assert last(project)["key"] != first["key"]
    write(project, rule("{ mock = { code = 3 } }"), '["echo real > out", "publish"]')
    assert project.pipec("run", "work").status == 1
    assert last(project)["error"]["message"] == "`publish` ended with exit status 3"


def test_only_a_whole_step_can_be_replaced(project):
    write(project, rule('{ mock = { stdout = "x" } }'), '"touch out && publish"')
    assert project.pipec("run", "work").status == 1
    assert last(project)["error"]["message"] == (
        "`touch out && publish` is not just the command that the rule on `publish` replaces, "
        "and cannot be replaced as a whole"
    )


def test_an_environment_is_required_and_recorded(project):
    write(project, rule('{ require-environment = "prod" }', "touch"), '"touch out"')
    result = project.pipec("run", "work")
    assert result.status == 1
    assert last(project)["error"] == {
        "code": "PIPEC_ENVIRONMENT_REQUIRED",
        "message": "`touch out` runs only in the environment `prod`, and this is none",
    }
    assert project.pipec("run", "work", env={"PIPEC_ENVIRONMENT": "dev"}).status == 1
    assert project.pipec("run", "work", env={"PIPEC_ENVIRONMENT": "prod"}).status == 0
    (step,) = last(project)["attempts"][0]["steps"]
    assert step["policy"] == {
        "action": "allow",
        "rules": ["require-environment touch"],
        "environment": "prod",
    }
    # What is kept is no way around.
    assert project.pipec("run", "work").status == 1


def test_an_approval_is_required_and_recorded(project):
    write(project, rule('{ require-approval = "release-managers" }', "touch"), '"touch out"')
    assert project.pipec("run", "work", env={"PIPEC_APPROVE": "others"}).status == 1
    assert last(project)["error"] == {
        "code": "PIPEC_APPROVAL_REQUIRED",
        "message": "`touch out` needs the approval of `release-managers`",
    }
    approve = {"PIPEC_APPROVE": "others, release-managers"}
    assert project.pipec("run", "work", env=approve).status == 0
    (step,) = last(project)["attempts"][0]["steps"]
    assert step["policy"]["approved_by"] == ["release-managers"]
    assert kept(project)[0]["approved_by"] == ["release-managers"]


def test_options_say_what_the_variables_say(project):
    rules = rule('{ require-approval = "a" }', "touch") + rule('{ require-environment = "prod" }')
    write(project, rules, '["touch out", "publish || true"]')
    refused = [
        ("--approve", "a"),
        ("--approve", "a", "--environment", "dev"),
        ("--environment=prod",),
    ]
    for words in refused:
        assert project.pipec("run", "work", *words).status == 1, words
    granted = ("--approve", "b", "--approve=a", "--environment", "prod")
    host = {"PIPEC_APPROVE": "c,b", "PIPEC_ENVIRONMENT": "dev"}
    for words in (
        ("run", "work", *granted),
        ("run-task", "work", *granted),
        ("run", "-C", ".", "work", *granted),
    ):
        assert project.pipec(*words, env=host).status == 0, words
        request = read_records(project.folder)[-1]["request"]
        # An approval adds to those of the variable; an environment there can only be one.
        assert (request["environment"], request["approved"]) == ("prod", ["c", "b", "a"])
    # What the steps start is in the same environment.
    write(project, "", '"echo $PIPEC_ENVIRONMENT $PIPEC_APPROVE > out"', task='cache.salt = "2"')
    project.write("pipeline.toml", project.read("pipeline.toml").replace("cache = true\n", ""))
    assert project.pipec("run", "work", *granted, env=host).status == 0
    assert project.read("out") == "prod c,b,a\n"


def test_the_first_rule_decides_and_the_fallback_the_rest(project):
    rules = (
        '[commands]\nfallback = "deny"\n' + rule('"allow"', "npm test") + rule('"allow"', "true")
    )
    write(project, rules, '"touch out"')
    assert project.pipec("run", "work").status == 1
    assert last(project)["error"]["message"] == (
        "no rule allows `touch out`, and all else is denied"
    )
    write(project, rules + rule('"deny"', "npm") + rule('"allow"', "touch"), '"true; touch out"')
    assert project.pipec("run", "work").status == 0


def test_steps_of_every_kind_are_held_against_it(project):
    denial = rule('"deny"', "publish")
    agents = '[agents.a]\ncommand = ["publish"]\n'
    project.write(
        "tools/steps.py", "from pipec import sh\ndef link(ctx):\n    return sh('publish {}', 'a')\n"
    )
    for run in (
        '{ argv = ["publish", "x"] }',
        '{ agent = "a", prompt = "x" }',
        '{ dynamic = "tools.steps:link" }',
        '{ sh = "publish", shell = "bash" }',
    ):
        write(project, denial + agents, run)
        assert project.pipec("run", "work").status == 1
        assert last(project)["error"]["code"] == "PIPEC_COMMAND_DENIED", run
    write(project, denial, '"touch out"', task='inputs = [{ command = "publish" }]\n#')
    text = project.read("pipeline.toml").replace("inputs = []\n", "")
    project.write("pipeline.toml", text)
    assert project.pipec("run", "work").status == 1
    assert last(project)["error"]["code"] == "PIPEC_COMMAND_DENIED"


def test_what_cannot_be_read_is_not_let_through_unless_it_is_named(project):
    text = '"$TOOL" --version | sh; touch out'
    write(project, rule('"deny"'), json.dumps(text), task='env = { TOOL = "echo true #" }')
    assert project.pipec("run", "work").status == 1
    assert last(project)["error"]["code"] == "PIPEC_COMMAND_DENIED"
    write(
        project,
        rule('"allow"', text, "exact") + rule('"deny"'),
        json.dumps(text),
        task='env = { TOOL = "true" }',
    )
    assert project.pipec("run", "work").status == 0, last(project)


def test_the_output_that_is_kept_is_bounded_and_without_secrets(project):
    secret = "hidden-value-of-a-token"
    for redacts, limit in ((True, 30), (False, 4096)):
        flag = str(redacts).lower()
        settings = f"[commands]\noutput = {{ max-bytes = {limit}, redact-secrets = {flag} }}\n"
        write(
            project,
            settings + rule('"allow"', "echo"),
            '"echo $TOKEN; echo 0123456789012345678901234567890123456789; touch out"',
            task=f'cache.salt = "{flag}"\nenv = {{ TOKEN = {{ secret = "TOKEN" }} }}',
        )
        text = project.read("pipeline.toml").replace("cache = true\n", "")
        project.write("pipeline.toml", text)
        assert project.pipec("run", "work", env={"TOKEN": secret}).status == 0
        (line,) = kept(project)
        if redacts:
            assert line["output"] == "***\n01234567890123456789012345"
            assert line["output_left_out"] == 15
        else:
            assert line["output"].startswith(f"{secret}\n0123")
    log = max((project.folder / ".pipec/runs").glob("*/logs/work.log"))
    assert secret not in log.read_text()


def test_nothing_is_kept_where_nothing_is_to_be(project):
    write(project, "[commands]\nrecord = false\n" + rule('"allow"', "touch"), '"touch out"')
    assert project.pipec("run", "work").status == 0
    assert "policy" not in last(project)["attempts"][0]["steps"][0]
    assert not list((project.folder / ".pipec/runs").glob("*/commands.jsonl"))


@pytest.mark.parametrize("verb", [("check",), ("list",), ("key", "work"), ("show", "work")])
def test_looking_asks_for_nothing(project, verb):
    write(project, rule('"deny"', "touch"), '"touch out"')
    result = project.pipec(*verb)
    assert "Traceback" not in result.stderr
    assert result.status == 0
