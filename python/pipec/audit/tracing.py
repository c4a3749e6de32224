"""What a process and everything it starts did with files and the network, as `strace` saw it."""

import os
import re
import shutil
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from pipec.codes import Code
from pipec.errors import RunError

_CALLS = "trace=%file,fchdir,?fork,?vfork,?clone,?clone3,connect,sendto,?sendmsg,?sendmmsg,bind"
_LINE = re.compile(
    r"(?P<name>\w+)\((?P<arguments>.*)\)\s+= (?P<result>-?\d+)(?P<rest>.*)", re.DOTALL
)
_PLACE = re.compile(r'(?P<fd>AT_FDCWD|-?\d+)(?:<(?P<folder>[^>]*)>)?, "(?P<path>(?:[^"\\]|\\.)*)"')
_TEXT = re.compile(r'"(?P<path>(?:[^"\\]|\\.)*)"')
_OPENED = re.compile(r"^<(?P<path>[^>]*)>")
_FOLDER = re.compile(r"^-?\d+<(?P<path>[^>]*)>")
_INET = re.compile(
    r'sa_family=AF_INET6?,.*?sin6?_port=htons\((?P<port>\d+)\).*?"(?P<host>[0-9a-fA-F:.]+)"'
)

_OPENING = {"open", "openat", "openat2", "creat"}
_LOOKING = {
    "stat", "lstat", "newfstatat", "statx", "fstatat64", "access", "faccessat", "faccessat2",
    "readlink", "readlinkat",
}  # fmt: skip
_WRITING_FIRST = {"truncate", "mknod", "mknodat"}
_MOVING = {"rename", "renameat", "renameat2"}
_LINKING = {"link", "linkat"}
_WRITING_LAST = {"symlink", "symlinkat"}
_MAKING_FOLDERS = {"mkdir", "mkdirat"}
_NETWORK = {"connect", "sendto", "sendmsg", "sendmmsg", "bind"}
_STARTING = {"fork", "vfork", "clone", "clone3"}


@dataclass(slots=True)
class Trace:
    """What was seen. Paths are absolute; `read` and `removed` hold only files that were not written
    before.

    `followed` holds the links by whose names files were opened. A folder in `written` was moved
    there, with all that is in it; `made` holds the folders that were not there before.

    `connected` holds host and port of each peer; `bound` the ports that were listened on.
    """

    read: set[str] = field(default_factory=set)
    followed: set[str] = field(default_factory=set)
    looked_at: set[str] = field(default_factory=set)
    written: set[str] = field(default_factory=set)
    made: set[str] = field(default_factory=set)
    removed: set[str] = field(default_factory=set)
    executed: set[str] = field(default_factory=set)
    connected: set[tuple[str, int]] = field(default_factory=set)
    bound: set[int] = field(default_factory=set)


def tracing_command(argv: Sequence[str], into: str, environ: Mapping[str, str]) -> list[str]:
    """The command that runs `argv` and leaves a file for each process that begins with `into`.

    Raises:
        RunError: there is no strace, or one that is too old.
    """
    strace = shutil.which("strace", path=environ.get("PATH"))
    if strace is None:
        raise RunError(
            Code.CANNOT_TRACE,
            "there is no `strace` on the path, and without it nobody sees what a task reads",
            help=("install the package `strace` of this system",),
        )
    # Only the calls that are asked about stop the process, if strace is new enough.
    fast = ["--seccomp-bpf"] if _knows(strace, "--seccomp-bpf") else []
    return [
        strace, "-ff", *fast, "-qq", "-y", "-s", "4096", "-o", into, "-e", _CALLS,
        "-e", "signal=none", "--", *argv,
    ]  # fmt: skip


def read_traces(into: str, cwd: str) -> Trace:
    """What the processes of one command did, one after the other as far as their order is known.

    Raises:
        RunError: nothing was traced: this system forbids it.
    """
    folder, prefix = os.path.split(into)
    files = {
        int(name.rpartition(".")[2]): os.path.join(folder, name)
        for name in os.listdir(folder)
        if name.startswith(f"{prefix}.")
    }
    if not files:
        raise RunError(
            Code.CANNOT_TRACE,
            "the task could not be traced",
            help=("a container or a security module may forbid `ptrace`",),
        )
    trace = Trace()
    reader = _Reader(trace, files)
    while files:
        # The first one left is nobody's child: it began it all, or its parent was not seen.
        reader.follow(min(files), cwd)
    return trace


class _Reader:
    def __init__(self, trace: Trace, files: dict[int, str]) -> None:
        self._trace = trace
        self._files = files
        self._looked_at: set[str] = set()

    def follow(self, pid: int, cwd: str) -> None:
        """Reads a process, and each that it started where it started it, without recursion."""
        stack = [(self._calls(pid), cwd)]
        while stack:
            calls, cwd = stack.pop()
            for call in calls:
                name, succeeded = call["name"], int(call["result"]) >= 0
                if name in _STARTING and succeeded:
                    child = int(call["result"])
                    if child in self._files:
                        stack += [(calls, cwd), (self._calls(child), cwd)]
                        break
                elif name in ("chdir", "fchdir") and succeeded:
                    cwd = _new_folder(call, cwd)
                else:
                    self._note(call, cwd, succeeded=succeeded)

    def _calls(self, pid: int) -> Iterator[re.Match[str]]:
        path = self._files.pop(pid)
        with open(path, encoding="utf-8", errors="surrogateescape") as lines:
            for line in lines:
                call = _LINE.match(line.rstrip("\n"))
                if call is not None:
                    yield call

    def _note(self, call: re.Match[str], cwd: str, *, succeeded: bool) -> None:
        name, arguments = call["name"], call["arguments"]
        if name in _NETWORK:
            self._note_network(name, arguments)
        elif not succeeded:
            return
        elif name in _OPENING:
            self._note_opened(name, arguments, call["rest"], cwd)
        elif name in _LOOKING:
            self._trace.looked_at.update(_paths(arguments, cwd)[:1])
        elif name in ("execve", "execveat"):
            named = _paths(arguments, cwd)[:1]
            paths = [os.path.realpath(path) for path in named]
            # The link counts too: it is how an environment of Python names its interpreter.
            self._trace.executed.update(named + paths)
            for path, real in zip(named, paths, strict=True):
                self._note_followed(path)
                self._note_read(real)
        else:
            self._note_changed(name, _paths(arguments, cwd))

    def _note_changed(self, name: str, paths: list[str]) -> None:
        """What a call did to names of files and folders, not to what is in them."""
        if name in _WRITING_FIRST:
            self._trace.written.update(paths[:1])
        elif name in _WRITING_LAST:
            self._trace.written.update(paths[-1:])
        elif name in _MAKING_FOLDERS:
            self._trace.made.update(paths[:1])
        elif name in _MOVING:
            self._note_moved(paths[0], paths[-1])
        elif name in _LINKING:
            # Another name for a file shows what is in it. One without a name yet is new.
            self._note_read(paths[0].removesuffix(" (deleted)"))
            self._trace.written.add(paths[-1])
        elif name in ("unlink", "unlinkat"):
            self._note_removed(paths[:1])

    def _note_read(self, path: str) -> None:
        if path not in self._trace.written:
            self._trace.read.add(path)

    def _note_removed(self, paths: list[str]) -> None:
        self._trace.removed.update(path for path in paths if path not in self._trace.written)

    def _note_moved(self, source: str, to: str) -> None:
        trace = self._trace
        if source in trace.made:
            trace.made.add(to)
        else:
            self._note_removed([source])
        trace.written.add(to)
        if source in trace.made or os.path.isdir(to):
            below = f"{source}/"
            for paths in (trace.written, trace.made):
                moved = {path for path in paths if path.startswith(below)}
                paths.update(f"{to}/{path[len(below) :]}" for path in moved)

    def _note_followed(self, path: str) -> None:
        """Each part of a path that is a link: where it leads is a part of what was read."""
        parts = path.split("/")
        for end in range(2, len(parts) + 1):
            part = "/".join(parts[:end])
            if part not in self._looked_at:
                self._looked_at.add(part)
                if part not in self._trace.written and os.path.islink(part):
                    self._trace.followed.add(part)

    def _note_opened(self, name: str, arguments: str, rest: str, cwd: str) -> None:
        if "O_DIRECTORY" in arguments or "O_PATH" in arguments:
            return
        opened = _OPENED.match(rest)
        paths = _paths(arguments, cwd)
        path = _decoded(opened["path"]) if opened else (paths[0] if paths else "")
        path = path.removesuffix(" (deleted)")
        if not path.startswith("/"):
            return
        writes = name == "creat" or "O_WRONLY" in arguments or "O_RDWR" in arguments
        empties = name == "creat" or "O_TRUNC" in arguments or "O_EXCL" in arguments
        # What is opened to be read and made if need be is more often new than old.
        makes = empties or ("O_RDWR" in arguments and "O_CREAT" in arguments)
        if not ("O_WRONLY" in arguments or makes):
            self._note_read(path)
            if paths and paths[0] != path:
                self._note_followed(paths[0])
        if writes or empties:
            self._trace.written.add(path)

    def _note_network(self, name: str, arguments: str) -> None:
        address = _INET.search(arguments)
        if address is None:
            return
        port = int(address["port"])
        if name == "bind":
            self._trace.bound.add(port)
        elif port:
            self._trace.connected.add((address["host"], port))


def _new_folder(call: re.Match[str], cwd: str) -> str:
    arguments = call["arguments"]
    if call["name"] == "fchdir":
        folder = _FOLDER.match(arguments)
        return _decoded(folder["path"]) if folder else cwd
    paths = _paths(arguments, cwd)
    return paths[0] if paths else cwd


def _paths(arguments: str, cwd: str) -> list[str]:
    """The paths of a call, absolute; those relative to a descriptor begin where that leads."""
    found = []
    places = list(_PLACE.finditer(arguments))
    for place in places:
        folder = _decoded(place["folder"]) if place["folder"] else cwd
        found.append(_joined(folder, place["path"]))
    if not places:
        found = [_joined(cwd, text["path"]) for text in _TEXT.finditer(arguments)]
    return found


def _joined(folder: str, path: str) -> str:
    return os.path.normpath(os.path.join(folder, _decoded(path)))


def _decoded(text: str) -> str:
    """A path as strace writes it, with its escapes undone."""
    if "\\" not in text:
        return text
    raw = text.encode("utf-8", "surrogateescape").decode("latin-1")
    return os.fsdecode(raw.encode("latin-1").decode("unicode_escape").encode("latin-1"))


def _knows(strace: str, option: str) -> bool:
    done = subprocess.run(  # noqa: S603 - asked for its help
        [strace, "--help"], capture_output=True, stdin=subprocess.DEVNULL, check=False
    )
    return option.encode() in done.stdout + done.stderr
