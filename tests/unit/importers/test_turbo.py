"""What each setting of turbo.json becomes."""

import json

import pytest

ROOT = {"name": "shop", "packageManager": "pnpm@9.1.0", "scripts": {"format": "prettier ."}}


def repository(turbo, *, packages, root=ROOT, **more):
    """The files of a repository with these packages: name → (dependencies, scripts)."""
    files = {
        "turbo.json": turbo if isinstance(turbo, str) else json.dumps(turbo),
        "package.json": json.dumps(root),
        "pnpm-workspace.yaml": "packages:\n  - packages/*\n  - '!packages/old'\n",
        **more,
    }
    for name, (needs, scripts) in packages.items():
        manifest = {"name": name, "dependencies": dict.fromkeys(needs, "workspace:*")}
        manifest["scripts"] = dict.fromkeys(scripts, "true")
        files[f"packages/{name.rpartition('/')[2]}/package.json"] = json.dumps(manifest)
    return files


def test_a_caret_waits_for_the_packages_that_a_package_depends_on(importing):
    turbo = {"tasks": {"build": {"dependsOn": ["^build"]}, "test": {"dependsOn": ["build"]}}}
    packages = {
        "@s/web": (["@s/ui", "react"], ["build", "test"]),
        "@s/ui": (["@s/core"], ["build"]),
        "@s/core": ([], ["build"]),
        "old": ([], ["build"]),
    }
    result = importing("turbo", repository(turbo, packages=packages))
    assert result.edges == {
        "core.build": [],
        "ui.build": ["core.build"],
        "web.build": ["ui.build"],
        "web.test": ["web.build"],
    }
    assert result.values["jobs"]["build"]["target"] == ["core.build", "ui.build", "web.build"]
    assert result.task("web.build")["run"] == "pnpm run build"
    assert result.task("web.build")["cwd"] == "packages/web"


def test_a_package_without_the_script_hands_on_what_it_would_wait_for(importing):
    turbo = {"tasks": {"build": {"dependsOn": ["^build", "codegen"]}, "codegen": {}}}
    packages = {
        "web": (["ui"], ["build"]),
        "ui": (["core"], ["codegen"]),
        "core": ([], ["build"]),
    }
    result = importing("turbo", repository(turbo, packages=packages))
    assert result.edges["web.build"] == ["core.build", "ui.codegen"]


def test_tasks_of_one_package_and_of_the_root(importing):
    turbo = {
        "tasks": {
            "build": {"dependsOn": ["//#format"], "outputs": ["dist/**"]},
            "web#build": {"dependsOn": ["ui#build"], "outputs": ["out/**"]},
            "//#format": {"cache": False},
            "nobody": {},
        }
    }
    packages = {"web": ([], ["build"]), "ui": ([], ["build"])}
    result = importing("turbo", repository(turbo, packages=packages))
    assert result.edges == {
        "root.format": [],
        "ui.build": ["root.format"],
        "web.build": ["ui.build"],
    }
    assert result.task("web.build")["outputs"] == [
        {"glob": "packages/web/out/**", "optional": True}
    ]
    assert "cache" not in result.task("root.format")
    assert "turbo.json:1: task `nobody`" in " ".join(result.notes("dropped"))


def test_inputs_are_those_of_the_package_and_what_all_tasks_share(importing):
    turbo = {
        "globalDependencies": ["tsconfig.json"],
        "tasks": {
            "build": {},
            "lint": {"inputs": ["$TURBO_DEFAULT$", "!README.md", "$TURBO_ROOT$/eslint.js"]},
            "test": {"inputs": ["src/**", "../shared/x"], "outputs": ["!cov/tmp/**", "cov/**"]},
        },
    }
    packages = {"web": ([], ["build", "lint", "test"])}
    result = importing("turbo", repository(turbo, packages=packages, **{"pnpm-lock.yaml": "{}"}))
    assert result.values["named-inputs"] == {
        "global": ["tsconfig.json", "pnpm-lock.yaml", "package.json", "turbo.json"]
    }
    assert result.task("web.build")["inputs"] == ["global", "packages/web/**"]
    assert result.task("web.lint")["inputs"] == [
        "global",
        "packages/web/**",
        "eslint.js",
        "!packages/web/README.md",
        "packages/web/package.json",
    ]
    assert result.task("web.test")["inputs"] == [
        "global",
        "packages/web/src/**",
        "packages/shared/x",
        "packages/web/package.json",
    ]
    assert result.task("web.test")["outputs"] == [
        {"glob": "packages/web/cov/**", "optional": True},
        "!packages/web/cov/tmp/**",
    ]


def test_variables_decide_or_pass(importing):
    turbo = {
        "globalEnv": ["CI"],
        "globalPassThroughEnv": ["TOKEN"],
        "tasks": {
            "build": {
                "env": ["NEXT_*", "!NEXT_X", "MY_*_URL"],
                "passThroughEnv": ["AWS_*", "HOST"],
            },
            "all": {"env": ["*"], "dependsOn": ["$OLD"]},
        },
    }
    result = importing("turbo", repository(turbo, packages={"web": ([], ["build", "all"])}))
    assert result.values["env-mode"] == "strict"
    build = result.task("web.build")
    assert build["env-inputs"] == ["CI", "NEXT_*", "MY_*", "AWS_*"]
    assert build["env"] == {
        name: {"var": name, "default": "", "in-key": False} for name in ("TOKEN", "HOST")
    }
    assert result.task("web.all")["env-mode"] == "loose"
    assert result.task("web.all")["env-inputs"] == ["CI", "OLD"]
    notes = " ".join(result.notes("approximated"))
    for subject in (
        "`!NEXT_X`",
        "`MY_*_URL`",
        "`AWS_*`, passed",
        "`HOST`, passed",
        "variables `*`",
    ):
        assert subject in notes


def test_tasks_that_do_not_end_are_not_cached(importing):
    turbo = {
        "envMode": "loose",
        "tasks": {"dev": {"persistent": True}, "shell": {"interactive": True, "cache": False}},
    }
    result = importing("turbo", repository(turbo, packages={"web": ([], ["dev", "shell"])}))
    assert result.task("web.dev") == {"cwd": "packages/web", "run": "pnpm run dev"}
    assert result.task("web.shell-task")["interactive"] is True
    assert "# Approximated: `persistent`" in result.text
    assert "env-mode" not in result.values


def test_a_package_extends_what_the_root_says(importing):
    turbo = {"tasks": {"build": {"outputs": ["dist/**"], "env": ["A"]}, "gone": {}}}
    own = {
        "extends": ["//"],
        "tasks": {
            "build": {"outputs": ["$TURBO_EXTENDS$", "more/**"], "env": ["B"]},
            "gone": {"extends": False},
            "extra": {"cache": False},
        },
    }
    files = repository(
        turbo,
        packages={"web": ([], ["build", "extra"])},
        **{"packages/web/turbo.json": json.dumps(own)},
    )
    result = importing("turbo", files)
    build = result.task("web.build")
    assert [output["glob"] for output in build["outputs"]] == [
        "packages/web/dist/**",
        "packages/web/more/**",
    ]
    assert build["env-inputs"] == ["B"]
    assert result.task("web.extra")["run"] == "pnpm run extra"


def test_a_single_package_has_no_groups(importing):
    files = {
        "turbo.json": '{"pipeline": {"test": {"dependsOn": ["build", "^test"]}, "build": {}}}',
        "package.json": '{"name": "one", "scripts": {"build": "tsc", "test": "jest"}}',
        "yarn.lock": "#",
    }
    result = importing("turbo", files)
    assert result.edges == {"build": [], "test": ["build"]}
    assert result.task("test")["run"] == "yarn run test"


def test_two_tasks_that_own_one_folder_are_not_both_cached(importing):
    turbo = {"tasks": {"build": {"outputs": ["dist/**"]}, "bundle": {"outputs": ["dist/**"]}}}
    result = importing("turbo", repository(turbo, packages={"web": ([], ["build", "bundle"])}))
    assert result.task("web.build")["cache"] is True
    assert "cache" not in result.task("web.bundle")
    assert any("web:bundle: outputs" in note for note in result.notes("approximated"))


def test_a_circle_is_broken_and_said(importing):
    turbo = {"tasks": {"build": {"dependsOn": ["test"]}, "test": {"dependsOn": ["build"]}}}
    result = importing("turbo", repository(turbo, packages={"web": ([], ["build", "test"])}))
    assert sum(map(len, result.edges.values())) == 1
    assert any("circle" in note for note in result.notes("dropped"))


@pytest.mark.parametrize("key", ["remoteCache", "ui", "daemon", "cacheDir"])
def test_what_is_about_turbo_itself_is_dropped_with_a_reason(importing, key):
    turbo = {key: {}, "tasks": {"build": {"outputLogs": "none"}}}
    result = importing("turbo", repository(turbo, packages={"web": ([], ["build"])}))
    assert len([note for note in result.notes("dropped") if f"`{key}`" in note]) == 1
    assert any("`outputLogs`" in note for note in result.notes("dropped"))
