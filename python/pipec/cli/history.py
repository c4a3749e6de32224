"""What git knows about a changed file: the contents it had and has, and the commits in between."""

from collections.abc import Callable
from dataclasses import dataclass, replace

from pipec import _core
from pipec.cli.documents import ChangedFile, CommitFacts
from pipec.cli.git import FileVersion, Repository

MOST_COMMITS = 5
_MOST_DIFF = 16 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Contents:
    """Digests of a file's contents at the two ends of a change; None: not known, or no file."""

    before: str | None
    now: str | None


def trace_change(
    repository: Repository, file: ChangedFile, contents: Contents, *, redact: Callable[[str], str]
) -> ChangedFile:
    """The changed file with its chain: the commits that changed it, and the lines, without secrets.

    Of contents that git never had, or that cannot be told any more, nothing is said. The file in
    the work tree counts where it has the contents in question.
    """
    versions = repository.versions(file.path)
    blobs = {version.blob for version in versions if version.blob}
    digests = {
        blob: _core.content_digest(content)
        for blob, content in repository.contents(sorted(blobs)).items()
    }
    before = _blob_of(contents.before, versions, digests)
    now = _blob_of(contents.now, versions, digests)
    is_committed = True if now is not None else None
    in_work_tree = False
    if file.change == "removed":
        is_committed = bool(versions) and not versions[0].blob
    elif now is None and contents.now is not None:
        present = repository.work_file(file.path)
        if present is not None and _core.content_digest(present[1]) == contents.now:
            now, in_work_tree, is_committed = present[0], True, False
    commits = _between(versions, before, None if in_work_tree else now, file.change)
    diff = None
    if before and now:
        diff = repository.difference(before, file.path if in_work_tree else now)
    return replace(
        file,
        before=before,
        now=now,
        commits=tuple(_facts(version, redact) for version in commits[:MOST_COMMITS]) or None,
        is_committed=is_committed,
        diff=_shortened(redact(diff)) if diff else None,
    )


def _blob_of(
    digest: str | None, versions: list[FileVersion], digests: dict[str, str]
) -> str | None:
    """The newest version of the file with these contents."""
    if digest is None:
        return None
    return next((v.blob for v in versions if v.blob and digests.get(v.blob) == digest), None)


def _between(
    versions: list[FileVersion], before: str | None, now: str | None, change: str
) -> list[FileVersion]:
    """The commits that lead from one version to the other, newest first."""
    start = 0
    if now is not None:
        # The one that made it, not one that came back to it later.
        start = next((i for i, version in enumerate(versions) if version.blob == now), 0)
    chain = []
    for version in versions[start:]:
        if before is not None and version.blob == before:
            break
        chain.append(version)
    if before is None and change == "changed":
        # Where it began is not known: only the last step is certain.
        return chain[:1] if now is not None else []
    return chain


def _facts(version: FileVersion, redact: Callable[[str], str]) -> CommitFacts:
    return CommitFacts(
        commit=version.commit,
        author=version.author,
        committed_at=version.committed_at,
        subject=redact(version.subject),
    )


def _shortened(diff: str) -> str:
    """The lines that changed, without the heads that name objects; not more than a person reads."""
    lines = diff.splitlines(keepends=True)
    start = next((i for i, line in enumerate(lines) if line.startswith("@@")), None)
    text = "".join(lines if start is None else lines[start:])
    if len(text) <= _MOST_DIFF:
        return text
    kept = text[:_MOST_DIFF].rpartition("\n")[0]
    return f"{kept}\n(the difference goes on)\n"
