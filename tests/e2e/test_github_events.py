"""`pipec github plan` and `pipec github run`: what an event starts, here as there."""

import json
import subprocess

import pytest

from tests.conftest import Project

PIPELINE = """\
name = "app"

[tasks.test]
run = "echo testing"

[tasks.docs]
run = "echo writing"

[tasks.fail]
run = "exit 3"

[tasks.deploy]
env-inputs = ["PIPEC_PARAM_*"]
run = "echo deploying $PIPEC_PARAM_VERSION"

[triggers]
pr = { github = { events = ["pull_request"] } }
main = { github = { events = ["push"], branches = ["main"] } }
docs = { github = { events = ["push"], branches = ["main"], paths = ["docs/**"] } }
night = { cron = "17 2 * * *" }
week = { cron = "0 6 * * MON" }

[jobs.verify]
target = "test"
trigger = ["pr", "main"]

[jobs.docs]
target = "docs"
trigger = ["docs"]
needs = ["verify"]

[jobs.nightly]
target = "fail"
trigger = ["night"]

[jobs.after]
target = "test"
trigger = ["night"]
needs = ["nightly"]

[jobs.weekly]
target = "test"
trigger = ["week"]

[jobs.deploy]
target = "deploy"
params = { version = "string" }
environment = "production"
env = { KEY = { secret = "DEPLOY_KEY" } }

[jobs.roll-back]
target = "test"

[sync.github]
install = "preinstalled"
setup = "none"
"""


@pytest.fixture
def app(project: Project) -> Project:
    project.write("pipeline.toml", PIPELINE)
    return project


def running(project: Project, *words: str, env: dict[str, str] | None = None) -> list[str]:
    document = json.loads(
        project.pipec("github", "plan", *words, "--format", "json", env=env).stdout
    )
    return [job["id"] for job in document["jobs"] if job["runs"]]


@pytest.mark.parametrize(
    ("words", "jobs"),
    [
        ("--event push --ref refs/heads/main --changed a.py", ["verify"]),
        ("--event push --ref refs/heads/main --changed docs/a.md", ["docs", "verify"]),
        ("--event push --ref refs/heads/main", ["docs", "verify"]),
        ("--event push --ref refs/heads/other", []),
        ("--event pull_request --base main --type opened", ["verify"]),
        ("--event pull_request --base main --type closed", []),
        ("--event merge_group --base main", ["verify"]),
        ("--event workflow_dispatch", ["deploy", "roll-back"]),
        ("--event workflow_dispatch --job deploy", ["deploy"]),
    ],
)
def test_a_plan_says_what_an_event_starts(app: Project, words: str, jobs: list[str]) -> None:
    assert running(app, *words.split()) == jobs


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        ("--event push --ref refs/heads/other", "it waits for branches `main`, not `other`"),
        ("--event push --ref refs/tags/v1", "it waits for branches `main`, not tags"),
        (
            "--event push",
            "it waits for branches `main`, and which one it is was not said",
        ),
        ("--event push --ref refs/heads/main --changed a", "it waits for changes of `docs/**`"),
        ("--event issues", "it waits for `push`"),
    ],
)
def test_a_plan_says_what_a_job_waits_for(app: Project, words: str, reason: str) -> None:
    result = app.pipec("github", "plan", *words.split())
    assert f"skips  docs       {reason}" in result.stdout.splitlines()


def test_a_pull_request_without_its_activity_is_one_that_was_opened(app: Project) -> None:
    assert running(app, "--event", "pull_request", "--base", "main") == ["verify"]
    result = app.pipec("github", "plan", "--event", "pull_request", "--type", "closed")
    reason = "it waits for types `opened`, `reopened`, `synchronize`, not `closed`"
    assert f"skips  verify     {reason}" in result.stdout.splitlines()


def test_a_schedule_starts_its_own_jobs(app: Project) -> None:
    assert running(app, "--event", "schedule", "--cron", "0 6 * * mon") == ["weekly"]
    event = app.write("event.json", '{"schedule": "17 2 * * *"}')
    env = {"GITHUB_EVENT_NAME": "schedule", "GITHUB_EVENT_PATH": str(event)}
    assert running(app, env=env) == ["after", "nightly"]


def test_a_plan_says_with_which_rights(app: Project) -> None:
    result = app.pipec("github", "plan", "--event", "workflow_dispatch", "--job", "deploy")
    assert result.stdout.splitlines()[:4] == [
        "runs   deploy     the event `workflow_dispatch` starts it",
        "                  on ubuntu-24.04; contents: read",
        "                  secrets: DEPLOY_KEY",
        "                  environment: production",
    ]
    assert "skips  roll-back  `deploy` was chosen" in result.stdout


def test_outputs_are_for_the_conditions_of_jobs(app: Project) -> None:
    words = ("github", "plan", "--event", "push", "--ref", "refs/heads/main", "--changed", "a.py")
    result = app.pipec(*words, "--format", "outputs")
    assert result.stdout.splitlines() == [
        "after=false",
        "deploy=false",
        "docs=false",
        "nightly=false",
        "roll-back=false",
        "verify=true",
        "weekly=false",
    ]


def test_the_changed_files_are_asked_of_git(app: Project) -> None:
    def git(*words: str) -> str:
        names = ("-c", "user.name=a", "-c", "user.email=a@example.test")
        command = ["git", "-C", str(app.folder), *names, *words]
        return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()

    git("init", "--quiet")
    git("add", ".")
    git("commit", "--quiet", "-m", "one")
    before = git("rev-parse", "HEAD")
    app.write("docs/a.md", "a")
    git("add", ".")
    git("commit", "--quiet", "-m", "two")
    after = git("rev-parse", "HEAD")
    for payload, jobs in (
        ({"before": before, "after": after}, ["docs", "verify"]),
        ({"before": after, "after": after}, ["verify"]),
        # A branch that is new, or a checkout without its past: nobody can tell, so it runs.
        ({"before": "0" * 40, "after": after}, ["docs", "verify"]),
        ({"before": "1" * 40, "after": after}, ["docs", "verify"]),
    ):
        event = app.write(".git/event.json", json.dumps(payload))
        env = {
            "GITHUB_EVENT_NAME": "push",
            "GITHUB_EVENT_PATH": str(event),
            "GITHUB_REF": "refs/heads/main",
        }
        assert running(app, env=env) == jobs, payload


def test_a_run_runs_what_the_event_starts_in_order(app: Project) -> None:
    words = ("github", "run", "--event", "push", "--ref", "refs/heads/main")
    result = app.pipec(*words)
    assert result.status == 0
    assert result.stderr.index("testing") < result.stderr.index("writing")


def test_nothing_to_start_is_no_failure(app: Project) -> None:
    result = app.pipec("github", "run", "--event", "push", "--ref", "refs/heads/other")
    assert (result.stderr, result.status) == ("the event `push` starts nothing here\n", 0)
    words = ("--job", "weekly", "--event", "push", "--ref", "refs/heads/main")
    result = app.pipec("github", "run", *words)
    assert result.stderr.splitlines()[0] == "weekly is not run: it waits for `schedule`"
    assert result.status == 0


def test_a_job_whose_need_failed_is_not_run(app: Project) -> None:
    result = app.pipec("github", "run", "--event", "schedule", "--cron", "17 2 * * *")
    assert result.status == 1
    assert "after is not run: it needs nightly" in result.stderr


def test_parameters_come_from_the_inputs(app: Project) -> None:
    event = app.write("event.json", '{"inputs": {"job": "deploy", "version": "ignored"}}')
    env = {
        "GITHUB_EVENT_NAME": "workflow_dispatch",
        "GITHUB_EVENT_PATH": str(event),
        "PIPEC_INPUT_VERSION": "1.2.0",
        "DEPLOY_KEY": "a-long-secret",
    }
    result = app.pipec("github", "run", env=env)
    assert "deploying 1.2.0" in result.stderr
    assert result.status == 0
    missing = app.pipec("github", "run", env={**env, "PIPEC_INPUT_VERSION": ""})
    assert "PIPEC_INVALID_PARAM" in missing.stderr
    assert missing.status == 1


def test_only_a_manual_job_is_started_by_hand(app: Project) -> None:
    event = app.write("event.json", '{"inputs": {"job": "verify"}}')
    env = {"GITHUB_EVENT_NAME": "workflow_dispatch", "GITHUB_EVENT_PATH": str(event)}
    result = app.pipec("github", "run", env=env)
    assert "the job `verify` is not one that is started by hand" in result.stderr
    assert "help: these are: `deploy`, `roll-back`" in result.stderr
    assert result.status == 2


def test_without_an_event_it_asks_for_one(app: Project) -> None:
    result = app.pipec("github", "run")
    assert "error[PIPEC_USAGE]: which event?" in result.stderr
    assert result.status == 2


def test_the_runner_is_told_whether_there_are_new_results(project: Project) -> None:
    project.write(
        "pipeline.toml",
        PIPELINE.replace(
            '[tasks.test]\nrun = "echo testing"',
            '[tasks.test]\ninputs = ["a"]\noutputs = ["b"]\ncache = true\nrun = "cp a b"',
        ),
    )
    project.write("a", "1")
    output = project.write("output", "")
    words = ("github", "run", "--job", "verify", "--event", "pull_request", "--type", "opened")
    told = []
    for content in ("1", "1", "2"):
        project.write("a", content)
        output.write_text("")
        assert project.pipec(*words, env={"GITHUB_OUTPUT": str(output)}).status == 0
        told.append(output.read_text().removeprefix("cache=").strip())
    assert (bool(told[0]), told[1], bool(told[2])) == (True, "", True)
    assert told[0] != told[2]


def test_newer_releases_are_asked_of_the_repository(project: Project) -> None:
    project.write("pipeline.toml", PIPELINE)
    project.pipec("github", "generate")
    bare = project.folder / "remote" / "actions" / "checkout"
    subprocess.run(["git", "init", "--quiet", "--bare", bare], check=True)
    env = {
        "GIT_CONFIG_COUNT": "1",
        "GIT_CONFIG_KEY_0": f"url.{project.folder}/remote/.insteadOf",
        "GIT_CONFIG_VALUE_0": "https://github.com/",
        "GIT_AUTHOR_NAME": "a",
        "GIT_AUTHOR_EMAIL": "a@example.test",
        "GIT_COMMITTER_NAME": "a",
        "GIT_COMMITTER_EMAIL": "a@example.test",
    }

    def git(*words: str) -> str:
        command = ["git", "-C", str(bare), *words]
        environment = {**project.environment, **env}
        done = subprocess.run(
            command, check=True, capture_output=True, text=True, env=environment, input=""
        )
        return done.stdout.strip()

    tree = git("mktree")
    commit = git("commit-tree", tree, "-m", "newer")
    for tag in ("v6.1.0", "v7.0.0", "v6", "v6.2.0-beta"):
        git("tag", tag, commit)
    git("tag", "-a", "-m", "annotated", "v6.1.1", commit)
    result = project.pipec("github", "update", env=env)
    assert result.stderr.splitlines()[0] == "actions/checkout: v6.0.2 to v6.1.1"
    assert f"actions/checkout@{commit} # v6.1.1" in project.read(".github/workflows/pipec.yml")
    assert project.pipec("github", "check").status == 0
    result = project.pipec("github", "update", "--major", env=env)
    assert result.stderr.splitlines()[0] == "actions/checkout: v6.1.1 to v7.0.0"
    unknown = project.pipec(
        "github", "update", env={**env, "GIT_CONFIG_KEY_0": "url.file:///none/.insteadOf"}
    )
    assert "the tags of `actions/checkout` are not known" in unknown.stderr
    assert unknown.status == 1
