"""What a process asks the operating system for, as `strace` saw it."""

import re
import shutil
import subprocess
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

CALL = re.compile(r"(?P<name>\w+)\((?P<arguments>.*)\) += (?P<result>-?\d+)(?P<rest>.*)", re.DOTALL)
# `-y` writes what a descriptor stands for behind it.
PLACE = re.compile(r'(?:AT_FDCWD|\d+)<(?P<folder>[^>]*)>, "(?P<path>[^"]*)"')
HELD = re.compile(r"\d+<(?P<path>[^>]*)>")
PATH = re.compile(r'"(?P<path>[^"]*)"')

LOOKING = {"stat", "lstat", "fstat", "statx", "newfstatat", "fstatat64"}
# What is done to something that is open: to be asked for by `also`.
READING = {"read", "pread64", "readv", "preadv", "mmap", "copy_file_range", "sendfile"}
HOLDING = READING | {"close", "getdents64"}
OPENING = {"open", "openat", "openat2", "creat"}
MAKING = {"mkdir", "mkdirat", "symlink", "symlinkat", "link", "linkat", "mknod", "mknodat"}
CHANGING = {
    *("rename", "renameat", "renameat2", "unlink", "unlinkat", "rmdir", "truncate"),
    *("chmod", "fchmodat", "fchmodat2", "chown", "lchown", "fchownat", "utimensat"),
}


@dataclass(frozen=True, slots=True)
class Call:
    """One call that succeeded or failed, with the whole path that it was about."""

    name: str
    arguments: str
    path: str
    succeeded: bool

    @property
    def opens(self) -> bool:
        """Whether it opened a file or a folder."""
        return self.name in OPENING and self.succeeded

    @property
    def lists(self) -> bool:
        """Whether it opened a folder."""
        return self.opens and "O_DIRECTORY" in self.arguments

    @property
    def writes(self) -> bool:
        """Whether it could have changed something: made, opened for writing, renamed, removed."""
        if not self.succeeded:
            return False
        to_write = self.name in OPENING and re.search(r"O_WRONLY|O_RDWR|O_CREAT", self.arguments)
        return bool(to_write) or self.name in MAKING | CHANGING


def trace(
    words: Sequence[str],
    *,
    folder: Path,
    environment: Mapping[str, str],
    into: Path,
    also: Collection[str] = (),
) -> list[Call]:
    """The calls of a process and its threads; those of processes that it starts are left out.

    Those that take a path, start a process or look at an open file, and `also` the ones named.

    Raises:
        FileNotFoundError: there is no strace.
        subprocess.CalledProcessError: the process failed.
    """
    if shutil.which("strace") is None:
        raise FileNotFoundError("these tests count system calls: install strace")
    shutil.rmtree(into, ignore_errors=True)
    into.mkdir()
    watch = [
        "-ff",
        "-y",
        "-qq",
        "-s",
        "4096",
        "-o",
        f"{into}/t",
        "-e",
        ",".join(["trace=%file,%process,fstat", *also]),
    ]
    subprocess.run(
        ["strace", *watch, *words], cwd=folder, env=environment, capture_output=True, check=True
    )
    files = {int(path.suffix[1:]): path for path in into.iterdir()}
    # A process that another has started comes after it; the numbers may have wrapped around.
    children = {
        int(call["result"])
        for path in files.values()
        for call in calls(path)
        if "clone" in call["name"] or "fork" in call["name"]
    }
    (first,) = files.keys() - children
    seen, open_threads = [], [first]
    while open_threads:
        for call in calls(files[open_threads.pop()]):
            if "CLONE_THREAD" in call["arguments"]:
                open_threads.append(int(call["result"]))
            seen.append(as_call(call, folder))
    return seen


def calls(path: Path) -> list[re.Match[str]]:
    """The lines of one thread that are calls."""
    lines = path.read_text(errors="surrogateescape").splitlines()
    return [call for line in lines if (call := CALL.match(line))]


def as_call(call: re.Match[str], folder: Path) -> Call:
    """A call with its path made whole."""
    arguments = call["arguments"]
    if call["name"] in HOLDING:
        held = HELD.search(arguments)
        path = Path(held["path"] if held else "")
    elif place := PLACE.search(arguments):
        path = Path(place["folder"], place["path"])
    else:
        named = PATH.search(arguments)
        path = folder / named["path"] if named else Path()
    return Call(call["name"], arguments, str(path), succeeded=int(call["result"]) >= 0)
