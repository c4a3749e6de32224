"""What a workflow publishes for a pull request, for a branch, and for a release."""

import json
import os
import re
import tarfile
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from pipec.codes import Code
from pipec.errors import PlanError
from pipec.publishing.changelog import find_changelog, section_of
from pipec.publishing.dists import Dist, find_dists
from pipec.publishing.github_api import Github
from pipec.publishing.github_event import GithubEvent
from pipec.publishing.manifest import Package, unsuitable
from pipec.publishing.npm import NpmRequest, Tarball, default_tag, options_for, pack, run_npm, send
from pipec.publishing.npm_registry import NpmRegistry
from pipec.publishing.outcome import Outcome
from pipec.publishing.tokens import GITHUB, Veil, find_token, no_token
from pipec.publishing.web import Web, refused

PACKAGES = "https://npm.pkg.github.com"
API = "https://api.github.com"

Mode = Literal["pr", "main", "release"]
_COMMIT = re.compile(r"[0-9a-f]{40}")
_LEFT_OUT = ("scripts", "devDependencies", "publishConfig", "private")


@dataclass(frozen=True, slots=True, kw_only=True)
class GithubRequest:
    """What is asked for: the event's mode, and where packages and built files are."""

    mode: Mode
    registry: str = PACKAGES
    dist: str = ""
    is_dry: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Desk:
    """What publishing works with."""

    web: Web
    environ: Mapping[str, str]
    veil: Veil
    event: GithubEvent

    def github(self) -> Github:
        """The repository of the event.

        Raises:
            PlanError: there is no token.
        """
        token = find_token(self.environ, GITHUB)
        if not token:
            raise no_token(GITHUB, "talking to GitHub")
        url = self.environ.get("GITHUB_API_URL") or API
        return Github(self.web, url, self.event.repository, token)


def publish_github(package: Package, request: GithubRequest, desk: Desk) -> tuple[Outcome, ...]:
    """Publishes what the event is for.

    Raises:
        PlanError: the event does not fit, there is no token, or the release is not ready.
        RunError: GitHub or its registry does not answer, refuses, or has something else already.
    """
    do = {"pr": _pull_request, "main": _branch, "release": _release}[request.mode]
    return do(package, request, desk)


def _pull_request(package: Package, request: GithubRequest, desk: Desk) -> tuple[Outcome, ...]:
    event = desk.event
    if event.name not in {"pull_request", "pull_request_target"} or not event.number:
        raise _wrong_event(request.mode, "a pull request", event)
    _needs_npm(package)
    name = mirror_name(package, event)
    version = f"0.0.0-pr.{event.number}.sha.{_commit(event.head)}"
    outcome = Outcome(
        action="skipped", reason="fork", name=name, version=version, where=request.registry
    )
    if event.head_repository.lower() != event.repository.lower():
        # A fork gets no token that may write, and must not need one.
        whose = event.head_repository or "a repository that is gone"
        return (replace(outcome, note=f"the pull request comes from {whose}"),)
    github, tag = desk.github(), f"pr-{event.number}"

    def is_current() -> bool:
        return github.head_of_pull(event.number) == event.head

    published = _preview(
        package, request, desk, name=name, version=version, tag=tag, is_current=is_current
    )
    if published.action == "would-publish" or published.reason == "stale-head":
        return (published,)
    if not is_current():
        return (replace(published, note="not commented: the pull request has moved on"),)
    mark = f"<!-- pipec preview of {package.name} -->"
    github.say(event.number, mark, f"`npm install {name}@{version}` installs a preview.")
    return (published,)


def _branch(package: Package, request: GithubRequest, desk: Desk) -> tuple[Outcome, ...]:
    event = desk.event
    if event.name not in {"push", "workflow_dispatch", "schedule"} or not event.branch:
        raise _wrong_event(request.mode, "a push to a branch", event)
    _needs_npm(package)
    name = mirror_name(package, event)
    version = f"0.0.0-main.sha.{_commit(event.sha)}"
    github = desk.github()

    def is_current() -> bool:
        return github.head_of_branch(event.branch) == event.sha

    return (
        _preview(
            package, request, desk, name=name, version=version, tag="main", is_current=is_current
        ),
    )


def _release(package: Package, request: GithubRequest, desk: Desk) -> tuple[Outcome, ...]:
    event = desk.event
    if not event.tag:
        raise _wrong_event(request.mode, "a tag or a release", event)
    dists: tuple[Dist, ...] = ()
    if package.ecosystem == "pypi":
        dists = find_dists(package, request.dist or os.path.join(package.folder, "dist"))
    version = package.version or dists[0].version
    check_tag(package, version, event.tag)
    notes = release_notes(package, version)
    github = desk.github()
    outcomes: list[Outcome] = []
    if package.ecosystem == "npm":
        name = mirror_name(package, event)
        outcomes.append(
            _send_staged(
                package, request, desk, name=name, version=version, tag=default_tag(version)
            )
        )
    outcome = Outcome(
        action="published",
        name=package.name,
        version=version,
        where=f"{github.shown}/releases/{event.tag}",
        files=tuple(dist.filename for dist in dists),
    )
    outcomes.append(
        _ensure_release(
            github, event.tag, notes, dists=dists, outcome=outcome, is_dry=request.is_dry
        )
    )
    return tuple(outcomes)


def _ensure_release(
    github: Github,
    tag: str,
    notes: str,
    *,
    dists: Sequence[Dist],
    outcome: Outcome,
    is_dry: bool,
) -> Outcome:
    """The release of a tag: all of it is there before anybody sees it."""
    release = github.release(tag)
    if release is not None and not release.get("draft"):
        return replace(outcome, action="skipped", reason="already-published", files=())
    if is_dry:
        return replace(outcome, action="would-publish")
    if release is None:
        is_prerelease = default_tag(outcome.version) != "latest"
        release = github.draft(tag, text=notes, is_prerelease=is_prerelease)
    for asset in release.get("assets") or ():
        # What an earlier attempt left may be cut short.
        github.remove_file(asset["id"])
    for dist in dists:
        github.attach(release, dist.filename, dist.content)
    github.show(release)
    return outcome


def _preview(
    package: Package,
    request: GithubRequest,
    desk: Desk,
    *,
    name: str,
    version: str,
    tag: str,
    is_current: Callable[[], bool],
) -> Outcome:
    """Publishes a version of a commit, unless the commit is no longer the head."""
    stale = Outcome(
        action="skipped", reason="stale-head", name=name, version=version, where=request.registry
    )
    if not is_current():
        return replace(stale, note="a newer commit is at the head")
    outcome = _send_staged(package, request, desk, name=name, version=version, tag=tag)
    if outcome.reason == "already-published" and not request.is_dry:
        if not is_current():
            return replace(outcome, note=f"`{tag}` stays: a newer commit is at the head")
        registry = _registry(request, desk)
        words = ["npm", "dist-tag", "add", f"{name}@{version}", tag, *options_for(registry, name)]
        done = run_npm(registry, words, desk.environ)
        if done.status != 0:
            raise refused(request.registry, desk.veil.over(done.words))
    return outcome


def _send_staged(
    package: Package, request: GithubRequest, desk: Desk, *, name: str, version: str, tag: str
) -> Outcome:
    with tempfile.TemporaryDirectory(prefix="pipec-publish-") as folder:
        tarball = stage(package, folder, desk.environ, name=name, version=version)
        return send(
            _registry(request, desk),
            tarball,
            name=name,
            version=version,
            request=NpmRequest(
                registry=request.registry, tag=tag, has_provenance=False, is_dry=request.is_dry
            ),
            environ=desk.environ,
            veil=desk.veil,
        )


def _registry(request: GithubRequest, desk: Desk) -> NpmRegistry:
    return NpmRegistry(desk.web, request.registry, find_token(desk.environ, GITHUB))


def stage(
    package: Package, folder: str, environ: Mapping[str, str], *, name: str, version: str
) -> Tarball:
    """The package under another name and version, without what only its developers need."""
    packed = os.path.join(folder, "packed")
    os.mkdir(packed)
    tarball = pack(package.folder, packed, environ)
    staged = os.path.join(folder, "staged")
    with tarfile.open(tarball.path) as archive:
        archive.extractall(staged, filter="data")
    (inner,) = os.listdir(staged)
    manifest = os.path.join(staged, inner, "package.json")
    with open(manifest, encoding="utf-8") as file:
        values = json.load(file)
    values = {key: value for key, value in values.items() if key not in _LEFT_OUT}
    values |= {"name": name, "version": version}
    with open(manifest, "w", encoding="utf-8") as file:
        file.write(json.dumps(values, indent=2, ensure_ascii=False) + "\n")
    mirrored = os.path.join(folder, "mirrored")
    os.mkdir(mirrored)
    return pack(os.path.dirname(manifest), mirrored, environ)


def mirror_name(package: Package, event: GithubEvent) -> str:
    """The package's name in the registry of GitHub, which wants the owner as the scope."""
    return f"@{event.owner}/{package.leaf}"


def check_tag(package: Package, version: str, tag: str) -> None:
    """A tag is for a version: `1.2.3`, `v1.2.3`, `NAME@1.2.3` or `NAME-v1.2.3`.

    Raises:
        PlanError: it is for another one.
    """
    fitting = (
        *(version, f"v{version}"),
        *(f"{name}@{version}" for name in (package.name, package.leaf)),
        *(f"{package.leaf}-{version}", f"{package.leaf}-v{version}"),
    )
    if tag not in fitting:
        message = (
            f"the tag `{tag}` is not for {package.name} {version}, as `{package.shown}` has it"
        )
        raise PlanError(Code.RELEASE_MISMATCH, message, help=(f"it would be `v{version}`",))


def release_notes(package: Package, version: str) -> str:
    """What the changelog says of a version.

    Raises:
        PlanError: there is no changelog, or nothing in it about the version.
    """
    path = find_changelog(package.folder, package.root)
    if path is None:
        message = "there is no CHANGELOG.md"
        raise PlanError(Code.CHANGELOG_MISSING, message)
    with open(path, encoding="utf-8") as file:
        notes = section_of(file.read(), version)
    if not notes:
        shown = os.path.relpath(path, package.root)
        message = f"`{shown}` says nothing about {version}"
        advice = f"add a section `## {version}` that says what changed"
        raise PlanError(Code.CHANGELOG_MISSING, message, help=(advice,))
    return notes


def _commit(sha: str) -> str:
    if not _COMMIT.fullmatch(sha):
        raise PlanError(Code.EVENT_UNSUITABLE, f"`{sha}` is no commit")
    return sha


def _needs_npm(package: Package) -> None:
    if package.ecosystem != "npm":
        raise unsuitable(
            "GitHub has no registry for packages of Python",
            "`pipec publish github release` adds what was built to a release",
        )


def _wrong_event(mode: Mode, wanted: str, event: GithubEvent) -> PlanError:
    message = f"`publish github {mode}` is for {wanted}, and this is `{event.name}`"
    return PlanError(Code.EVENT_UNSUITABLE, message)
