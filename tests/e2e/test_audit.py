"""`pipec audit`: what a task does, held against what it declares."""

import json
import shutil
import subprocess
from collections.abc import Mapping
from typing import Any

import jsonschema_rs
import pytest
from inline_snapshot import snapshot

from tests.conftest import Project, Result
from tests.e2e.records import SCHEMAS, read_records

C_PROGRAM = """
#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static void copy(const char *from, const char *to) {
    char text[256];
    FILE *in = fopen(from, "r"), *out = fopen(to, "w");
    if (!in || !out) _exit(9);
    size_t n = fread(text, 1, sizeof text, in);
    fwrite(text, 1, n, out);
    fclose(in);
    fclose(out);
}

int main(int count, char **words) {
    copy("src/in", "out/made");
    if (count > 1) {
        struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(9)};
        inet_pton(AF_INET, "192.0.2.1", &to.sin_addr);
        int s = socket(AF_INET, SOCK_DGRAM, 0);
        sendto(s, "x", 1, 0, (struct sockaddr *)&to, sizeof to);
        if (chdir("planted")) return 8;
        copy("read", "../planted/wrote");
        rename("wrote", "renamed");
    }
    return 0;
}
"""

PYTHON_PROGRAM = """
import os, shutil, socket, subprocess, sys
import beside
shutil.copyfile("src/in", "out/made")
if len(sys.argv) > 1:
    s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    s.sendto(b"x", ("192.0.2.1", 9))
    os.chdir("planted")
    # In a process of its own, by a path that is relative to another folder.
    subprocess.run(["sh", "-c", "cat read > wrote; mv wrote renamed"], check=True)
"""

SHELL_PROGRAM = """
cat src/in > out/made
if [ $# -gt 0 ]; then
  python3 -c 'import socket
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.sendto(b"x", ("192.0.2.1", 9))'
  (cd planted && { read line < read; echo "$line" > wrote; } && mv wrote renamed)
fi
"""

PROGRAMS: Mapping[str, tuple[str, str]] = {
    "c": ("run", "bin/program"),
    "c-static": ("run", "bin/program"),
    "python": ("src/program.py", "python3 src/program.py"),
    "shell": ("src/program.sh", "sh src/program.sh"),
}


def prepare(project: Project, language: str) -> str:
    """Writes the program of a language, and gives the command that starts it."""
    project.write("src/in", "1\n")
    project.write("planted/read", "2\n")
    project.write("out/.keep")
    match language:
        case "python":
            project.write("src/program.py", PYTHON_PROGRAM)
            project.write("src/beside.py", "VALUE = 1\n")
        case "shell":
            project.write("src/program.sh", SHELL_PROGRAM)
        case _:
            source = project.write("src/program.c", C_PROGRAM)
            (project.folder / "bin").mkdir()
            static = ["-static"] if language == "c-static" else []
            compile_ = ["cc", "-o", str(project.folder / "bin/program"), *static, str(source)]
            subprocess.run(compile_, check=True, env=project.environment)
    return PROGRAMS[language][1]


def audited(project: Project, *words: str) -> dict[str, Any]:
    """The answer for programs, which keeps to its schema."""
    out = json.loads(project.start("audit", *words, "--format", "json").communicate()[0])
    schema = json.loads((SCHEMAS / "cli/audit.schema.json").read_text(encoding="utf-8"))
    jsonschema_rs.validator_for(schema).validate(out)
    return out


def told(document: dict[str, Any]) -> set[tuple[str, str]]:
    """Code and path of each finding."""
    found = document["findings"]
    return {(one["code"].removeprefix("PIPEC_"), one.get("path", "")) for one in found}


@pytest.mark.parametrize("language", PROGRAMS)
def test_every_planted_read_and_write_is_found(project: Project, language: str) -> None:
    command = prepare(project, language)
    inputs = '["src/**", "bin/**"]' if language.startswith("c") else '["src/**"]'
    task = f'inputs = {inputs}\noutputs = ["out/made"]\nrun = "{command} plant"\n'
    project.write("pipeline.toml", f"name = 'app'\n[tasks.build]\n{task}")
    document = audited(project, "build")
    source = {("UNUSED_INPUT", "src/program.c")} if language.startswith("c") else set()
    assert told(document) == {
        ("UNDECLARED_READ", "planted/read"),
        ("UNDECLARED_WRITE", "planted/renamed"),
        ("NETWORK_USED", ""),
        *source,
    }
    assert document["errors"] == 3
    assert project.pipec("audit", "build").status == 1


@pytest.mark.parametrize("language", PROGRAMS)
def test_a_complete_declaration_has_no_findings(project: Project, language: str) -> None:
    command = prepare(project, language)
    inputs = '["src/in", "bin/program"]' if language.startswith("c") else '["src/**"]'
    task = f'inputs = {inputs}\noutputs = ["out/made"]\nrun = "{command}"\n'
    project.write("pipeline.toml", f"name = 'app'\n[tasks.build]\n{task}")
    assert project.pipec("audit", "build") == Result("build declares all that it does\n", "", 0)
    assert project.read("out/made") == "1\n"


PIPELINE = """\
name = "app"

# What everything else needs.
[tasks.make]
outputs = ["made/**"]
run = "mkdir -p made; echo 1 > made/a; echo 2 > made/b"

[tasks.pack] # the last one
# sources
inputs = [
  "src/**", # all
  "idle/*",
]
run = "cat src/a conf.ini lib/1 lib/2 lib/3 lib/4 made/a > result; mkdir -p dist; cp src/a dist/a"
"""


@pytest.fixture
def app(project: Project) -> Project:
    project.write("pipeline.toml", PIPELINE)
    for path in ("src/a", "conf.ini", "idle/x", "idle/y", "lib/1", "lib/2", "lib/3", "lib/4"):
        project.write(path, path)
    project.pipec("run", "make")
    return project


def test_an_audit_says_each_thing_once(app: Project) -> None:
    assert app.pipec("audit", "pack") == snapshot(
        Result(
            stdout="""\
error[PIPEC_UNDECLARED_READ]: reads `conf.ini`, which is no input
error[PIPEC_UNDECLARED_READ]: reads `lib/1`, which is no input
error[PIPEC_UNDECLARED_READ]: reads `lib/2`, which is no input
error[PIPEC_UNDECLARED_READ]: reads `lib/3`, which is no input
error[PIPEC_UNDECLARED_READ]: reads `lib/4`, which is no input
error[PIPEC_UNDECLARED_READ]: reads `made/a`, an output of `make`, and does not depend on it
error[PIPEC_UNDECLARED_WRITE]: writes `dist/a`, which is no output
error[PIPEC_UNDECLARED_WRITE]: writes `result`, which is no output
warning[PIPEC_UNUSED_INPUT]: nothing that the input `idle/*` selects was read
""",
            stderr="pack does 8 things that it does not declare\n",
            status=1,
        )
    )


def test_an_audit_stores_nothing_and_records_nothing(app: Project) -> None:
    before = len(read_records(app.folder))
    app.pipec("audit", "pack")
    assert len(read_records(app.folder)) == before


def test_fix_declares_what_was_missing_and_keeps_every_comment(app: Project) -> None:
    fixed = app.pipec("audit", "pack", "--fix")
    assert fixed.status == 0
    assert app.read("pipeline.toml") == snapshot(
        """\
name = "app"

# What everything else needs.
[tasks.make]
outputs = ["made/**"]
run = "mkdir -p made; echo 1 > made/a; echo 2 > made/b"

[tasks.pack] # the last one
# sources
inputs = [
  "src/**", # all
  "idle/*",
  "conf.ini",
  "lib/**",
]
run = "cat src/a conf.ini lib/1 lib/2 lib/3 lib/4 made/a > result; mkdir -p dist; cp src/a dist/a"
depends-on = ["make"]
outputs = ["dist/a", "result"]
"""
    )
    again = app.pipec("audit", "pack")
    assert "error" not in again.stdout
    assert again.status == 0


def test_fix_leaves_what_no_pattern_declares(app: Project) -> None:
    app.write("pipeline.toml", "name = 'app'\n[tasks.t]\nrun = 'rm conf.ini; cat src/a'\n")
    result = app.pipec("audit", "t", "--fix")
    assert "removes `conf.ini`" in result.stdout
    assert "added inputs: src/a" in result.stdout
    assert result.status == 1


def test_fix_leaves_inherited_patterns_and_yaml_alone(app: Project) -> None:
    text = 'name = "app"\n[task-defaults.t]\ninputs = ["src/**"]\n[tasks.t]\nrun = "cat conf.ini"\n'
    app.write("pipeline.toml", text)
    refused = app.pipec("audit", "t", "--fix")
    assert refused.status == 2
    assert app.read("pipeline.toml") == text
    (app.folder / "pipeline.toml").unlink()
    app.write("pipeline.yaml", "name: app\ntasks:\n  t: { run: cat conf.ini }\n")
    refused = app.pipec("audit", "t", "--fix")
    assert "error[PIPEC_NOT_SUPPORTED]" in refused.stderr


def test_a_name_full_of_magic_is_declared_as_it_is(app: Project) -> None:
    app.write("we[i]rd*{1}.txt", "x")
    app.write("pipeline.toml", "name = 'app'\n[tasks.t]\nrun = 'cat we*'\ninputs = []\n")
    assert app.pipec("audit", "t", "--fix").status == 0
    assert app.pipec("audit", "t").stdout == "t declares all that it does\n"


def test_a_task_that_fails_is_told_with_what_was_seen(app: Project) -> None:
    app.write("pipeline.toml", "name = 'app'\n[tasks.t]\nrun = 'cat conf.ini; echo oh; exit 4'\n")
    result = app.pipec("audit", "t")
    assert "reads `conf.ini`" in result.stdout
    assert "ended with exit status 4" in result.stderr
    assert "oh" in result.stderr
    assert result.status == 1


def test_what_it_depends_on_runs_first_and_is_covered(app: Project) -> None:
    shutil.rmtree(app.folder / "made")
    app.write(
        "pipeline.toml",
        PIPELINE.replace('run = "cat src/a conf', 'depends-on = ["make"]\nrun = "cat src/a conf'),
    )
    document = audited(app, "pack")
    assert ("UNDECLARED_READ", "made/a") not in told(document)
    app.write(
        "pipeline.toml",
        PIPELINE.replace("mkdir -p made", "exit 3").replace(
            'run = "cat src/a conf', 'depends-on = ["make"]\nrun = "cat src/a conf'
        ),
    )
    assert "did not pass" in app.pipec("audit", "pack").stderr


def test_installed_packages_are_one_finding_until_their_lock_is_an_input(app: Project) -> None:
    for number in range(5):
        app.write(f"node_modules/p{number}/index.js", "x")
    app.write("package-lock.json", "{}")
    text = "name = 'app'\n[tasks.t]\nrun = 'cat node_modules/*/index.js package-lock.json'\n"
    app.write("pipeline.toml", text + "inputs = []\n")
    assert ("UNDECLARED_READ", "node_modules") in told(audited(app, "t"))
    app.write("pipeline.toml", text + "inputs = ['package-lock.json']\n")
    assert told(audited(app, "t")) == set()


def test_files_outside_of_the_project_are_told_and_the_system_s_are_not(app: Project) -> None:
    outside = app.folder.parent / "outside.txt"
    outside.write_text("x")
    app.write(
        "pipeline.toml", f"name = 'app'\n[tasks.t]\nrun = 'cat /etc/passwd {outside}; ls /'\n"
    )
    assert told(audited(app, "t")) == {("UNDECLARED_READ", str(outside))}


def test_scratch_files_that_are_gone_are_no_findings(app: Project) -> None:
    run = "echo 1 > note.tmp; cat note.tmp; rm note.tmp; mktemp | xargs rm"
    app.write("pipeline.toml", f"name = 'app'\n[tasks.t]\nrun = '{run}'\n")
    assert told(audited(app, "t")) == set()


def test_to_open_a_folder_reads_no_file(app: Project) -> None:
    """Programs in Go do so on their way up, and those that empty a folder of scratch."""
    app.write(
        "list.py",
        "import os, tempfile\n"
        "for folder in ('.', '..', '/'):\n"
        "    os.close(os.open(folder, os.O_RDONLY))\n"
        "for inside in (None, '.'):\n"
        "    made = tempfile.mkdtemp(dir=inside)\n"
        "    os.close(os.open(made, os.O_RDONLY))\n"
        "    os.rmdir(made)\n",
    )
    run = "inputs = ['list.py']\nrun = 'python3 list.py'\n"
    app.write("pipeline.toml", f"name = 'app'\n[tasks.t]\n{run}")
    assert told(audited(app, "t")) == set()


def test_caches_of_tools_are_left_to_them(app: Project) -> None:
    tag = "Signature: 8a477f597d28d172789f06886806bc55\n# made by a tool\n"
    for number in range(3):
        app.write(f".tool_cache/0.1/{number}", "x")
        app.write(f".examples/db/{number}", "x")
    app.write(".git/info/exclude", "*.swp\n")
    run = "cat .tool_cache/0.1/* .examples/db/* .git/info/exclude; rm .tool_cache/0.1/1; "
    run += "date > .tool_cache/0.1/2; date > .examples/db/new"
    app.write("pipeline.toml", f"name = 'app'\n[tasks.t]\ninputs = []\nrun = '{run}'\n")
    reads = {("UNDECLARED_READ", f"{folder}/{number}") for number in range(3)
             for folder in (".tool_cache/0.1", ".examples/db")}  # fmt: skip
    assert told(audited(app, "t")) >= reads
    app.write(".tool_cache/0.1/1", "x")
    app.write(".tool_cache/CACHEDIR.TAG", tag)
    app.write(".examples/.gitignore", "# made by a tool\n*\n")
    once = {("UNDECLARED_READ", ".examples"), ("UNDECLARED_WRITE", ".examples")}
    document = audited(app, "t")
    assert told(document) == once
    assert len(document["findings"]) == len(once)
    before = (app.folder / "pipeline.toml").read_text()
    assert app.pipec("audit", "t", "--fix").status == 1
    assert (app.folder / "pipeline.toml").read_text() == before


def test_a_server_of_its_own_is_no_network(app: Project) -> None:
    app.write(
        "serve.py",
        "import socket\n"
        "s = socket.create_server(('127.0.0.1', 0))\n"
        "socket.create_connection(s.getsockname()).close()\n",
    )
    run = "inputs = ['serve.py']\nrun = 'python3 serve.py'\n"
    app.write("pipeline.toml", f"name = 'app'\n[tasks.t]\n{run}")
    assert told(audited(app, "t")) == set()


def test_a_file_is_read_by_whichever_name_it_goes(app: Project) -> None:
    app.write(
        "names.py",
        "import os\n"
        "folder = os.open('lib', os.O_RDONLY)\n"
        "os.close(os.open('1', os.O_RDONLY, dir_fd=folder))\n"
        "open('link').close()\n"
        "open('folder/2').close()\n"
        "os.link('lib/3', 'out')\n"
        "os.symlink('lib/4', 'own')\n"
        "open('own').close()\n",
    )
    (app.folder / "link").symlink_to("conf.ini")
    (app.folder / "folder").symlink_to("lib")
    task = "inputs = ['names.py']\noutputs = ['out', 'own']\nrun = 'python3 names.py'\n"
    app.write("pipeline.toml", f"name = 'app'\n[tasks.t]\n{task}")
    read = ("lib/1", "link", "conf.ini", "folder", "lib/2", "lib/3", "lib/4")
    assert told(audited(app, "t")) == {("UNDECLARED_READ", path) for path in read}
    declared = f"inputs = {['names.py', *read[1:4], 'lib/*']}"
    app.write("pipeline.toml", f"name = 'app'\n[tasks.t]\n{task.replace(INPUTS, declared)}")
    (app.folder / "out").unlink()
    (app.folder / "own").unlink()
    assert told(audited(app, "t")) == set()


INPUTS = "inputs = ['names.py']"


@pytest.mark.parametrize("made", ["mkdir -p new/deep", "mkdir new; mv new other; mkdir other/deep"])
def test_what_is_in_a_folder_that_was_moved_was_written(app: Project, made: str) -> None:
    name = "other" if "other" in made else "new"
    run = f"{made}; echo 1 > {name}/deep/a; mv {name} dist; cat dist/deep/a; mv lib kept"
    app.write("pipeline.toml", f"name = 'app'\n[tasks.t]\nrun = '{run}'\n")
    kept = {("UNDECLARED_WRITE", f"kept/{number}") for number in range(1, 5)}
    found = {("UNDECLARED_WRITE", "dist/deep/a"), ("UNDECLARED_WRITE", "lib"), *kept}
    assert told(audited(app, "t")) == found
    shutil.rmtree(app.folder / "dist")
    (app.folder / "kept").rename(app.folder / "lib")
    whole = run.replace("; mv lib kept", "")
    app.write("pipeline.toml", f"name='app'\n[tasks.t]\noutputs=['dist/**']\nrun='{whole}'\n")
    assert told(audited(app, "t")) == set()


def test_without_strace_it_says_so(app: Project) -> None:
    folder = app.folder / "few"
    folder.mkdir()
    for name in ("sh", "cat", "mkdir", "cp"):
        program = shutil.which(name)
        assert program is not None
        (folder / name).symlink_to(program)
    result = app.pipec("audit", "make", env={"PATH": str(folder)})
    assert result.stderr.startswith("error[PIPEC_CANNOT_TRACE]")
    assert result.status == 1
