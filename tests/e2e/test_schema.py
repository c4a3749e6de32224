"""`pipec schema`, and that what programs read has one."""

import json
from pathlib import Path

import jsonschema_rs
import pytest
from typer._click.core import Command, Context

from pipec import _core
from pipec.cli.app import Commands, open_app
from pipec.cli.schema_files import read_schema, schema_names
from pipec.cli.schemas import DOCUMENTS, OTHERS
from tests.conftest import Project
from tests.e2e.records import read_lines, validator

ROOT = Path(__file__).parents[2]


def commands(command: Command, path: str = "") -> dict[str, Command]:
    """Every command that does something, by its words."""
    context = Context(command)
    if isinstance(command, Commands):
        names = command.list_commands(context)
    else:
        names = list(getattr(command, "commands", ()))
    if not names:
        return {path: command}
    found: dict[str, Command] = {}
    for name in names:
        child = command.get_command(context, name)  # type: ignore[attr-defined]
        found |= commands(child, f"{path}-{name}".lstrip("-"))
    return found


def test_every_command_that_prints_json_has_a_schema() -> None:
    printing = {
        name
        for name, command in commands(open_app()).items()
        for parameter in command.params
        if "--format" in parameter.opts and "json" in getattr(parameter.type, "choices", ())
    }
    # One is an option of its command, the other a family of commands that print the same.
    assert {*DOCUMENTS, *OTHERS} == {*printing, "run-dry", "publish"}
    assert {*OTHERS.values()} <= {*schema_names()}


@pytest.mark.parametrize("name", schema_names())
def test_a_schema_says_which_version_it_belongs_to(name: str) -> None:
    schema = json.loads(read_schema(name))
    jsonschema_rs.meta.validate(schema)
    assert schema["$schema"] == "http://json-schema.org/draft-07/schema#"
    assert schema["$id"] == f"urn:pipec:schema:{name.replace('/', ':')}:{_core.VERSION}"


def test_the_schemas_are_printed_and_written(project: Project) -> None:
    pipeline = (ROOT / "schemas/pipeline.schema.json").read_text(encoding="utf-8")
    assert project.pipec("schema").stdout == project.plain(pipeline.encode())
    assert project.pipec("schema", "--list").stdout.splitlines() == schema_names()
    check = (ROOT / "schemas/cli/check.schema.json").read_text(encoding="utf-8")
    assert project.pipec("schema", "cli/check").stdout == check
    assert project.pipec("schema", "--out", "a/b.json").stderr == "wrote a/b.json\n"
    assert project.read("a/b.json") == pipeline


def test_an_unknown_schema_offers_the_nearest(project: Project) -> None:
    result = project.pipec("schema", "pipline")
    assert result.status == 2
    assert "there is no schema `pipline`\nhelp: did you mean `pipeline`?\n" in result.stderr
    assert project.pipec("schema", "../pyproject").status == 2


def test_the_schemas_of_lines_know_every_kind_and_no_other(project: Project) -> None:
    project.write("agent", "#!/bin/sh\ncat; exit $FAILS\n").chmod(0o755)
    project.write(
        "pipeline.toml",
        'name = "app"\nagents.a.command = ["./agent"]\n'
        "[commands]\noutput = { max-bytes = 4 }\n"
        '[[commands.rules]]\nprefix = "b"\naction = { mock = { code = 3 } }\n'
        '[[commands.rules]]\nprefix = "c"\naction = "deny"\n'
        '[[commands.rules]]\nprefix = "./agent"\naction = { require-approval = "me" }\n'
        '[tasks.x]\nallow-failure = true\nrun = [{ sh = "echo long text" }, "b"]\n'
        '[tasks.y]\nallow-failure = true\nrun = "c"\n'
        '[tasks.z]\nenv = { FAILS = { var = "FAILS" } }\n'
        'run = { agent = "a", prompt = "p", model = "m" }\n',
    )
    for fails in ("0", "1"):
        project.pipec("run", "x", "y", "z", "--approve", "me", env={"FAILS": fails})
    runs = project.folder / ".pipec/runs"
    commands = [
        line for path in runs.glob("*/commands.jsonl") for line in read_lines(path, "command")
    ]
    assert {line["action"] for line in commands} == {"allow", "mock", "deny"}
    assert {"output_left_out", "approved_by", "reason"} <= {
        name for line in commands for name in line
    }
    said = [line for path in runs.glob("*/agents/*") for line in read_lines(path, "transcript")]
    assert {line["kind"] for line in said} == {"request", "output", "response"}
    assert {"model", "error"} <= {name for line in said for name in line}
    for lines, schema in ((commands, "command"), (said, "transcript")):
        check = validator(schema)
        for line in lines:
            assert not check.is_valid({**line, "more": 1})
            assert not any(check.is_valid({**line, name: None}) for name in line)


def test_the_lines_of_a_journal_fit_their_schema(project: Project) -> None:
    project.write(
        "pipeline.toml",
        'name = "app"\n[tasks.a]\nrun = "echo x"\n[tasks.b]\nretry = 2\nrun = "exit 1"\n'
        '[tasks.c]\ndepends-on = ["a"]\ninputs = []\noutputs = []\ncache = true\nrun = "true"\n'
        '[tasks.d]\ndepends-on = ["b"]\nrun = "true"\n',
    )
    words = ("run", "c", "d")
    printed = project.start(*words, "--format", "jsonl").communicate(timeout=60)[0].decode()
    project.pipec(*words)
    kept = [path.read_text() for path in project.folder.glob(".pipec/runs/*/journal.jsonl")]
    check = jsonschema_rs.validator_for(json.loads(read_schema("journal-event")))
    lines = [json.loads(line) for text in (printed, *kept) for line in text.splitlines()]
    for line in lines:
        check.validate(line)
        assert not check.is_valid({**line, "event": "nothing"})
    assert {"run_started", "task_finished", "output_chunk", "run_finished"} <= {
        line["event"] for line in lines
    }
