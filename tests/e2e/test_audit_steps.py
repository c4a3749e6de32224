"""`pipec audit` of tasks whose steps are functions and agents, and of those that a policy rules."""

import json

from tests.conftest import Project

CALLED = """
import importlib, json, subprocess
from tools import deep

def go(ctx):
    deep.copy("src/in", "out/made")
    ctx.log(json.dumps({"a": 1}))
    if ctx.args.get("planted"):
        importlib.import_module("tools.hidden")
        subprocess.run(["sh", "-c", "cat planted/read > planted/wrote"], check=True)
        import socket
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(b"x", ("192.0.2.1", 9))
"""
DEEP = "import shutil\ndef copy(a, b):\n    shutil.copyfile(a, b)\n"
RETURNED = """
from pipec import sh

def go(ctx):
    names = open("planted/read").read().split()
    if ctx.args.get("planted"):
        open("planted/wrote", "w").close()
    return [sh("cat src/in {} > out/made", name) for name in names]
"""


def findings(project: Project, status: int) -> list[tuple[str, str | None]]:
    result = project.pipec("audit", "task", "--format", "json")
    assert result.status == status, result.stderr
    document = json.loads(result.stdout)
    assert "failure" not in document
    return [(finding["code"], finding.get("path")) for finding in document["findings"]]


def write(project: Project, run: str, *, more: str = "") -> None:
    project.write(
        "pipeline.toml",
        f'name = "app"\n{more}[tasks.task]\ninputs = ["src"]\noutputs = ["out"]\ncache = true\n'
        f"run = [{run}]\n",
    )
    project.write("src/in", "x\n")
    project.write("planted/read", "src/in\n")
    project.write("out/.keep", "")
    project.write("tools/called.py", CALLED)
    project.write("tools/deep.py", DEEP)
    project.write("tools/hidden.py", "")
    project.write("tools/returned.py", RETURNED)


def test_a_function_that_declares_all_has_no_findings_and_python_none_of_its_own(
    project: Project,
) -> None:
    write(project, '{ call = "tools.called:go" }')
    assert findings(project, 0) == []
    assert project.read("out/made") == "x\n"


def test_what_a_function_and_its_children_plant_is_found(project: Project) -> None:
    write(project, '{ call = "tools.called:go", with = { planted = true } }')
    assert findings(project, 1) == [
        ("PIPEC_UNDECLARED_READ", "planted/read"),
        # Imported by name at run time: no key has seen it.
        ("PIPEC_UNDECLARED_READ", "tools/hidden.py"),
        ("PIPEC_UNDECLARED_WRITE", "planted/wrote"),
        ("PIPEC_NETWORK_USED", None),
    ]


def test_commands_that_a_function_returns_are_traced_and_what_it_needed_for_that_is_not(
    project: Project,
) -> None:
    write(project, '{ dynamic = "tools.returned:go" }')
    # It is asked in every run, and what it returns is in the key.
    assert findings(project, 0) == []
    assert project.read("out/made") == "x\nx\n"
    write(project, '{ dynamic = "tools.returned:go", with = { planted = true } }')
    project.write("planted/read", "planted/other")
    project.write("planted/other", "y\n")
    assert findings(project, 1) == [
        ("PIPEC_UNDECLARED_READ", "planted/other"),
        ("PIPEC_UNDECLARED_WRITE", "planted/wrote"),
    ]


def test_a_function_that_fails_is_told_as_in_a_run(project: Project) -> None:
    for run, message in (
        ('{ call = "tools.nothing:go" }', "there is no module `tools.nothing`"),
        ('{ dynamic = "tools.called:go" }', "returned `NoneType`"),
    ):
        write(project, run)
        result = project.pipec("audit", "task")
        assert result.status == 1
        assert message in result.stderr, result.stderr


def test_an_agent_answers_for_the_project_only(project: Project) -> None:
    project.write(
        "agent",
        "#!/bin/sh\ncat - src/in\ncat planted/read > planted/wrote\ncat ../settings\n"
        'exec python3 -c "import socket as s; s.socket(s.AF_INET, s.SOCK_DGRAM)'
        ".sendto(b'x', ('192.0.2.1', 9))\"\n",
    ).chmod(0o755)
    (project.folder.parent / "settings").write_text("")
    agents = 'agents.a.command = ["./agent"]\n'
    step = '{ agent = "a", prompt-file = "planted/prompt", stdout-to = "out/answer" }'
    write(project, step, more=agents)
    project.write("planted/prompt", "why\n")
    found = findings(project, 1)
    assert found == [
        ("PIPEC_UNDECLARED_READ", "agent"),
        ("PIPEC_UNDECLARED_READ", "planted/read"),
        ("PIPEC_UNDECLARED_WRITE", "planted/wrote"),
    ]
    assert project.read("out/answer") == "why\nx\n"
    write(project, step.replace("out/answer", "planted/answer"), more=agents)
    assert ("PIPEC_UNDECLARED_WRITE", "planted/answer") in findings(project, 1)


def test_what_may_not_run_is_not_audited_either(project: Project) -> None:
    rules = '[[commands.rules]]\nprefix = "touch"\naction = '
    for action in ('"deny"', '{ require-approval = "me" }'):
        write(project, '"touch out/made"', more=f"{rules}{action}\n")
        result = project.pipec("audit", "task")
        assert result.status == 1
        assert "task: `touch out/made` " in result.stderr
        assert not (project.folder / "out/made").exists()
    assert project.pipec("audit", "task", env={"PIPEC_APPROVE": "me"}).status == 0
    write(project, '"cat src/in", "touch planted/x"', more=f"{rules}{{ mock = {{ code = 0 }} }}\n")
    assert findings(project, 0) == []
    assert not (project.folder / "planted/x").exists()


def test_services_are_refused_with_what_to_do_instead(project: Project) -> None:
    project.write(
        "pipeline.toml",
        'name = "app"\n[tasks.web]\nrun = "exec sleep 300"\nservice = {}\n'
        '[tasks.task]\ndepends-on = ["web"]\nrun = "true"\n',
    )
    for name, why, instead in (
        ("web", "`web` is a service, which does not end by itself", "name a task that ends"),
        ("task", "`task` needs the service `web`, which is only up in a run", "run-task task"),
    ):
        result = project.pipec("audit", name)
        assert result.status == 1
        assert why in result.stderr
        assert instead in result.stderr.partition("help: ")[2]


def test_functions_run_twice_are_compared(project: Project) -> None:
    write(project, '{ call = "tools.called:go" }')
    result = project.pipec("verify", "--twice", "task")
    assert result.status == 0, result.stderr
    project.write("tools/deep.py", "def copy(a, b):\n    open(b, 'w').write(__file__)\n")
    result = project.pipec("verify", "--twice", "task")
    assert result.status == 1
    assert "out/made" in result.stdout
