"""What every generated workflow keeps to, whatever the pipeline: read from the golden ones."""

import re
from collections.abc import Mapping
from typing import Any

import pytest
import yaml

from pipec.backends.github.generate import Generated
from tests.golden.github_cases import CASES, generate_case
from tests.golden.test_github_linters import WITHOUT_CONSERVATIVE

FORMS = [
    (case, profile)
    for case in CASES
    for profile in ("2026", "conservative")
    if profile == "2026" or case not in WITHOUT_CONSERVATIVE
]
GUARD = "Check that this workflow is what pipec generated"
CHECK = "pipec github check --format github"
WITHOUT_REPOSITORY = {"Set up Python for pipec", "Install pipec"}
"""Steps that may come before the check: they take pipec from where the locked hashes say."""

Steps = list[dict[str, Any]]
Workflows = Mapping[tuple[str, str], Generated]


@pytest.fixture(scope="module")
def workflows(tmp_path_factory: pytest.TempPathFactory) -> Workflows:
    """Every golden workflow, in both profiles."""
    root = tmp_path_factory.mktemp("promises")
    return {
        (case, profile): generate_case(case, root / f"{case}-{profile}", profile=profile)
        for case, profile in FORMS
    }


def read(generated: Generated) -> dict[str, Any]:
    document: dict[str, Any] = yaml.safe_load(generated.text)
    return document


def working_jobs(generated: Generated) -> dict[str, Steps]:
    """The jobs in which pipec runs: all but the gate and what only publishes a finished site."""
    jobs = read(generated)["jobs"]
    return {
        name: job["steps"]
        for name, job in jobs.items()
        if any("pipec github" in step.get("run", "") for step in job["steps"])
    }


def test_the_check_is_the_first_step_after_the_checkout(workflows: Workflows) -> None:
    for generated in workflows.values():
        assert working_jobs(generated)
        for steps in working_jobs(generated).values():
            assert steps[0]["uses"].startswith("actions/checkout@")
            assert steps[0]["with"]["persist-credentials"] is False
            assert steps[1]["name"] == GUARD
            assert set(steps[1]) <= {"name", "env", "run", "working-directory"}
            programs = set(
                re.findall(r"\b(?:tr|sha256sum|shasum|cut|sed|echo|exit)\b", steps[1]["run"])
            )
            assert programs == {"tr", "sha256sum", "shasum", "cut", "sed", "echo", "exit"}
            for word in ("pipec ", "python", "node", "npm", "curl", "./"):
                code = steps[1]["run"].replace("'pipec github generate'", "")
                assert word not in code


def test_nothing_of_the_repository_runs_before_pipec_has_checked(workflows: Workflows) -> None:
    for form, generated in workflows.items():
        for steps in working_jobs(generated).values():
            at = next(i for i, step in enumerate(steps) if step.get("run") == CHECK)
            before = [step["name"] for step in steps[2:at]]
            if generated.subject.sync.install.commands:
                # Who builds pipec from the repository has to run it; the guard has come before.
                assert before[-1] == "Build pipec", form
            else:
                assert set(before) <= WITHOUT_REPOSITORY, form


def test_rights_are_few_and_each_has_its_reason(workflows: Workflows) -> None:
    for generated in workflows.values():
        document = read(generated)
        assert document["permissions"] == {}
        for name, job in document["jobs"].items():
            granted = job["permissions"]
            spec = generated.subject.pipeline.jobs.get(name)  # type: ignore[call-overload]
            asked = spec.github.permissions if spec else {}
            if "id-token" in granted and name in generated.subject.pipeline.jobs:
                assert spec is not None
                assert spec.provenance or asked.get("id-token") == "write"
            if spec is not None and generated.subject.sync.mode == "jobs":
                assert set(granted) <= {"contents", "id-token", *asked}
        lines = re.findall(r"^      ([a-z-]+: (?:read|write))(.*)$", generated.text, re.MULTILINE)
        assert lines
        assert all(re.fullmatch(r" # \S.+", reason) for _, reason in lines)


def test_actions_are_pinned_and_say_their_version(workflows: Workflows) -> None:
    for generated in workflows.values():
        used = re.findall(r"^ +uses: (.*)$", generated.text, re.MULTILINE)
        assert used
        for use in used:
            assert re.fullmatch(r"[\w-]+/[\w/-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+", use), use


def test_no_value_stands_in_a_script_and_bash_runs_it(workflows: Workflows) -> None:
    for generated in workflows.values():
        document = read(generated)
        assert document["defaults"]["run"]["shell"] == "bash"
        for job in document["jobs"].values():
            for step in job["steps"]:
                assert "${{" not in step.get("run", "")
                assert "shell" not in step


def test_secrets_are_on_the_step_that_works_and_only_those_declared(workflows: Workflows) -> None:
    for generated in workflows.values():
        for name, job in read(generated)["jobs"].items():
            found = {}
            for step in job["steps"]:
                if names := set(re.findall(r"secrets\.(\w+)", str(step))):
                    found[step.get("id")] = names
            declared = {
                secret
                for job_id, needed in generated.subject.needed.items()
                if generated.subject.sync.mode == "single" or job_id == name
                for secret in needed.secrets
            }
            assert found == ({"run": declared} if declared else {})


def test_what_publishes_restores_nothing(workflows: Workflows) -> None:
    for generated in workflows.values():
        for name, job in read(generated)["jobs"].items():
            if not publishes(job):
                continue
            steps: Steps = job["steps"]
            assert not any(step.get("uses", "").startswith("actions/cache") for step in steps), name
            kept = [step["with"].get("cache") for step in steps if "with" in step]
            assert not any(kept), name
            assert job.get("cache-mode", "none") == "none"


def publishes(job: Mapping[str, Any]) -> bool:
    return "environment" in job or "write" in job["permissions"].values()


def test_every_job_ends_and_names_its_runner(workflows: Workflows) -> None:
    for generated in workflows.values():
        for job in read(generated)["jobs"].values():
            assert isinstance(job["timeout-minutes"], int)
            assert job["runs-on"]


def test_the_gate_waits_for_every_other_job(workflows: Workflows) -> None:
    for form, generated in workflows.items():
        sync = generated.subject.sync
        jobs = read(generated)["jobs"]
        if sync.mode == "single" or not sync.gate:
            assert not any("needs.*.result" in str(job) for job in jobs.values()), form
            continue
        gate = jobs.pop(sync.gate)
        assert gate["needs"] == list(jobs)
        assert gate["if"] == "${{ always() }}"
        assert gate["permissions"] == {}


def test_only_runs_of_pull_requests_are_cancelled(workflows: Workflows) -> None:
    for form, generated in workflows.items():
        concurrency = read(generated).get("concurrency")
        assert (concurrency is not None) == generated.subject.sync.concurrency, form
        if concurrency is None:
            continue
        assert "github.ref" in concurrency["group"]
        assert concurrency["cancel-in-progress"] in {
            False,
            "${{ github.event_name == 'pull_request' }}",
        }


def test_the_conservative_profile_leaves_out_what_is_new(workflows: Workflows) -> None:
    for (case, profile), generated in workflows.items():
        is_new = "cache-mode" in generated.text or "timezone" in generated.text
        assert is_new == (generated.subject.sync.profile == "2026"), (case, profile)
