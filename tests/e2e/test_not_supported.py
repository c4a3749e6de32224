"""What the language has and this version does not do is refused only when it is asked for."""

import pytest

from tests.conftest import Project

TASKS = """
[tasks.a]
inputs = []
outputs = ["out"]
cache = true
run = "echo a > out"
"""


def refusal(what: str) -> str:
    return (
        f"error[PIPEC_NOT_SUPPORTED]: {what}, which this version of pipec cannot use yet\n"
        "help: pipec explain PIPEC_NOT_SUPPORTED\n"
    )


REFUSED = {
    "sources": (
        '[sources.other]\npath = "../other"\n[tasks.b]\ndepends-on = ["other:test"]\nrun = "true"',
        "b",
        "`b` needs `other:test`, a task of a member or source",
    ),
    "job of a source": (
        '[sources.other]\npath = "../other"\n[jobs.j]\ntarget = ["a", "other:test"]',
        "j",
        "the job `j` runs `other:test`, a task of a member or source",
    ),
    "workspace": (
        '[workspace]\nmembers = ["m/*"]\n[tasks.b]\ndepends-on = ["*:test"]\nrun = "true"',
        "b",
        "`b` needs `*:test`, a task of a member or source",
    ),
    "depends": ('depends = ["x"]', "a", "this pipeline depends on others with `depends`"),
    "sandbox": (
        (
            "[sandboxes.s.local]\n"
            '[execution.p]\ntarget = "local"\nsandbox = "s"\n'
            '[jobs.j]\ntarget = "a"\nexecution = "p"'
        ),
        "j",
        "the job `j` runs in the sandbox of its profile `p`",
    ),
    "store": (
        (
            '[cache.stores.team]\nredis = { url = "redis://x" }\n'
            '[tasks.b]\ncache = "team"\ninputs = []\noutputs = []\nrun = "true"'
        ),
        "b",
        "`b` is cached in `team`, a redis store",
    ),
}


@pytest.mark.parametrize("case", REFUSED)
def test_a_run_that_would_come_out_differently_is_refused(project: Project, case: str) -> None:
    text, target, what = REFUSED[case]
    project.write("pipeline.toml", f'name = "app"\n{TASKS}')
    assert project.pipec("run", "a").status == 0
    top, rest = ("", text) if text.startswith("[") else (text, "")
    project.write("pipeline.toml", f'name = "app"\n{top}\n{TASKS}\n{rest}\n')
    assert project.pipec("check").status == 0
    # The second time the file is compiled, and everything that can be in place is.
    for _ in range(2):
        result = project.pipec("run", target)
        assert (result.status, result.stderr.endswith(refusal(what))) == (2, True), result.stderr


def test_what_does_not_need_it_runs(project: Project) -> None:
    project.write(
        "pipeline.toml",
        f"""
name = "app"
schedule = "nightly"
{TASKS}
[sources.other]
path = "../other"
[sandboxes.s.local]
[execution.ci]
target = "github"
sandbox = "s"
[execution.here]
target = "local"
[jobs.j]
target = "a"
execution = "here"
""",
    )
    assert project.pipec("run", "j").status == 0
    assert project.pipec("run", "j").status == 0


@pytest.mark.parametrize(
    ("name", "owner"),
    [("other:x", "the source `other`"), ("web:x", "the workspace"), ("build", "every member")],
)
def test_a_task_that_is_elsewhere_is_not_unknown(project: Project, name: str, owner: str) -> None:
    project.write(
        "pipeline.toml",
        'name = "app"\n[sources.other]\npath = "../other"\n'
        '[workspace]\nmembers = ["m"]\n[workspace.tasks.build]\nrun = "true"\n',
    )
    result = project.pipec("run", name)
    assert result.status == 2
    message = f"`{name}` is a task of {owner}, which this version of pipec cannot run yet"
    assert f"error[PIPEC_NOT_SUPPORTED]: {message}\n" in result.stderr
