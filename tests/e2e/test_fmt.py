"""`pipec fmt`: the canonical layout of a pipeline file."""

import errno
import os
import stat

import pytest
from inline_snapshot import snapshot

from pipec.cli.main import main
from tests.conftest import Result

UNTIDY = """\
#:schema .pipec/pipeline.schema.json
# The pipeline of the app.

cache = "file:local"
# what it is called
name   =  "app" # short


[jobs.verify]
target=[ "build" ]

# Everything about the web.

# builds it
[tasks . web.env]   # for all steps
MODE = "prod"
[tasks.web]
timeout = "5m"
run = ["pnpm install --frozen-lockfile --offline --prod", "pnpm build", {argv=["node", "check.js"]}]
inputs = [ "src/**", # sources
  # and what is locked
  'pnpm-lock.yaml' ]
requires.tools = ["node"]
  # pinned
description = "The web"
requires . secrets = [ ]
# nothing below

[tasks.build]
depends-on = ["web"]

# That is all.
"""

TIDY = """\
#:schema .pipec/pipeline.schema.json
# The pipeline of the app.

# what it is called
name = "app" # short
cache = "file:local"

[tasks.web]
# pinned
description = "The web"
inputs = [
  "src/**",  # sources
  # and what is locked
  'pnpm-lock.yaml',
]
timeout = "5m"
requires.tools = ["node"]
requires.secrets = []
run = [
  "pnpm install --frozen-lockfile --offline --prod",
  "pnpm build",
  { argv = ["node", "check.js"] },
]
# nothing below

# Everything about the web.

# builds it
[tasks.web.env]   # for all steps
MODE = "prod"

[tasks.build]
depends-on = ["web"]

[jobs.verify]
target = ["build"]

# That is all.
"""


def said(text, *, status=0, out=""):
    return Result(stdout=out, stderr=text, status=status)


def test_a_file_is_laid_out_and_keeps_its_comments(project):
    project.write("pipeline.toml", UNTIDY)
    assert project.pipec("fmt") == said("laid out pipeline.toml\n")
    assert project.read("pipeline.toml") == TIDY
    assert project.pipec("fmt") == said("pipeline.toml is laid out already\n")
    assert project.pipec("fmt", "--check") == said("pipeline.toml is laid out already\n")


def test_check_prints_the_difference_and_changes_nothing(project):
    text = 'cache = "file"\nname = "app"\n'
    project.write("pipeline.toml", text)
    assert project.pipec("fmt", "--check") == said(
        "",
        status=1,
        out="""\
--- pipeline.toml
+++ pipeline.toml (laid out)
@@ -1,2 +1,2 @@
+name = "app"
 cache = "file"
-name = "app"
""",
    )
    assert project.read("pipeline.toml") == text


def test_another_file_can_be_named(project):
    project.write("a/other.toml", 'cache = "file"\nname = "a"\n')
    assert project.pipec("fmt", "other.toml", cwd="a") == said("laid out other.toml\n")
    assert project.read("a/other.toml") == 'name = "a"\ncache = "file"\n'


def test_line_endings_byte_order_mark_and_mode_stay(project):
    path = project.folder / "pipeline.toml"
    path.write_bytes('\ufeffcache = "file"\r\nname = """a\r\nb"""\r\n'.encode())
    path.chmod(0o640)
    assert project.pipec("fmt") == said("laid out pipeline.toml\n")
    assert path.read_bytes() == '\ufeffname = """a\r\nb"""\r\ncache = "file"\r\n'.encode()
    assert stat.S_IMODE(path.stat().st_mode) == 0o640
    assert list(project.folder.iterdir()) == [path]


def test_a_link_stays_a_link(project):
    project.write("real/shared.toml", 'cache = "file"\nname = "a"\n')
    (project.folder / "pipeline.toml").symlink_to("real/shared.toml")
    assert project.pipec("fmt") == said("laid out pipeline.toml\n")
    assert (project.folder / "pipeline.toml").is_symlink()
    assert project.read("real/shared.toml") == 'name = "a"\ncache = "file"\n'


@pytest.mark.parametrize("text", ['cache = "file"\nname = \n', 'name = "a"\nname = "b"\n', "[a\n"])
def test_a_file_with_syntax_errors_is_not_touched(project, text):
    project.write("pipeline.toml", text)
    result = project.pipec("fmt")
    assert (result.stdout, result.status) == ("", 2)
    assert "error[PIPEC_" in result.stderr
    assert project.read("pipeline.toml") == text


def test_what_the_language_refuses_can_be_laid_out_all_the_same(project):
    project.write("pipeline.toml", 'extra = 1\nnan = nan\nname = "a"\n[tasks.b]\nrun = 3\n')
    assert project.pipec("fmt").status == 0
    assert project.read("pipeline.toml") == (
        'name = "a"\nextra = 1\nnan = nan\n\n[tasks.b]\nrun = 3\n'
    )


def test_yaml_is_checked_and_never_rewritten(project):
    text = "tasks:\n  build:\n    run: make\n    inputs: [src]\nname: app\n"
    project.write("pipeline.yaml", text)
    expected = said(
        "pipeline.yaml is YAML: it is checked, and never rewritten\n",
        status=1,
        out="`name` belongs above `tasks`\n`tasks.build.inputs` belongs above `run`\n",
    )
    assert project.pipec("fmt") == expected
    assert project.pipec("fmt", "--check") == expected
    assert project.read("pipeline.yaml") == text
    project.write(
        "pipeline.yaml", "name: app\ntasks:\n  build:\n    inputs: [src]\n    run: make\n"
    )
    assert project.pipec("fmt").status == 0


def test_without_the_extra_one_line_says_what_to_install(project):
    project.write("pipeline.toml", 'cache = "file"\nname = "a"\n')
    project.write("without/tomlkit/__init__.py", "raise ImportError('not installed')\n")
    result = project.pipec("fmt", env={"PYTHONPATH": str(project.folder / "without")})
    assert result == said(
        snapshot(
            "error[PIPEC_MISSING_EXTRA]: laying a file out needs tomlkit: "
            "`pip install 'pipec[edit]'` installs it\n"
            "help: pipec explain PIPEC_MISSING_EXTRA\n"
        ),
        status=2,
    )
    assert project.read("pipeline.toml") == 'cache = "file"\nname = "a"\n'


def test_a_disk_that_is_full_leaves_the_file_as_it_was(project, monkeypatch, capsys):
    def no_space(_handle: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    path = project.write("pipeline.toml", 'cache = "file"\nname = "a"\n')
    monkeypatch.chdir(project.folder)
    monkeypatch.setattr(os, "fsync", no_space)
    assert main(["fmt"]) == 1
    expected = (
        "error[PIPEC_STATE_UNWRITABLE]: cannot write `pipeline.toml`: No space left on device"
    )
    assert expected in capsys.readouterr().err
    assert path.read_text(encoding="utf-8").startswith("cache")
    assert list(project.folder.iterdir()) == [path]


def test_tables_of_every_section_with_an_order_are_put_in_it(project):
    project.write(
        "pipeline.toml",
        'name = "app"\n\n'
        '[workspace]\ngraph = "cargo"\nmembers = ["crates/*"]\n\n'
        '[workspace.tasks.build]\nrun = "cargo build"\ndepends-on = ["^build"]\n\n'
        '[execution.ci]\nrunsOn = "x"\nsandbox = "box"\ntarget = "local"\n',
    )
    assert project.pipec("fmt").status == 0
    assert project.read("pipeline.toml") == (
        'name = "app"\n\n'
        '[workspace]\nmembers = ["crates/*"]\ngraph = "cargo"\n\n'
        '[workspace.tasks.build]\ndepends-on = ["^build"]\nrun = "cargo build"\n\n'
        '[execution.ci]\ntarget = "local"\nsandbox = "box"\nrunsOn = "x"\n'
    )
