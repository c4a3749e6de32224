"""`pipec config`: the settings that influence pipec, and where each came from."""

import json
import re
from pathlib import Path

import pytest

import pipec
from pipec.cli.concurrency import Cores, look_at_cores

PIPELINE = """\
name = "app"
env-mode = "strict"

[cache]
default = "team:local"
stores = { team = { file = { root = "shared", max-size = "2GiB" } } }

[pools]
db = 3
"""


@pytest.fixture
def app(project):
    project.write("pipeline.toml", PIPELINE)
    return project


def settings_of(project, *words, env=None):
    """Name → value, source and problem."""
    result = project.pipec("config", *words, "--format", "json", env=env)
    assert (result.stderr, result.status) == ("", 0)
    return {
        setting["name"]: (setting.get("value"), setting["source"], setting.get("problem"))
        for setting in json.loads(result.stdout)["settings"]
    }


def test_everything_has_a_default(project):
    project.write("pipeline.toml", 'name = "app"\n')
    found = settings_of(project)
    assert found["folder"] == ("<project>", "the working directory", None)
    assert found["pipeline"] == ("<project>/pipeline.toml", "found in the folder", None)
    assert found["root"] == ("<project>", "the folder of the pipeline", None)
    assert found["env-mode"] == ("loose", "default", None)
    assert found["cache"] == ("file:local", "default", None)
    assert found["store file"] == ("<project>/.pipec/cache", "built in", None)
    assert found["store memory"] == ("goes with the process", "built in", None)
    assert found["keep-runs"] == ("50", "default", None)
    assert found["max-log-bytes"] == ("8388608", "default", None)
    assert found["session-store"] == (None, "made for each run", None)
    assert found["pager"] == ("less", "default", None)
    assert found["color"] == ("no", "standard error is no terminal", None)
    assert [found[name] for name in ("quiet", "verbose", "debug")] == [("no", "default", None)] * 3


def test_the_pipeline_s_own_settings_are_named_after_their_keys(app):
    found = settings_of(app)
    assert found["env-mode"] == ("strict", "pipeline.toml: env-mode", None)
    assert found["cache"] == ("team:local", "pipeline.toml: cache", None)
    assert found["store team"] == (
        "<project>/shared, at most <size>",
        "pipeline.toml: cache.stores.team",
        None,
    )
    assert found["pool db"] == ("3", "pipeline.toml: pools.db", None)


def test_variables_and_options_are_named(app):
    env = {
        "PIPEC_KEEP_RUNS": "7",
        "PIPEC_MAX_LOG_BYTES": "0",
        "PIPEC_SESSION_STORE": "/s",
        "PIPEC_DEBUG": "1",
        "NO_COLOR": "1",
        "FORCE_COLOR": "1",
    }
    found = settings_of(app, "-q", "-v", env=env)
    assert found["keep-runs"] == ("7", "variable PIPEC_KEEP_RUNS", None)
    assert found["max-log-bytes"] == ("0", "variable PIPEC_MAX_LOG_BYTES", None)
    assert found["session-store"] == ("/s", "variable PIPEC_SESSION_STORE", None)
    assert found["debug"] == ("yes", "variable PIPEC_DEBUG", None)
    assert found["color"] == ("no", "variable NO_COLOR", None)
    assert found["quiet"] == ("yes", "--quiet", None)
    assert found["verbose"] == ("yes", "--verbose", None)
    pagers = {"PAGER": "more"}
    assert settings_of(app, env=pagers)["pager"] == ("more", "variable PAGER", None)
    pagers["PIPEC_PAGER"] = "less -S"
    assert settings_of(app, env=pagers)["pager"] == ("less -S", "variable PIPEC_PAGER", None)
    assert settings_of(app, env={"FORCE_COLOR": "1"})["color"] == (
        "yes",
        "variable FORCE_COLOR",
        None,
    )
    assert settings_of(app, "--color", "never", env={"FORCE_COLOR": "1"})["color"] == (
        "no",
        "--color never",
        None,
    )


def test_where_the_pipeline_was_found_is_told(app):
    app.write("a/b/other.toml", 'name = "other"\n')
    assert settings_of(app, "-C", "a/b")["pipeline"] == (
        "<project>/pipeline.toml",
        "found 2 folders above",
        None,
    )
    assert settings_of(app, "-C", "a", "-f", "b/other.toml")["pipeline"] == (
        "<project>/a/b/other.toml",
        "-f b/other.toml",
        None,
    )


def test_trouble_is_told_with_the_setting(project):
    assert settings_of(project)["pipeline"] == (
        None,
        "the nearest folder upwards",
        "no pipeline in `<project>` or in any folder above it",
    )
    project.write("pipeline.toml", "name = 3\n")
    found = settings_of(project, env={"PIPEC_KEEP_RUNS": "many", "PIPEC_KEEP_RUN": "3"})
    assert found["store file"][2].startswith("the pipeline cannot be read: ")
    assert found["keep-runs"] == (
        "many",
        "variable PIPEC_KEEP_RUNS",
        "the variable `PIPEC_KEEP_RUNS` is `many`: it has to be a number, such as `50`",
    )
    assert found["PIPEC_KEEP_RUN"] == (
        None,
        "the environment",
        "pipec does not read this variable",
    )


def test_sources_are_a_column_of_the_text(app):
    without = app.pipec("config").stdout.splitlines()
    assert "env-mode       strict" in without
    rows = app.pipec("config", "--sources").stdout.splitlines()
    assert any(re.fullmatch(r"env-mode +strict +pipeline\.toml: env-mode", row) for row in rows)


def test_the_quota_of_a_control_group_bounds_the_cores(tmp_path):
    quota = tmp_path / "cpu.max"
    for text, limit in {
        "150000 100000": 1,
        "50000 100000": 0,
        "max 100000": None,
        "?": None,
    }.items():
        quota.write_text(text, encoding="ascii")
        assert look_at_cores(str(quota)).quota == limit
    assert Cores(bound=4, has_affinity=True, quota=3).usable == 3
    assert Cores(bound=4, has_affinity=True, quota=0).usable == 1
    assert Cores(bound=4, has_affinity=True).usable == 4


def test_every_variable_that_pipec_reads_is_told(app):
    """A new variable has to be added to `pipec config`."""
    named = re.compile(r'"((?:PIPEC_(?!MATRIX_|PARAM_)[A-Z_]+|(?:NO|FORCE)_COLOR))"')
    package = Path(pipec.__file__).parent
    read = {
        name
        for path in (*package.glob("cli/**/*.py"), package / "runtime/stores.py")
        for name in named.findall(path.read_text(encoding="utf-8"))
    }
    told = {"PIPEC_ROOT", "PIPEC_TASK", "PIPEC_RUN_ID", "PIPEC_ATTEMPT"}
    env = dict.fromkeys(read, "1")
    sources = {source for _, source, _ in settings_of(app, env=env).values()}
    env.pop("NO_COLOR")
    sources |= {source for _, source, _ in settings_of(app, env=env).values()}
    assert {name for name in read if f"variable {name}" not in sources} == told
