"""Generated workflows are run by `act`, on this machine: what GitHub would do with them.

Of the actions only the cache is a double, a composite action that says what it was asked for; `act`
checks out by itself. It knows no `cache-mode` yet, so the profile is the conservative one.
"""

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

from pipec.backends.github.pins import SHIPPED

pytestmark = [pytest.mark.real, pytest.mark.timeout(300)]

BIN = Path(sys.executable).parent
PIPELINE = """\
name = "app"

[tasks.test]
inputs = ["a.txt"]
outputs = ["b.txt"]
cache = true
run = "cp a.txt b.txt; echo testing"

[tasks.package]
run = "echo packaging"

[tasks.deploy]
env-inputs = ["PIPEC_PARAM_*"]
run = 'echo "deploying $PIPEC_PARAM_VERSION to $PIPEC_PARAM_REGION with $KEY"'

[tasks.docs]
run = "echo documenting"

[tasks.broken]
run = "echo breaking; exit 3"

[triggers]
pr = { github = { events = ["pull_request"], branches = ["main"] } }
main = { github = { events = ["push"], branches = ["main"] } }
hotfix = { github = { events = ["push"], branches = ["hotfix-[0-9]+"] } }
tag = { github = { events = ["push"], tags = ["v*"] } }

[jobs.verify]
target = "test"
trigger = ["pr", "main"]

[jobs.package]
target = "package"
trigger = ["main"]
needs = ["verify", "docs"]
github = { runs-on-matrix = ["ubuntu-24.04", "macos-15"] }

[jobs.docs]
target = "docs"
trigger = ["pr"]

[jobs.hotfix]
target = "docs"
trigger = ["hotfix"]

[jobs.deploy]
target = "deploy"
env = { KEY = { secret = "DEPLOY_KEY" } }

[jobs.deploy.params]
version = "string"
region = { type = "choice", choices = ["eu", "us"], default = "eu" }

[jobs.release]
target = "broken"
trigger = ["tag"]

[jobs.announce]
target = "docs"
trigger = ["tag"]
needs = ["release"]

[sync.github]
install = "preinstalled"
setup = "none"
profile = "conservative"
"""
CACHE = """\
name: cache
description: A double that says what it was asked for.
inputs:
  path: { required: true, description: where }
  key: { required: true, description: what }
  restore-keys: { required: false, description: what else }
runs:
  using: composite
  steps:
    - shell: bash
      env: { KEY: "${{ inputs.key }}", MORE: "${{ inputs.restore-keys }}" }
      run: echo "cache ACTION key=$KEY" $MORE
"""
# Of a step that fails, `act` does not wait for the last words.
BASH = """\
#!{bash}
set -o pipefail
{bash} "$@" 2>&1 | tee -a "{steps}"
"""


@dataclass(frozen=True, slots=True)
class Outcome:
    """The jobs that took part, with what became of them, everything that was printed, and what the
    steps themselves printed of it, unmasked.
    """

    jobs: Mapping[str, bool]
    text: str
    steps: str
    status: int

    @property
    def all_said(self) -> str:
        """Both: what was not said stands in neither."""
        return f"{self.text}\n{self.steps}"


class Repository:
    """A repository with a generated workflow, and `act` to run it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder / "repository"
        self.home = folder / "home"
        self.cache = folder / "cache"
        self.steps = folder / "steps.txt"
        self.bin = folder / "bin"
        self.bin.mkdir()
        bash = self.bin / "bash"
        bash.write_text(BASH.format(bash=shutil.which("bash"), steps=self.steps), encoding="utf-8")
        bash.chmod(0o755)
        self.home.mkdir()
        self.folder.mkdir()
        for name in ("restore", "save"):
            (self.cache / name).mkdir(parents=True)
            action = CACHE.replace("ACTION", name)
            (self.cache / name / "action.yml").write_text(action, encoding="utf-8")
        (self.folder / "pipeline.toml").write_text(PIPELINE, encoding="utf-8")
        (self.folder / "a.txt").write_text("a", encoding="utf-8")
        self.run("git", "init", "--quiet", "--initial-branch=main")
        self.run(str(BIN / "pipec"), "github", "generate")
        self.commit()

    def commit(self) -> None:
        self.run("git", "add", ".")
        author = ("-c", "user.name=a", "-c", "user.email=a@example.test")
        self.run("git", *author, "commit", "--quiet", "-m", "change")

    def run(self, *words: str) -> None:
        subprocess.run(words, cwd=self.folder, env=self.environment, check=True)

    @property
    def environment(self) -> dict[str, str]:
        path = os.pathsep.join([str(self.bin), str(BIN), os.environ["PATH"]])
        return {"PATH": path, "HOME": str(self.home), "LANG": "C.UTF-8"}

    def act(self, event: str, payload: object, *words: str) -> Outcome:
        """Runs the workflow on an event, jobs on this machine."""
        file = self.home / "event.json"
        file.write_text(json.dumps(payload), encoding="utf-8")
        self.steps.write_text("", encoding="utf-8")
        pin = SHIPPED["actions/cache"].sha
        command = [
            *(str(BIN / "act"), event, "--workflows", ".github/workflows/pipec.yml"),
            *("--eventpath", str(file), "--no-cache-server", "--json"),
            *("--platform", "ubuntu-24.04=-self-hosted", "--platform", "macos-15=-self-hosted"),
            *("--local-repository", f"actions/cache@{pin}={self.cache}"),
            *words,
        ]
        done = subprocess.run(
            command,
            cwd=self.folder,
            env=self.environment,
            capture_output=True,
            text=True,
            check=False,
            timeout=200,
        )
        jobs: dict[str, bool] = {}
        said = []
        for line in done.stdout.splitlines():
            entry = json.loads(line) if line.startswith("{") else {"msg": line}
            said.append(entry.get("msg", ""))
            if "jobResult" in entry:
                jobs[entry["job"].removeprefix("app/").strip()] = entry["jobResult"] == "success"
        text = "\n".join([*said, done.stderr])
        return Outcome(jobs, text, self.steps.read_text(encoding="utf-8"), done.returncode)


@pytest.fixture(scope="module")
def repository(tmp_path_factory: pytest.TempPathFactory) -> Repository:
    return Repository(tmp_path_factory.mktemp("act"))


def push(ref: str) -> dict[str, str]:
    return {"ref": ref}


def test_a_push_runs_its_jobs_in_order_and_the_gate(repository: Repository) -> None:
    outcome = repository.act("push", push("refs/heads/main"))
    assert outcome.jobs == {
        "pipec-plan": True,
        "verify": True,
        "package (ubuntu-24.04)-1": True,
        "package (macos-15)-2": True,
        "pipec": True,
    }, outcome.text
    assert outcome.status == 0
    assert outcome.text.index("testing") < outcome.text.index("packaging")
    assert outcome.text.count("packaging") == 2
    # Both are listened to: where a word is missing in the tests below, it was not said.
    assert outcome.steps.count("packaging") == 2
    restored = re.search(
        r"cache restore key=(pipec-trusted-\w+-\w+-[0-9a-f]{16}-)\S+", outcome.text
    )
    assert restored is not None, outcome.text
    assert re.search(rf"cache save key={restored[1]}[0-9a-f]{{16}}\b", outcome.text)


def test_a_job_that_conditions_cannot_say_is_planned(repository: Repository) -> None:
    outcome = repository.act("push", push("refs/heads/hotfix-12"))
    assert outcome.jobs == {"pipec-plan": True, "hotfix": True, "pipec": True}, outcome.text


def test_a_pull_request_runs_its_own_jobs(repository: Repository) -> None:
    payload = {
        "action": "opened",
        "pull_request": {"base": {"ref": "main"}, "head": {"ref": "topic"}},
    }
    outcome = repository.act("pull_request", payload)
    assert outcome.jobs == {
        "pipec-plan": True,
        "verify": True,
        "docs": True,
        "pipec": True,
    }, outcome.text
    assert "cache restore key=pipec-untrusted-" in outcome.text
    assert "packaging" not in outcome.all_said


def test_a_job_is_started_by_hand_with_its_inputs(repository: Repository) -> None:
    payload = {"inputs": {"job": "deploy", "version": "1.2.0; exit 9", "region": "us"}}
    words = ("--secret", "DEPLOY_KEY=very-secret-value")
    outcome = repository.act("workflow_dispatch", payload, *words)
    assert outcome.jobs == {"pipec-plan": True, "deploy": True, "pipec": True}, outcome.text
    assert "deploying 1.2.0; exit 9 to us with ***" in outcome.text
    # The runner is told once what to mask; nothing else has the value.
    said = outcome.all_said.replace("::add-mask::very-secret-value\n", "", 1)
    assert "very-secret-value" not in said


def test_a_failing_job_fails_the_gate(repository: Repository) -> None:
    outcome = repository.act("push", push("refs/tags/v1"))
    assert outcome.status == 1
    assert outcome.jobs["release"] is False, outcome.text
    assert outcome.jobs["pipec"] is False, outcome.text
    assert "announce" not in outcome.jobs
    assert "a job ended with: failure" in outcome.steps


def test_an_edited_workflow_stops_at_its_first_step(tmp_path: Path) -> None:
    repository = Repository(tmp_path)
    workflow = repository.folder / ".github" / "workflows" / "pipec.yml"
    text = workflow.read_text(encoding="utf-8")
    workflow.write_text(text.replace("timeout-minutes: 30", "timeout-minutes: 31"), "utf-8")
    repository.commit()
    outcome = repository.act("pull_request", {"action": "opened"}, "--job", "docs")
    assert outcome.status == 1
    assert "this file was edited by hand" in outcome.steps
    assert "documenting" not in outcome.all_said


def test_a_pipeline_that_has_gone_on_stops_before_anything_of_it_runs(tmp_path: Path) -> None:
    repository = Repository(tmp_path)
    pipeline = repository.folder / "pipeline.toml"
    changed = PIPELINE.replace("[jobs.docs]\n", '[jobs.docs]\ntimeout = "5m"\n')
    pipeline.write_text(changed, encoding="utf-8")
    repository.commit()
    outcome = repository.act("pull_request", {"action": "opened"}, "--job", "docs")
    assert outcome.status == 1
    assert "the field `timeout` of the job `docs` has changed: it is now `5`" in outcome.steps
    assert "documenting" not in outcome.all_said


def test_one_dispatching_job_runs_whatever_the_event_asks_for(tmp_path: Path) -> None:
    repository = Repository(tmp_path)
    text = re.sub(r"\ngithub = \{ runs-on-matrix = .*\}", "", PIPELINE)
    text = text.replace('profile = "conservative"', 'profile = "conservative"\nmode = "single"')
    (repository.folder / "pipeline.toml").write_text(text, encoding="utf-8")
    repository.run(str(BIN / "pipec"), "github", "generate")
    repository.commit()
    outcome = repository.act("push", push("refs/heads/main"))
    assert outcome.jobs == {"pipec": True}, outcome.text
    assert outcome.text.index("testing") < outcome.text.index("packaging")
    assert "documenting" not in outcome.all_said
    failed = repository.act("push", push("refs/tags/v1"))
    assert failed.jobs == {"pipec": False}, failed.text
    assert "announce is not run: it needs release" in failed.steps
