"""What jobs, steps and events of GitHub workflows become."""

import pytest

from tests.unit.importers.rig import findings_of, write_all

CI = ".github/workflows/ci.yml"


def github(importing, text, **more):
    return importing("github", {CI: text, **more})


def job(lines):
    return f"on: push\njobs:\n  a:\n    runs-on: ubuntu-latest\n{lines}"


def test_jobs_are_tasks_and_jobs(importing):
    text = (
        "on: [push]\njobs:\n  a:\n    name: Lint it\n    runs-on: [self-hosted, x]\n"
        "    steps: [{run: npm ci}, {run: npm test}]\n"
        "  b:\n    needs: a\n    timeout-minutes: 5\n    continue-on-error: true\n"
        "    environment: prod\n    permissions: {contents: read}\n    steps: [{run: x}]\n"
    )
    result = github(importing, text)
    assert result.task("a") == {
        "description": "Lint it",
        "shell": "bash",
        "run": ["npm ci", "npm test"],
    }
    assert result.task("b") == {
        "depends-on": ["a"],
        "shell": "bash",
        "timeout": "5m",
        "run": "x",
        "allow-failure": True,
    }
    assert result.values["jobs"]["a"]["github"] == {"runs-on": ["self-hosted", "x"]}
    assert result.values["jobs"]["b"] == {
        "target": "b",
        "trigger": ["push"],
        "environment": "prod",
        "needs": ["a"],
        "github": {"permissions": {"contents": "read"}, "timeout-minutes": 5},
    }


def test_events_are_triggers(importing):
    text = (
        "on:\n  push: {branches-ignore: [x], tags: ['v*']}\n  pull_request: {types: [opened]}\n"
        "  schedule: [{cron: '1 2 * * *'}, {cron: nonsense}]\n  workflow_dispatch:\n"
        "  workflow_call:\njobs:\n  a: {runs-on: x, steps: [{run: y}]}\n"
    )
    result = github(importing, text)
    assert result.values["triggers"] == {
        "push": {"github": {"events": ["push"], "branches": ["**", "!x"], "tags": ["v*"]}},
        "pull-request": {"github": {"events": ["pull_request"], "types": ["opened"]}},
        "schedule": {"cron": "1 2 * * *"},
        "manual": {"manual": True},
    }
    dropped = " ".join(result.notes("dropped"))
    assert "workflow_call" in dropped
    assert "nonsense" in dropped


def test_inputs_are_parameters(importing):
    text = (
        "on:\n  workflow_dispatch:\n    inputs:\n"
        "      level: {required: true, type: choice, options: [a]}\n"
        "      dry-run: {type: boolean, default: true}\n      note: {description: Why}\n"
        "jobs:\n  a:\n    runs-on: x\n    steps: [{run: 'x ${{ inputs.dry-run }}'}]\n"
    )
    result = github(importing, text)
    assert result.values["jobs"]["a"]["params"] == {
        "level": {"type": "choice", "choices": ["a"]},
        "dry-run": {"type": "bool", "default": True},
        "note": {"type": "string", "default": "", "description": "Why"},
    }
    assert result.task("a")["run"] == "x ${PIPEC_PARAM_DRY_RUN:-}"


def test_a_matrix_of_runners_and_of_values(importing):
    lines = (
        "    strategy:\n      matrix:\n        os: [linux, mac]\n        v: [1, 3.10]\n"
        "        include: [{v: 1, x: y}]\n"
        "    steps: [{run: 'x ${{ matrix.v }}'}]\n"
    )
    text = job(lines).replace("ubuntu-latest", "${{ matrix.os }}")
    result = github(importing, text)
    assert result.task("a")["matrix"] == {
        "os": ["linux", "mac"],
        "v": [1, "3.1"],
        "include": [{"v": 1, "x": "y"}],
    }
    assert result.values["jobs"]["a"]["github"]["runs-on-matrix"] == ["linux", "mac"]
    simple = text.replace("        include: [{v: 1, x: y}]\n", "")
    assert github(importing, simple).task("a")["matrix"] == {"v": [1, "3.1"]}


@pytest.mark.parametrize(
    ("expression", "command"),
    [
        ("secrets.TOKEN", "x ${TOKEN}"),
        ("vars.MODE", "x ${MODE}"),
        ("env.A", "x ${A}"),
        ("github.sha", "x ${GITHUB_SHA:-}"),
        ("matrix.node-version", "x ${PIPEC_MATRIX_NODE_VERSION}"),
    ],
)
def test_expressions_are_variables(importing, expression, command):
    result = github(importing, job(f"    steps: [{{run: 'x ${{{{ {expression} }}}}'}}]\n"))
    assert result.task("a")["run"] == command


def test_what_only_github_can_evaluate_is_dropped(importing):
    lines = (
        "    if: github.ref == 'x'\n    services: {db: {image: x}}\n    steps:\n"
        "      - run: echo ${{ hashFiles('x') }}\n      - {run: y, if: 'always()'}\n"
        "      - uses: actions/setup-go@v5\n      - uses: actions/checkout@v4\n"
        "      - uses: a/b@v1\n"
    )
    result = github(importing, job(lines))
    assert result.task("a")["run"] == "y"
    assert result.task("a")["requires"] == {"tools": ["go"]}
    dropped = " ".join(result.notes("dropped"))
    for part in ("`if`", "`services`", "hashFiles", "actions/checkout", "a/b@v1"):
        assert part in dropped
    assert "actions/setup-go" in " ".join(result.notes("approximated"))


def test_steps_have_options(importing):
    lines = (
        "    env: {T: '${{ secrets.T }}', V: '${{ vars.V }}', X: '${{ steps.a.b }}'}\n"
        "    defaults: {run: {working-directory: web}}\n    steps:\n"
        "      - {name: One, run: x, env: {A: 1}, timeout-minutes: 2, shell: python}\n"
        "      - {run: y, continue-on-error: true, working-directory: .}\n"
    )
    result = github(importing, job(lines))
    assert result.task("a")["env"] == {"T": {"secret": "T"}, "V": {"var": "V", "default": ""}}
    assert result.task("a")["run"] == [
        {
            "sh": "x",
            "name": "One",
            "cwd": "web",
            "env": {"A": "1"},
            "shell": ["python", "-c"],
            "timeout": "2m",
        },
        {"sh": "(y) || true", "cwd": "."},
    ]


def test_several_workflows_are_groups(importing):
    other = "on: push\njobs:\n  a: {runs-on: x, steps: [{run: z}]}\n  call: {uses: ./x.yml}\n"
    result = github(
        importing, job("    steps: [{run: y}]\n"), **{".github/workflows/nightly.yaml": other}
    )
    assert set(result.edges) == {"ci.a", "nightly.a"}
    assert set(result.values["jobs"]) == {"ci-a", "nightly-a"}
    assert set(result.values["triggers"]) == {"ci-push", "nightly-push"}
    assert any("uses: ./x.yml" in note for note in result.notes("dropped"))


@pytest.mark.parametrize(
    ("text", "finding"),
    [
        ("jobs: {a", "PIPEC_IMPORT_SYNTAX"),
        ("jobs: [1]", "PIPEC_WRONG_TYPE (0, 4): `jobs` is a table, not a list"),
        ("jobs: {a: {steps: {b: c}}}", "PIPEC_WRONG_TYPE (11, 16): `steps` is a list"),
    ],
)
def test_a_file_that_github_could_not_read(tmp_path, text, finding):
    write_all(tmp_path, {CI: text})
    assert findings_of(tmp_path, "github")[0].startswith(finding)


def test_filters_that_github_would_not_take_are_dropped(importing):
    text = (
        "on:\n  push: {branches: ['a[b', main], tags: [v*]}\n"
        "  pull_request: {tags: [v1], types: [opened, nonsense], paths-ignore: ['docs/**']}\n"
        "  issues: {branches-ignore: [main]}\n  repository_dispatch: {types: [anything]}\n"
        "jobs:\n  a: {runs-on: x, steps: [{run: x}]}\n"
    )
    result = github(importing, text)
    assert [trigger["github"] for trigger in result.values["triggers"].values()] == [
        {"events": ["push"], "branches": ["main"], "tags": ["v*"]},
        {"events": ["pull_request"], "paths": ["**", "!docs/**"], "types": ["opened"]},
        {"events": ["issues"]},
        {"events": ["repository_dispatch"], "types": ["anything"]},
    ]
    assert result.notes("dropped") == [
        f"{CI}:2: `branches`: `a[b`: `[` is never closed",
        f"{CI}:3: `tags`: the event `pull_request` is not filtered by it",
        f"{CI}:3: `types`: the event `pull_request` has not all of these activities",
        f"{CI}:4: `branches-ignore`: the event `issues` is not filtered by it",
    ]


def test_what_the_language_cannot_hold_goes_alone(importing):
    lines = (
        "    permissions: {contents: read, models: read, id-token: write}\n"
        "    timeout-minutes: 0\n    steps:\n      - run: one\n      - run: two\n"
        "        working-directory: ../x\n        timeout-minutes: 0\n      - run: three\n"
    )
    result = github(importing, job(lines))
    assert result.task("a") == {"shell": "bash", "run": ["one", "three"]}
    settings = {
        "runs-on": "ubuntu-latest",
        "permissions": {"contents": "read", "id-token": "write"},
    }
    assert result.values["jobs"]["a"]["github"] == settings
    assert result.notes("dropped") == [
        f"{CI}:3: a: `two` of `run`: `../x` leaves the project",
        f"{CI}:3: a: `timeout`: a duration is at least 1 ms, and this one is `0m`",
        f"{CI}:3: job `a`: `timeout-minutes` of `github`: it has to be greater than or equal to 1",
        f"{CI}:3: job `a`: `models` of `permissions` of `github`: pipec does not know it",
    ]


def test_a_task_whose_steps_all_go_has_none(importing):
    result = github(importing, job("    steps: [{run: x, working-directory: ../x}]\n"))
    assert "run" not in result.task("a")
