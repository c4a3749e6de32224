"""Publishing to real registries on loopback: once, whatever goes wrong, and no token anywhere."""

import base64
import json
import os
import subprocess
import sys
import urllib.request
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.doubles.faulty import Faulty, faulty, free_address
from tests.doubles.github import REPOSITORY, FakeGithub, fake_github
from tests.real.registries import Registry, pypiserver, verdaccio
from tests.real.workshop import Workshop

pytestmark = [pytest.mark.real, pytest.mark.timeout(900)]

HEAD, NEWER = "a" * 40, "b" * 40


@pytest.fixture(scope="module")
def npm_registry(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Registry]:
    with verdaccio(tmp_path_factory.mktemp("verdaccio")) as registry:
        yield registry


@pytest.fixture(scope="module")
def index(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Registry]:
    with pypiserver(tmp_path_factory.mktemp("pypiserver")) as registry:
        yield registry


@pytest.fixture
def proxy(npm_registry: Registry) -> Iterator[Faulty]:
    with faulty(npm_registry.url) as state:
        yield state


@pytest.fixture
def index_proxy(index: Registry) -> Iterator[Faulty]:
    with faulty(index.url) as state:
        yield state


@dataclass
class Publisher:
    """Somebody who publishes, and everything that this leaves behind."""

    folder: Path
    secrets: list[str]

    def write(self, path: str, text: str) -> None:
        target = self.folder / "project" / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text)

    def pipec(self, *words: str, env: Mapping[str, str] | None = None) -> tuple[int, str]:
        """Exit status and all output; no token may be anywhere afterwards."""
        environment = dict(Workshop.open().environment(self.folder / "home"))
        shims = self.folder / "shims"
        if not shims.exists():
            # What npm is called with is what the list of processes shows.
            shims.mkdir()
            real = Workshop.open().program("npm")
            (shims / "npm").write_text(
                f'#!/bin/sh\necho "$@" >> {self.folder}/arguments\nexec {real} "$@"\n'
            )
            (shims / "npm").chmod(0o755)
        environment["PATH"] = os.pathsep.join([str(shims), environment["PATH"]])
        (self.folder / "tmp").mkdir(exist_ok=True)
        environment["TMPDIR"] = str(self.folder / "tmp")
        done = subprocess.run(
            [sys.executable, "-m", "pipec", *words],
            cwd=self.folder / "project",
            env={**environment, **(env or {})},
            capture_output=True,
            text=True,
            check=False,
        )
        said = done.stdout + done.stderr
        left = [path for path in (self.folder / "tmp").iterdir() if path.name.startswith("pipec")]
        assert left == []
        for secret in self.secrets:
            assert secret not in said
            for path in self.folder.rglob("*"):
                assert not path.is_file() or secret.encode() not in path.read_bytes(), path
        return done.returncode, said

    def outcomes(
        self, *words: str, env: Mapping[str, str] | None = None
    ) -> list[tuple[str, str | None, str]]:
        """Action, reason and version of each outcome."""
        status, said = self.pipec(*words, "--format", "json", env=env)
        assert status == 0, said
        found = json.loads(said)["outcomes"]
        return [(one["action"], one.get("reason"), one["version"]) for one in found]


@pytest.fixture
def publisher(tmp_path: Path, npm_registry: Registry, index: Registry) -> Publisher:
    (tmp_path / "project").mkdir()
    sent = base64.b64encode(f"__token__:{index.token}".encode()).decode()
    return Publisher(tmp_path, [npm_registry.token, index.token, sent])


def tags_of(registry: Registry, name: str) -> dict[str, str]:
    with urllib.request.urlopen(f"{registry.url}{name}", timeout=30) as response:
        return json.load(response)["dist-tags"]


def is_known(registry: Registry, name: str) -> bool:
    try:
        return bool(tags_of(registry, name))
    except urllib.error.HTTPError as error:
        error.close()
        return False


def package_of(publisher: Publisher, name: str, version: str = "1.0.0", **more: object) -> None:
    publisher.write("package.json", json.dumps({"name": name, "version": version, **more}))
    publisher.write("index.js", "module.exports = 1;\n")
    publisher.write("CHANGELOG.md", f"# Changelog\n\n## {version} - today\n\nAll of it.\n")


def test_a_version_of_npm_is_published_once(publisher: Publisher, proxy: Faulty) -> None:
    package_of(publisher, "@acme/once", "1.0.0-beta.1")
    token = {"NPM_TOKEN": publisher.secrets[0]}
    command = ("publish", "npm", "--registry", proxy.url)
    assert publisher.outcomes(*command, "--dry-run") == [("would-publish", None, "1.0.0-beta.1")]
    assert [line for line in proxy.asked if not line.startswith("GET")] == []
    assert publisher.pipec(*command)[0] == 2, "there is no token"
    status, said = publisher.pipec(*command, env={"NPM_TOKEN": "wrong-token-wrong-token"})
    assert (status, "wrong-token" in said) == (1, False)
    assert "PIPEC_REGISTRY_REFUSED" in said
    assert not is_known(Registry(proxy.url, ""), "@acme/once")
    assert publisher.outcomes(*command, env=token) == [("published", None, "1.0.0-beta.1")]
    assert tags_of(Registry(proxy.url, ""), "@acme/once")["beta"] == "1.0.0-beta.1"
    assert publisher.outcomes(*command, env=token) == [
        ("skipped", "already-published", "1.0.0-beta.1")
    ]
    assert publisher.outcomes(*command) == [("skipped", "already-published", "1.0.0-beta.1")]
    publisher.write("index.js", "module.exports = 2;\n")
    status, said = publisher.pipec(*command, env=token)
    assert (status, "PIPEC_VERSION_CONFLICT" in said, "different: `index.js`" in said) == (
        1,
        True,
        True,
    )


def test_the_registry_asked_for_wins_over_the_manifest(publisher: Publisher, proxy: Faulty) -> None:
    elsewhere = free_address()
    config = {"registry": elsewhere, "@acme:registry": elsewhere}
    package_of(publisher, "@acme/configured", publishConfig=config)
    token = {"NPM_TOKEN": publisher.secrets[0]}
    command = ("publish", "npm", "--registry", proxy.url)
    assert publisher.outcomes(*command, env=token) == [("published", None, "1.0.0")]
    status, said = publisher.pipec("publish", "npm", "--attempts", "1", env=token)
    assert (status, f"`{elsewhere}" in said) == (1, True), "without an option the manifest decides"


def test_an_outage_of_npm_is_outlasted_or_named(publisher: Publisher, proxy: Faulty) -> None:
    package_of(publisher, "outage")
    token = {"NODE_AUTH_TOKEN": publisher.secrets[0]}
    command = ("publish", "npm", "--registry", proxy.url)
    proxy.rest = "down"
    status, said = publisher.pipec(*command, "--attempts", "1", env=token)
    assert (status, "PIPEC_REGISTRY_UNAVAILABLE" in said) == (1, True)
    assert not is_known(Registry(proxy.url, ""), "outage")
    proxy.faults, proxy.rest = ["down"], "none"
    assert publisher.outcomes(*command, env=token) == [("published", None, "1.0.0")]


def test_an_answer_of_npm_that_is_lost_is_no_failure(publisher: Publisher, proxy: Faulty) -> None:
    package_of(publisher, "lost")
    proxy.faults = ["lost"]
    outcome = publisher.outcomes(
        *("publish", "npm", "--registry", proxy.url), env={"NPM_TOKEN": publisher.secrets[0]}
    )
    assert outcome == [("published", None, "1.0.0")]
    assert len([line for line in proxy.asked if line.startswith("PUT")]) == 1


def test_a_script_of_the_package_sees_no_token(publisher: Publisher, proxy: Faulty) -> None:
    scripts = {"prepack": "env > seen", "prepublishOnly": "exit 1", "publish": "exit 1"}
    package_of(publisher, "scripted", scripts=scripts)
    tokens = {"NPM_TOKEN": publisher.secrets[0], "GITHUB_TOKEN": "another-token-of-mine"}
    publisher.secrets.append("another-token-of-mine")
    command = ("publish", "npm", "--registry", proxy.url)
    assert publisher.outcomes(*command, env=tokens) == [("published", None, "1.0.0")]
    assert "HOME=" in (publisher.folder / "project" / "seen").read_text()


def built(publisher: Publisher, name: str, text: str = '"""One."""\n') -> None:
    """A package of Python, built."""
    publisher.write(
        "pyproject.toml",
        '[build-system]\nrequires = ["flit_core"]\nbuild-backend = "flit_core.buildapi"\n'
        f'[project]\nname = "{name}"\nversion = "1.0"\ndescription = "ü"\n',
    )
    publisher.write(f"{name.replace('-', '_')}.py", text)
    publisher.write("CHANGELOG.md", "## 1.0\n\nAll of it.\n")
    script = (
        "import os, flit_core.buildapi as b; os.makedirs('dist', exist_ok=True); "
        "b.build_wheel('dist'); b.build_sdist('dist')"
    )
    subprocess.run(
        [str(Workshop.open().program("python")), "-c", script],
        cwd=publisher.folder / "project",
        env={**os.environ, "SOURCE_DATE_EPOCH": "1700000000"},
        check=True,
    )


def test_a_version_of_python_is_published_once(publisher: Publisher, index_proxy: Faulty) -> None:
    command = ("publish", "pypi", "--registry", index_proxy.url)
    token = {"PYPI_TOKEN": publisher.secrets[1]}
    publisher.write("pyproject.toml", '[project]\nname = "ac-me"\nversion = "1.0"\n')
    status, said = publisher.pipec(*command, env=token)
    assert (status, "holds nothing built of ac-me 1.0" in said) == (2, True)
    built(publisher, "ac-me")
    assert publisher.outcomes(*command, "--dry-run") == [("would-publish", None, "1.0")]
    assert publisher.pipec(*command, env={"PYPI_TOKEN": "wrong-wrong-wrong"})[0] == 1
    assert publisher.outcomes(*command, env=token) == [("published", None, "1.0")]
    sent = [line for line in index_proxy.asked if line.startswith("POST")]
    assert len(sent) == 3, "one was refused, two files were sent"
    assert publisher.outcomes(*command, env=token) == [("skipped", "already-published", "1.0")]
    built(publisher, "ac-me", '"""Two."""\n')
    status, said = publisher.pipec(*command, env=token)
    assert (status, "PIPEC_VERSION_CONFLICT" in said) == (1, True)


def test_a_release_that_got_half_way_is_finished(publisher: Publisher, index_proxy: Faulty) -> None:
    built(publisher, "halfway")
    command = ("publish", "pypi", "--registry", index_proxy.url, "--attempts", "2")
    token = {"UV_PUBLISH_TOKEN": publisher.secrets[1]}
    index_proxy.faults, index_proxy.rest = ["none"], "down"
    status, said = publisher.pipec(*command, env=token)
    assert (status, "PIPEC_REGISTRY_UNAVAILABLE" in said) == (1, True)
    assert (
        "help: sent: halfway-1.0-py2.py3-none-any.whl; the same command sends what is left: "
        "halfway-1.0.tar.gz" in said
    )
    index_proxy.faults, index_proxy.rest = ["lost"], "none"
    assert publisher.outcomes(*command, env=token) == [("published", None, "1.0")]
    posts = [line for line in index_proxy.asked if line.startswith("POST")]
    assert len(posts) == 5, "one, two that failed, one whose answer was lost, and one more"


@pytest.fixture
def git(publisher: Publisher) -> Iterator[FakeGithub]:
    # The double takes the token of the registry: on GitHub they are one.
    with fake_github(publisher.secrets[0]) as double:
        yield double


def event(
    publisher: Publisher, git: FakeGithub, name: str, payload: object, **more: str
) -> dict[str, str]:
    path = publisher.folder / "event.json"
    path.write_text(json.dumps(payload))
    return {
        "GITHUB_EVENT_NAME": name,
        "GITHUB_EVENT_PATH": str(path),
        "GITHUB_REPOSITORY": REPOSITORY,
        "GITHUB_API_URL": git.url,
        "GITHUB_TOKEN": git.token,
        **more,
    }


def pull(publisher: Publisher, git: FakeGithub, repository: str = REPOSITORY) -> dict[str, str]:
    head = {"sha": HEAD, "repo": {"full_name": repository}}
    return event(publisher, git, "pull_request", {"pull_request": {"number": 7, "head": head}})


def test_a_pull_request_gets_a_preview_and_one_comment(
    publisher: Publisher, proxy: Faulty, git: FakeGithub
) -> None:
    package_of(publisher, "@other/preview", scripts={"test": "x"}, devDependencies={"a": "1"})
    command = ("publish", "github", "pr", "--registry", proxy.url)
    version = f"0.0.0-pr.7.sha.{HEAD}"
    git.heads["7"] = HEAD
    git.comments += [{"id": n + 1, "body": f"comment {n}"} for n in range(130)]
    env = pull(publisher, git)
    assert publisher.outcomes(*command, "--dry-run", env=env) == [("would-publish", None, version)]
    assert [line for line in git.log if not line.startswith("GET")] == []
    assert publisher.outcomes(*command, env=env) == [("published", None, version)]
    assert tags_of(Registry(proxy.url, ""), "@acme/preview")["pr-7"] == version
    with urllib.request.urlopen(f"{proxy.url}@acme/preview", timeout=30) as response:
        manifest = json.load(response)["versions"][version]
    assert not {"scripts", "devDependencies"} & {k for k, v in manifest.items() if v}
    said = [c["body"] for c in git.comments if "preview of @other/preview" in c["body"]]
    text = f"`npm install @acme/preview@{version}` installs a preview."
    assert said == [f"<!-- pipec preview of @other/preview -->\n{text}"]
    again = publisher.outcomes(*command, env=env)
    assert again == [("skipped", "already-published", version)]
    git.comments[-1]["body"] = "<!-- pipec preview of @other/preview -->\nold"
    publisher.outcomes(*command, env=env)
    assert [c["body"] for c in git.comments if "preview of @other/preview" in c["body"]] == said


def test_a_fork_publishes_nothing_and_asks_nothing(
    publisher: Publisher, proxy: Faulty, git: FakeGithub
) -> None:
    package_of(publisher, "forked")
    env = {**pull(publisher, git, "mallory/web"), "GITHUB_TOKEN": ""}
    outcome = publisher.outcomes("publish", "github", "pr", "--registry", proxy.url, env=env)
    assert outcome == [("skipped", "fork", f"0.0.0-pr.7.sha.{HEAD}")]
    assert (proxy.asked, git.log) == ([], [])


@pytest.mark.parametrize("mode", ["pr", "main"])
def test_a_commit_that_is_not_the_head_publishes_nothing(
    publisher: Publisher, proxy: Faulty, git: FakeGithub, mode: str
) -> None:
    package_of(publisher, "stale")
    git.heads |= {"7": NEWER, "main": NEWER}
    env = pull(publisher, git)
    if mode == "main":
        env = event(publisher, git, "push", {}, GITHUB_REF="refs/heads/main", GITHUB_SHA=HEAD)
    ((action, reason, _),) = publisher.outcomes(
        "publish", "github", mode, "--registry", proxy.url, env=env
    )
    assert (action, reason, proxy.asked, git.comments) == ("skipped", "stale-head", [], [])


def test_a_branch_moves_its_tag(publisher: Publisher, proxy: Faulty, git: FakeGithub) -> None:
    package_of(publisher, "branch")
    for sha in (HEAD, NEWER):
        git.heads["main"] = sha
        env = event(publisher, git, "push", {}, GITHUB_REF="refs/heads/main", GITHUB_SHA=sha)
        command = ("publish", "github", "main", "--registry", proxy.url)
        version = f"0.0.0-main.sha.{sha}"
        assert publisher.outcomes(*command, env=env) == [("published", None, version)]
        assert tags_of(Registry(proxy.url, ""), "@acme/branch")["main"] == version
    git.heads["main"] = HEAD
    env = event(publisher, git, "push", {}, GITHUB_REF="refs/heads/main", GITHUB_SHA=HEAD)
    publisher.outcomes(*command, env=env)
    assert tags_of(Registry(proxy.url, ""), "@acme/branch")["main"] == f"0.0.0-main.sha.{HEAD}"


def test_a_release_of_npm_is_a_package_and_a_release(
    publisher: Publisher, proxy: Faulty, git: FakeGithub
) -> None:
    package_of(publisher, "@acme/released", "2.0.0")
    command = ("publish", "github", "release", "--registry", proxy.url)
    env = event(publisher, git, "push", {}, GITHUB_REF="refs/tags/v2.0.0", GITHUB_SHA=HEAD)
    wrong = {**env, "GITHUB_REF": "refs/tags/v2.0.1"}
    status, said = publisher.pipec(*command, env=wrong)
    assert (status, "PIPEC_RELEASE_MISMATCH" in said, proxy.asked) == (2, True, [])
    both = [("published", None, "2.0.0")] * 2
    assert publisher.outcomes(*command, env=env) == both
    (release,) = git.releases
    assert (release["tag_name"], release["body"], release["draft"], release["prerelease"]) == (
        "v2.0.0",
        "All of it.",
        False,
        False,
    )
    assert tags_of(Registry(proxy.url, ""), "@acme/released")["latest"] == "2.0.0"
    assert publisher.outcomes(*command, env=env) == [("skipped", "already-published", "2.0.0")] * 2
    assert len(git.releases) == 1


def test_a_release_of_python_is_seen_when_all_of_it_is_there(
    publisher: Publisher, git: FakeGithub
) -> None:
    built(publisher, "attached")
    command = ("publish", "github", "release", "--attempts", "1")
    env = event(publisher, git, "release", {"release": {"tag_name": "attached@1.0"}})
    git.broken = "POST /repos/Acme/web/releases/1/assets"
    status, said = publisher.pipec(*command, env=env)
    assert (status, "PIPEC_REGISTRY_REFUSED" in said) == (1, True)
    assert [release["draft"] for release in git.releases] == [True]
    git.broken = ""
    assert publisher.outcomes(*command, env=env) == [("published", None, "1.0")]
    assert [release["draft"] for release in git.releases] == [False]
    assert sorted(git.files) == ["attached-1.0-py2.py3-none-any.whl", "attached-1.0.tar.gz"]
    assert git.log[-1] == "PATCH /releases/1"


def test_what_github_says_back_hides_the_token(publisher: Publisher, git: FakeGithub) -> None:
    built(publisher, "echo")
    env = event(publisher, git, "release", {"release": {"tag_name": "v1.0"}})
    git.token = "another"
    status, said = publisher.pipec("publish", "github", "release", env=env)
    assert (status, "refuses: 401 Bad credentials: Bearer ***" in said) == (1, True)


def test_the_doctor_says_what_the_registry_has(publisher: Publisher, proxy: Faulty) -> None:
    package_of(publisher, "examined", description="d", license="MIT", repository="r")
    publisher.write("README.md", "# x\n")
    command = ("release", "doctor", "--registry", proxy.url)
    status, said = publisher.pipec(*command)
    assert (status, "examined 1.0.0 is not published yet" in said) == (0, True)
    env = {"NPM_TOKEN": publisher.secrets[0]}
    assert publisher.pipec("publish", "npm", "--registry", proxy.url, env=env)[0] == 0
    status, said = publisher.pipec(*command)
    assert (status, "examined 1.0.0 is published, with this content" in said) == (0, True)
    publisher.write("index.js", "other\n")
    status, said = publisher.pipec(*command)
    assert (status, "with other content; different: `index.js`" in said) == (1, True)
