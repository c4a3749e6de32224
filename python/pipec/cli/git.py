"""Asks git about revisions and files. Writes nothing, runs no program that a repository names."""

import os
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from pipec.codes import Code
from pipec.errors import PlanError
from pipec.runtime.record import timestamp
from pipec.runtime.visible import visible

_MOST_VERSIONS = 200
"""Commits of a file that are looked at: older ones are no answer to what changed lately."""

_LARGEST = 8 * 1024 * 1024

_OF_ANOTHER_CALL = frozenset({"GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_PREFIX"})
"""What git tells a hook of the place where it was called: here the project's folder decides."""


@dataclass(frozen=True, slots=True)
class Entry:
    """A file of a revision: what it is, the name and the size of its content, its path.

    The size is in bytes, 0 for what has none; the path begins at the folder asked about.
    """

    mode: str
    blob: str
    size: int
    path: str

    @property
    def is_regular(self) -> bool:
        """Whether it is a file and no link, folder or other repository."""
        return self.mode.startswith("100")


@dataclass(frozen=True, slots=True)
class FileVersion:
    """What a commit made of one file: the name of its contents, empty if it removed the file."""

    commit: str
    blob: str
    author: str
    committed_at: str
    subject: str


class Repository:
    """The repository around a folder. `environ` is what git sees of the host's environment."""

    def __init__(self, folder: str, environ: Mapping[str, str]) -> None:
        self._folder = folder
        seen = {name: value for name, value in environ.items() if name not in _OF_ANOTHER_CALL}
        # Asking must not write: not even the times that git keeps of files.
        self._environ = {**seen, "GIT_OPTIONAL_LOCKS": "0", "LC_ALL": "C"}

    @classmethod
    def open(cls, folder: str, environ: Mapping[str, str]) -> "Repository":
        """The repository that the folder is in.

        Raises:
            PlanError: there is none, git refuses to look at it, or there is no git.
        """
        repository = cls(folder, environ)
        answer = repository._ask("rev-parse", "--git-dir")
        if answer.returncode != 0:
            said = _words(answer.stderr)
            message = f"`{visible(folder)}` is not in a git repository"
            is_usual = "not a git repository" in said
            raise PlanError(Code.NOT_A_REPOSITORY, message, help=() if is_usual else (said,))
        return repository

    def commit(self, revision: str) -> str:
        """The id of the commit that a revision means.

        Raises:
            PlanError: there is no such commit here.
        """
        # A revision cannot begin with a dash; what does would be an option of git.
        if revision and not revision.startswith("-"):
            asked = ("rev-parse", "--verify", "--quiet", f"{revision}^{{commit}}")
            answer = self._ask(*asked)
            if answer.returncode == 0:
                return answer.stdout.decode().strip()
        raise PlanError(
            Code.UNKNOWN_REVISION,
            f"this repository has no revision `{visible(revision)}`",
            help=("`git fetch` brings branches and tags that are only elsewhere",),
        )

    def common_ancestor(self, one: str, other: str) -> str:
        """The commit at which two histories parted.

        Raises:
            PlanError: they have nothing in common.
        """
        answer = self._ask("merge-base", one, other)
        if answer.returncode != 0:
            message = f"`{one}` and `{other}` have no common ancestor"
            raise PlanError(Code.UNKNOWN_REVISION, message)
        return answer.stdout.decode().strip()

    def changed_files(self, revisions: str) -> tuple[str, ...]:
        """The paths that differ between two revisions, `A..B`, or since they parted, `A...B`.

        They begin at the top of the repository.

        Raises:
            PlanError: one of them is not here.
        """
        if revisions.startswith("-"):
            raise PlanError(Code.UNKNOWN_REVISION, f"this repository has no `{visible(revisions)}`")
        words = ("diff", "--name-only", "--no-renames", "-z", revisions, "--")
        listed = self._read(*words).split(b"\0")
        return tuple(path.decode("utf-8", "surrogateescape") for path in listed if path)

    def changed_below(self, before: str, after: str | None) -> tuple[str, ...]:
        """The files below the folder that differ between two commits, sorted, relative to it.

        Without `after` those that differ now: also those that git does not know yet, not those that
        it ignores. A file that is as it was counts if git keeps it in another form than it has here
        and its times have changed: what would tell them apart may be a program.
        """
        form = ("-z", "--no-renames", "--relative")
        if after is not None:
            listed = self._read("diff-tree", "-r", "--name-only", *form, before, after).split(b"\0")
            return tuple(sorted(_path(name) for name in listed if name))
        found = set()
        listed = self._read("diff-index", *form, before).split(b"\0")
        for facts, name in zip(listed[::2], listed[1::2], strict=False):
            _, _, old, new, status = facts.decode().split()
            is_open = status == "M" and not new.strip("0")
            now = self.work_file(_path(name)) if is_open else None
            if now is None or now[0] != old:
                found.add(_path(name))
        untracked = self._read("ls-files", "-z", "--others", "--exclude-standard").split(b"\0")
        found |= {_path(name) for name in untracked if name}
        return tuple(sorted(found))

    def entries(self, commit: str, names: Sequence[str]) -> list[Entry]:
        """Which of the files the folder has at a commit, in their order."""
        listed = self._read("ls-tree", "--long", "-z", commit, "--", *names).split(b"\0")
        found = []
        for line in filter(None, listed):
            facts, _, path = line.partition(b"\t")
            mode, _, blob, size = facts.decode().split()
            name = path.decode("utf-8", "surrogateescape")
            found.append(Entry(mode, blob, int(size) if size.isdigit() else 0, name))
        return sorted(found, key=lambda entry: names.index(entry.path))

    def content(self, entry: Entry) -> bytes:
        """The bytes of a file."""
        return self._read("cat-file", "blob", entry.blob)

    def versions(self, path: str) -> list[FileVersion]:
        """What the newest commits made of a file, newest first; none if git does not know it."""
        form = "%x00%H%x01%an%x01%ct%x01%s"
        asked = ("log", f"-n{_MOST_VERSIONS}", "--no-renames", "--raw", "--no-abbrev", "-m")
        answer = self._ask(*asked, "--first-parent", f"--format={form}", "--", f":(literal){path}")
        if answer.returncode != 0:
            return []
        found = []
        for part in answer.stdout.decode("utf-8", "replace").split("\0")[1:]:
            head, _, rest = part.partition("\n")
            commit, author, seconds, subject = head.split("\x01", 3)
            lines = [line for line in rest.splitlines() if line.startswith(":")]
            if not lines:
                continue
            _, _, _, blob, _ = lines[0].split(" ", 4)
            moment = timestamp(int(seconds) * 1000)
            blob = "" if set(blob) == {"0"} else blob
            found.append(FileVersion(commit, blob, author, moment, subject))
        return found

    def contents(self, blobs: Sequence[str]) -> dict[str, bytes]:
        """The bytes of these objects; those that are too large to look at are left out."""
        asked = "".join(f"{blob}\n" for blob in blobs).encode()
        sizes = self._ask("cat-file", "--batch-check", text=asked).stdout.decode().splitlines()
        known = [line.split() for line in sizes]
        small = [
            facts[0] for facts in known if facts[1:2] == ["blob"] and int(facts[2]) <= _LARGEST
        ]
        asked = "".join(f"{blob}\n" for blob in small).encode()
        answer = self._ask("cat-file", "--batch", text=asked).stdout
        found: dict[str, bytes] = {}
        while answer:
            head, _, answer = answer.partition(b"\n")
            blob, _, size = head.decode().split()
            found[blob] = answer[: int(size)]
            answer = answer[int(size) + 1 :]
        return found

    def work_file(self, path: str) -> tuple[str, bytes] | None:
        """A file of the work tree: the name its contents would have, and the contents."""
        try:
            with open(os.path.join(self._folder, path), "rb") as file:
                content = file.read(_LARGEST + 1)
        except OSError:
            return None
        answer = self._ask("hash-object", "--no-filters", "--stdin", text=content)
        if answer.returncode != 0 or len(content) > _LARGEST:
            return None
        return answer.stdout.decode().strip(), content

    def difference(self, before: str, after: str) -> str | None:
        """The lines in which two objects, or an object and a file of the work tree, differ."""
        asked = ("diff", "--no-color", "--no-ext-diff", "--no-textconv", before, after)
        answer = self._ask(*asked)
        if answer.returncode != 0:
            return None
        return answer.stdout.decode("utf-8", "replace")

    def _read(self, *words: str) -> bytes:
        answer = self._ask(*words)
        if answer.returncode != 0:
            raise PlanError(Code.NOT_A_REPOSITORY, f"git {words[0]}: {_words(answer.stderr)}")
        return answer.stdout

    def _ask(self, *words: str, text: bytes = b"") -> subprocess.CompletedProcess[bytes]:
        try:
            return subprocess.run(  # noqa: S603 - the words are those above
                ["git", "-C", self._folder, "-c", "core.fsmonitor=false", *words],  # noqa: S607 - the user's git
                env=self._environ,
                input=text,
                capture_output=True,
                check=False,
            )
        except FileNotFoundError:
            raise PlanError(Code.NOT_A_REPOSITORY, "there is no `git` on the path") from None


def _path(name: bytes) -> str:
    return name.decode("utf-8", "surrogateescape")


def _words(complaint: bytes) -> str:
    """The first line of what git said, without the word before it."""
    line = complaint.decode("utf-8", "replace").strip().partition("\n")[0]
    return visible(line.removeprefix("fatal: ").removeprefix("error: "))
