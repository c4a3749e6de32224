"""What projects and targets of an Nx workspace become."""

import json

import pytest


def workspace(nx, *, projects=None, packages=None):
    """The files of a workspace: project.json by folder, package.json by folder."""
    files = {
        "nx.json": json.dumps(nx),
        "package.json": '{"name": "shop", "workspaces": ["packages/*"]}',
        "package-lock.json": "{}",
    }
    for folder, project in (projects or {}).items():
        files[f"{folder}/project.json"] = json.dumps(project)
    for folder, package in (packages or {}).items():
        files[f"{folder}/package.json"] = json.dumps(package)
    return files


NAMED = {
    "default": ["{projectRoot}/**/*", "shared"],
    "shared": ["{workspaceRoot}/tsconfig.json"],
    "production": ["default", "!{projectRoot}/**/*.spec.ts"],
}


def test_defaults_scripts_and_carets(importing):
    nx = {
        "namedInputs": NAMED,
        "targetDefaults": {
            "build": {
                "dependsOn": ["^build"],
                "inputs": ["production", "^production"],
                "outputs": ["{projectRoot}/dist", "!{projectRoot}/dist/tmp"],
                "cache": True,
            }
        },
    }
    packages = {
        "packages/a": {"name": "@x/a", "dependencies": {"@x/b": "*"}, "scripts": {"build": "tsc"}},
        "packages/b": {"name": "@x/b", "dependencies": {"@x/c": "*"}, "scripts": {"test": "x"}},
        "packages/c": {"name": "@x/c", "scripts": {"build": "tsc"}},
    }
    result = importing("nx", workspace(nx, packages=packages))
    assert result.edges == {"a.build": ["c.build"], "b.test": [], "c.build": []}
    assert result.task("c.build") == {
        "inputs": [
            "packages/c/**/*",
            "tsconfig.json",
            "package-lock.json",
            "!packages/c/**/*.spec.ts",
        ],
        "outputs": [{"glob": "packages/c/dist", "optional": True}, "!packages/c/dist/tmp"],
        "cache": True,
        "cwd": "packages/c",
        "run": "npm run build",
    }
    assert "packages/b/**/*" in result.task("a.build")["inputs"]
    assert "cache" not in result.task("b.test")


def test_commands_of_a_project(importing):
    targets = {
        "one": {"command": "echo {projectName}"},
        "many": {
            "executor": "nx:run-commands",
            "options": {
                "commands": ["a", {"command": "b"}],
                "parallel": False,
                "cwd": "{projectRoot}",
                "env": {"A": "1"},
                "args": "--x",
            },
        },
        "none": {"executor": "nx:noop", "dependsOn": ["one", "many"]},
        "script": {"executor": "nx:run-script", "options": {"script": "go:fast"}},
        "tsc": {
            "executor": "@nx/js:tsc",
            "cache": True,
            "outputs": ["{options.outputPath}"],
            "options": {"outputPath": "dist/c"},
        },
    }
    project = {"name": "c", "targets": targets}
    result = importing("nx", workspace({}, projects={"libs/c": project}))
    assert result.task("c.one") == {"run": "echo c"}
    assert result.task("c.many") == {
        "env": {"A": "1"},
        "cwd": "libs/c",
        "run": ["a --x", "b --x"],
    }
    assert result.edges["c.none"] == ["c.many", "c.one"]
    assert result.task("c.script") == {"cwd": "libs/c", "run": "npm run go:fast"}
    assert result.task("c.tsc")["run"] == "npx nx run c:tsc --excludeTaskDependencies"
    assert result.task("c.tsc")["outputs"] == [{"glob": "dist/c", "optional": True}]
    assert "@nx/js:tsc" in " ".join(result.notes("approximated"))


@pytest.mark.parametrize(
    ("form", "needs"),
    [
        ("^build", ["b.build"]),
        ("lint", ["a.lint"]),
        ("li*", ["a.lint"]),
        ("b:lint", ["b.lint"]),
        ({"target": "build", "projects": ["b"]}, ["b.build"]),
        ({"target": "lint", "projects": "self"}, ["a.lint"]),
        ({"target": "build", "dependencies": True}, ["b.build"]),
        ({"target": "lint"}, ["a.lint"]),
        ("nobody", []),
    ],
)
def test_forms_of_dependencies(importing, form, needs):
    command = {"command": "x"}
    projects = {
        "a": {
            "name": "a",
            "implicitDependencies": ["b"],
            "targets": {"go": {**command, "dependsOn": [form]}, "lint": command},
        },
        "b": {"name": "b", "targets": {"build": command, "lint": command}},
    }
    result = importing("nx", workspace({}, projects=projects))
    assert result.edges["a.go"] == needs


def test_forms_of_inputs(importing):
    inputs = [
        {"fileset": "{projectRoot}/src"},
        {"env": "CI"},
        {"runtime": "node -v"},
        {"externalDependencies": ["vite"]},
        {"dependentTasksOutputFiles": "**/*.d.ts"},
        {"input": "shared"},
        {"strange": 1},
    ]
    target = {"command": "x", "cache": True, "inputs": inputs}
    project = {"name": "a", "targets": {"go": target}}
    result = importing("nx", workspace({"namedInputs": NAMED}, projects={"a": project}))
    assert result.task("a.go")["inputs"] == [
        "a/src",
        {"command": "node -v"},
        "tsconfig.json",
        "package-lock.json",
    ]
    assert result.task("a.go")["env-inputs"] == ["CI"]
    assert "whole lock file" in " ".join(result.notes("approximated"))
    assert "an input" in " ".join(result.notes("dropped"))


def test_settings_without_a_counterpart(importing):
    project = {
        "name": "a",
        "targets": {
            "dev": {"command": "x", "continuous": True, "cache": True},
            "alone": {"command": "x", "parallelism": False},
            "prod": {
                "executor": "nx:run-commands",
                "options": {"command": "x"},
                "defaultConfiguration": "fast",
                "configurations": {"fast": {"command": "y"}},
            },
        },
    }
    nx = {"plugins": ["@nx/vite/plugin"], "nxCloudId": "x", "parallel": 3}
    result = importing("nx", workspace(nx, projects={"a": project}))
    assert "cache" not in result.task("a.dev")
    assert result.task("a.alone")["pool"] == "alone"
    assert result.task("a.prod")["run"] == "y"
    dropped = " ".join(result.notes("dropped"))
    for key in ("plugins", "nxCloudId", "parallel", "configurations"):
        assert f"`{key}`" in dropped
