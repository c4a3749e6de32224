"""What scripts of packages become."""

import json

import pytest

from tests.unit.importers.rig import findings_of, write_all


def test_scripts_become_tasks_and_colons_groups(importing):
    scripts = {"test": "jest", "test:unit": "jest unit", "build:": "tsc", "2fa": "x", "a b": "y"}
    result = importing("package-json", {"package.json": json.dumps({"scripts": scripts})})
    assert {name: result.task(name)["run"] for name in ("test.default", "test.unit")} == {
        "test.default": "npm run test",
        "test.unit": "npm run test:unit",
    }
    assert result.task("_2fa")["run"] == "npm run 2fa"
    assert result.task("a-b")["run"] == "npm run 'a b'"
    assert set(result.edges) == {"test", "test.unit", "build", "_2fa", "a-b"}


def test_names_that_would_be_one_id_stay_two_tasks(importing):
    scripts = {"a b": "1", "a-b": "2", "a:b": "3", "a/b": "4"}
    result = importing("package-json", {"package.json": json.dumps({"scripts": scripts})})
    assert set(result.edges) == {"a-b", "a-b-2", "a.b", "a-b-3"}


def test_names_that_would_make_a_task_of_a_group_are_changed(importing):
    scripts = {"web:env": "1", "web:default": "2", "web:build": "3", "env": "4"}
    result = importing("package-json", {"package.json": json.dumps({"scripts": scripts})})
    assert set(result.edges) == {"web.env-task", "web.default-task", "web.build", "env"}


def test_hooks_run_with_their_script(importing):
    scripts = {"prebuild": "1", "build": "2", "postbuild": "3", "prepare": "4", "predict": "5"}
    files = {"package.json": json.dumps({"scripts": scripts})}
    result = importing("package-json", files)
    assert set(result.edges) == {"build", "prepare", "predict"}
    assert any("prepare" in note and "on install" in note for note in result.notes("approximated"))
    files[".yarnrc.yml"] = "nodeLinker: node-modules"
    files["yarn.lock"] = "#"
    assert set(importing("package-json", files).edges) == set(scripts)


@pytest.mark.parametrize(
    "command",
    [
        "run-p lint test:*",
        "npm-run-all --parallel lint test:*",
        "concurrently npm:lint 'npm:test:*'",
    ],
)
def test_scripts_that_run_others_at_once_group_them(importing, command):
    scripts = {"all": command, "lint": "x", "test:a": "y", "test:b": "z"}
    result = importing("package-json", {"package.json": json.dumps({"scripts": scripts})})
    assert result.edges["all"] == ["lint", "test.a", "test.b"]
    assert "run" not in result.task("all")


@pytest.mark.parametrize("command", ["run-s a b", "npm run a && npm run b", "run-p a nobody"])
def test_other_ways_to_run_scripts_stay_as_they_are(importing, command):
    scripts = {"all": command, "a": "x", "b": "y"}
    result = importing("package-json", {"package.json": json.dumps({"scripts": scripts})})
    assert result.edges["all"] == []
    assert result.task("all")["run"] == "npm run all"


@pytest.mark.parametrize(
    ("more", "manager"),
    [
        ({}, "npm"),
        ({"pnpm-lock.yaml": "x"}, "pnpm"),
        ({"yarn.lock": "x"}, "yarn"),
        ({"bun.lock": "x"}, "bun"),
    ],
)
def test_the_lock_file_tells_the_package_manager(importing, more, manager):
    files = {"package.json": '{"scripts": {"test": "x"}}', **more}
    assert importing("package-json", files).task("test")["run"] == f"{manager} run test"


@pytest.mark.parametrize("form", ['["packages/*"]', '{"packages": ["packages/{a,b}"]}'])
def test_members_of_a_workspace_are_groups(importing, form):
    files = {
        "package.json": f'{{"name": "w", "workspaces": {form}, "scripts": {{"all": "x"}}}}',
        "packages/a/package.json": '{"name": "@x/same", "scripts": {"build": "x", "all": "x"}}',
        "packages/b/package.json": '{"name": "@y/same", "scripts": {"build": "x"}}',
        "packages/node_modules/c/package.json": '{"scripts": {"build": "x"}}',
    }
    result = importing("package-json", files)
    assert set(result.edges) == {"all", "x-same.all", "x-same.build", "y-same.build"}
    assert result.task("y-same.build") == {"cwd": "packages/b", "run": "npm run build"}
    assert list(result.values["jobs"]) == ["build"]


def test_a_task_that_references_could_mistake_leaves_its_group(importing):
    scripts = {"test:all": "run-p unit", "test:unit": "x", "unit": "y"}
    result = importing("package-json", {"package.json": json.dumps({"scripts": scripts})})
    assert result.edges == {"test-unit": [], "test.all": ["unit"], "unit": []}


@pytest.mark.parametrize(
    ("text", "finding"),
    [
        ('{"scripts": 3}', "PIPEC_WRONG_TYPE (1, 10): `scripts` is a table, not a whole number"),
        ('{"scripts": {"a": []}}', "PIPEC_WRONG_TYPE (13, 16): `a` is text, not a list"),
        ("[]", "PIPEC_WRONG_TYPE (0, 2): the file is a table, not a list"),
        ('{"a" 1}', "PIPEC_IMPORT_SYNTAX (5, 5): `package.json` is not JSON: expected `:`"),
        ('{"é": tru}', "PIPEC_IMPORT_SYNTAX (7, 7): `package.json` is not JSON: expected a value"),
        (
            '{"a": "\\ud800"}',
            "PIPEC_IMPORT_SYNTAX (6, 6): `package.json` is not JSON: unknown escape",
        ),
        ("  ", "PIPEC_NOTHING_TO_IMPORT : there is nothing in `package.json` to import"),
        ("\0", "PIPEC_UNREADABLE_FILE : `package.json` cannot be read: it is no text"),
        ("{}", "PIPEC_NOTHING_TO_IMPORT : `package.json` has no task that could be imported"),
    ],
)
def test_a_file_that_npm_could_not_read(tmp_path, text, finding):
    write_all(tmp_path, {"package.json": text})
    assert findings_of(tmp_path, "package-json")[0] == finding


def test_all_mistakes_are_found_at_once(tmp_path):
    write_all(tmp_path, {"package.json": '{"name": 1, "workspaces": [2], "scripts": {"a": 3}}'})
    assert len(findings_of(tmp_path, "package-json")) >= 2
