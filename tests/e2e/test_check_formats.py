"""Every format of `pipec check` tells the same findings."""

import json
import re

import jsonschema_rs
import pytest

from tests.conftest import Project
from tests.sarif import SCHEMA

BROKEN = """\
name = "app"

[tasks.lint]
# ünï
env = { "Ä😀" = "x", A = 1 }
timout = 3

[tasks.build]
outputs = ["dist/**"]
depends-on = ["nobody"]

[tasks.docs]
outputs = ["dist/docs/**"]
inputs = '''
  several
'''
"""
CLEAN = 'name = "app"\n[tasks.a]\nrun = "true"\n'


def findings(project: Project) -> list[dict[str, object]]:
    """What the JSON says, as (code, severity, first place, number of the other places)."""
    return [
        {
            "code": item["code"],
            "severity": item["severity"],
            "line": item["places"][0]["line"] if item["places"] else None,
            "column": item["places"][0]["column"] if item["places"] else None,
        }
        for item in json.loads(project.pipec("check", "--format", "json").stdout)["findings"]
    ]


def sarif(project: Project, *words: str, cwd: str = "") -> dict[str, object]:
    """The log, after a look at its form."""
    result = project.pipec("check", "--format", "sarif", *words, cwd=cwd)
    assert result.stderr == ""
    log = json.loads(result.stdout)
    jsonschema_rs.Draft7Validator(SCHEMA, validate_formats=True).validate(log)
    return log["runs"][0]


def test_sarif_has_the_findings_of_the_json(project: Project) -> None:
    project.write("pipeline.toml", BROKEN)
    run = sarif(project)
    told = []
    for result in run["results"]:
        region = result["locations"][0]["physicalLocation"]["region"]
        rule = run["tool"]["driver"]["rules"][result["ruleIndex"]]
        assert rule["id"] == result["ruleId"]
        told.append(
            {
                "code": result["ruleId"],
                "severity": result["level"],
                "line": region["startLine"],
                "column": region["startColumn"],
            }
        )
    assert told == findings(project)
    assert len(told) > 3


def test_a_rule_of_sarif_is_explained_by_its_page(project: Project) -> None:
    project.write("pipeline.toml", BROKEN)
    for rule in sarif(project)["tool"]["driver"]["rules"]:
        page = project.pipec("explain", rule["id"]).stdout
        assert project.plain(rule["help"]["markdown"].encode()) == page
        assert rule["shortDescription"]["text"] in rule["help"]["text"]


def test_the_columns_of_sarif_are_characters(project: Project) -> None:
    project.write("pipeline.toml", 'name = "app"\n"😀é" = 1\ntasks.a.depends-on = ["é", "zz"]\n')
    run = sarif(project)
    regions = [
        result["locations"][0]["physicalLocation"]["region"]
        for result in run["results"]
        if result["ruleId"] == "PIPEC_UNKNOWN_FIELD"
    ]
    assert run["columnKind"] == "unicodeCodePoints"
    assert regions == [{"startLine": 2, "startColumn": 1, "endLine": 2, "endColumn": 5}]


def test_other_places_of_a_finding_are_related_locations(project: Project) -> None:
    project.write("pipeline.toml", 'name = "a"\nname = "b"\n')
    (result,) = sarif(project)["results"]
    (related,) = result["relatedLocations"]
    assert related["message"] == {"text": "first written here"}
    assert related["physicalLocation"]["region"]["startLine"] == 1


def test_a_pipeline_without_findings_is_a_run_without_results(project: Project) -> None:
    project.write("pipeline.toml", CLEAN)
    assert sarif(project)["results"] == []
    assert project.pipec("check", "--format", "github").stdout == ""


@pytest.mark.parametrize("printer", ["sarif", "github"])
def test_errors_fail_in_every_format(project: Project, printer: str) -> None:
    project.write("pipeline.toml", BROKEN)
    assert project.pipec("check", "--format", printer).status == 1


def test_an_annotation_says_where_and_what(project: Project) -> None:
    project.write("pipeline.toml", 'name = "app"\n[tasks.lint]\nrun = "a"\ntimout = 3\n')
    result = project.pipec("check", "--format", "github")
    assert result.stdout == (
        "::error file=pipeline.toml,line=4,col=1,endColumn=7,title=PIPEC_UNKNOWN_FIELD::"
        "a task has no key `timout`%0Adid you mean `timeout`?\n"
    )
    assert result.stderr == ""


def test_annotations_have_the_findings_of_the_json(project: Project) -> None:
    project.write("pipeline.toml", BROKEN)
    lines = project.pipec("check", "--format", "github").stdout.splitlines()
    told = [re.match(r"::(\w+) file=[^,]*,line=(\d+),.*title=(\w+)::", line) for line in lines]
    assert [(m[1], int(m[2]), m[3]) for m in told] == [
        (item["severity"], item["line"], item["code"]) for item in findings(project)
    ]


def test_what_would_end_a_workflow_command_is_escaped(project: Project) -> None:
    name = "100%,a:b.toml"
    project.write(name, 'name = "app"\n[tasks.a]\ndepends-on = ["50%"]\n[tasks.b]\n"x\\ny" = 1\n')
    lines = project.pipec("-f", name, "check", "--format", "github").stdout.splitlines()
    assert len(lines) == 2
    assert all(line.startswith("::error file=100%25%2Ca%3Ab.toml,line=") for line in lines)
    assert "`50%25`" in lines[0]


def test_a_range_over_several_lines_has_no_columns(project: Project) -> None:
    project.write("pipeline.toml", 'name = "app"\n[tasks.a]\ntimeout = [\n1,\n2]\n')
    line = project.pipec("check", "--format", "github").stdout
    assert ",line=3,endLine=5,title=" in line
    assert "col" not in line.partition("::error ")[2].partition("::")[0]


@pytest.mark.parametrize(("printer", "path"), [("github", "file=web/"), ("sarif", '"uri": "web/')])
def test_a_file_is_called_as_in_its_repository(project: Project, printer: str, path: str) -> None:
    project.write(".git/HEAD", "ref: refs/heads/main\n")
    project.write("web/pipeline.toml", 'name = "app"\nnobody = 1\n')
    project.write("web/src/a")
    assert path in project.pipec("check", "--format", printer, cwd="web/src").stdout


def test_a_finding_about_the_whole_file_has_no_line(project: Project) -> None:
    project.write("pipeline.toml", "# nothing\n")
    line = project.pipec("check", "--format", "github").stdout
    assert line.startswith("::error file=pipeline.toml,title=PIPEC_MISSING_FIELD::")
