"""The programs that a command starts: itself, and what it is a wrapper for."""

from collections.abc import Sequence
from dataclasses import dataclass

from pipec.runtime.policy.shell_text import UNKNOWN, ShellText, Word, read_shell_text

POSIX_SHELLS = frozenset({"sh", "bash", "dash", "zsh", "ksh", "ash", "mksh", "rbash"})
_TAKE_A_COMMAND = frozenset(
    {
        "sudo", "doas", "env", "nice", "ionice", "nohup", "time", "timeout", "xargs", "command",
        "exec", "builtin", "stdbuf", "setsid", "chronic", "unbuffer", "watch", "strace", "ltrace",
        "npx", "pnpx", "bunx", "uvx", "busybox", "find", "parallel", "chroot", "nsenter", "unshare",
        "flock", "taskset", "tini", "dumb-init", "winpty", "dotenv", "systemd-run", "firejail",
        "bwrap", "ssh", "su", "script", "runuser", "pkexec", "start-stop-daemon", "entr",
    }
)  # fmt: skip
_TAKE_A_COMMAND_AFTER = frozenset(
    {
        ("npm", "exec"), ("npm", "x"), ("pnpm", "exec"), ("pnpm", "dlx"), ("yarn", "exec"),
        ("yarn", "dlx"), ("yarn", "run"), ("bun", "x"), ("uv", "run"), ("poetry", "run"),
        ("pipenv", "run"), ("hatch", "run"), ("pdm", "run"), ("rye", "run"), ("docker", "run"),
        ("docker", "exec"), ("podman", "run"), ("podman", "exec"), ("kubectl", "exec"),
        ("kubectl", "run"), ("mise", "exec"), ("mise", "x"), ("asdf", "exec"), ("direnv", "exec"),
        ("bundle", "exec"), ("corepack", "npm"), ("corepack", "pnpm"), ("corepack", "yarn"),
        ("nix", "develop"), ("nix", "run"), ("git", "submodule"), ("git", "rebase"),
        ("git", "bisect"),
    }
)  # fmt: skip
_TAKE_TEXT = frozenset(
    {"eval", "trap", "alias", "ssh", "su", "script", "watch", "parallel", "flock", "runuser",
     "entr"}
)  # fmt: skip
_DEEPEST = 8


@dataclass(frozen=True, slots=True)
class Invocation:
    """A program with its arguments. `is_wrapped`: another program starts it, or may."""

    words: tuple[Word, ...]
    is_wrapped: bool


@dataclass(frozen=True, slots=True)
class Reading:
    """All that a text or an argv starts, as far as it could be read."""

    invocations: tuple[Invocation, ...]
    commands: tuple[tuple[Word, ...], ...]
    """Only those that stand in the text itself."""
    unread: str = ""


def read_argv(argv: Sequence[str]) -> Reading:
    """What a program with these arguments starts."""
    found = _Found()
    found.add(tuple(argv), is_wrapped=False, depth=0)
    return Reading(tuple(found.invocations), (tuple(argv),), found.unread)


def read_text(text: str) -> Reading:
    """What a text for a POSIX shell starts."""
    found = _Found()
    read = read_shell_text(text)
    found.add_text(read, is_wrapped=False, depth=0)
    return Reading(tuple(found.invocations), tuple(read.commands), found.unread)


def program_name(word: str) -> str:
    """A program without its folder and without what Windows appends."""
    name = word.replace("\\", "/").rpartition("/")[2].casefold()
    for suffix in (".exe", ".cmd", ".bat", ".ps1"):
        name = name.removesuffix(suffix)
    return name


class _Found:
    def __init__(self) -> None:
        self.invocations: list[Invocation] = []
        self.unread = ""

    def add(self, words: tuple[Word, ...], *, is_wrapped: bool, depth: int) -> None:
        if not words:
            return
        if depth > _DEEPEST:
            self._cannot_read("it is nested too deeply")
            return
        self.invocations.append(Invocation(words, is_wrapped))
        # A program that is not known may take a command, too.
        is_unknown = words[0] is None or words[0] == UNKNOWN
        name = program_name(words[0] or "")
        if name in POSIX_SHELLS:
            self._add_shell(words, depth)
        if is_unknown or name in _TAKE_TEXT:
            self._add_texts(name, words[1:], depth)
        if (
            is_unknown
            or name in _TAKE_A_COMMAND
            or any((name, word) in _TAKE_A_COMMAND_AFTER for word in words[1:] if word)
        ):
            # Which of its words are its own is its business: each may be the command.
            for start in range(1, len(words)):
                word = words[start]
                if word is None or not word.startswith("-"):
                    self._add_part(words[start:], depth)

    def _add_part(self, words: tuple[Word, ...], depth: int) -> None:
        """The rest of a wrapper's words, without the ones that would begin an own wrapper again."""
        self.invocations.append(Invocation(words, is_wrapped=True))
        name = program_name(words[0] or "")
        if name in POSIX_SHELLS:
            self._add_shell(words, depth + 1)
        elif name in _TAKE_TEXT:
            self._add_texts(name, words[1:], depth + 1)

    def add_text(self, read: ShellText, *, is_wrapped: bool, depth: int) -> None:
        self._cannot_read(read.unread)
        for words in read.commands:
            self.add(words, is_wrapped=is_wrapped, depth=depth)
        for words, body in read.inputs:
            if any(word is not None and program_name(word) in POSIX_SHELLS for word in words):
                self.add_text(read_shell_text(body), is_wrapped=True, depth=depth + 1)

    def _add_shell(self, words: tuple[Word, ...], depth: int) -> None:
        """`sh -c TEXT`; a file that a shell reads is a program like any other."""
        rest = list(words[1:])
        while rest:
            word = rest.pop(0)
            if word is None or word == UNKNOWN:
                self._cannot_read("what a shell is to do is not known")
                return
            is_short = word.startswith(("-", "+")) and not word.startswith("--")
            if (is_short and word.endswith("o")) or word in ("--rcfile", "--init-file"):
                rest = rest[1:]
                continue
            if is_short and "c" in word[1:]:
                while rest and rest[0] is not None and rest[0].startswith(("-", "+")):
                    rest.pop(0)
                self._add_script(rest[0] if rest else None, depth)
                return
            if not word.startswith(("-", "+")):
                return
        self._cannot_read("what a shell reads from its input is not known")

    def _add_texts(self, name: str, words: tuple[Word, ...], depth: int) -> None:
        if name == "eval":
            known = [word for word in words if word is not None and word != UNKNOWN]
            self._add_script(" ".join(known) if len(known) == len(words) else None, depth)
            return
        for word in words:
            if word is None or word == UNKNOWN:
                if name in ("trap", "alias"):
                    self._cannot_read(f"what `{name}` stands for is not known")
                continue
            text = word.partition("=")[2] if name == "alias" else word
            if " " in text.strip() or name in ("trap", "alias"):
                read = read_shell_text(text)
                # Most words of such programs are no commands; those that may be are looked at.
                read.unread = ""
                self.add_text(read, is_wrapped=True, depth=depth + 1)

    def _add_script(self, text: str | None, depth: int) -> None:
        if text is None or text == UNKNOWN:
            self._cannot_read("a command that is put together while it runs is not known")
        elif depth >= _DEEPEST:
            self._cannot_read("it is nested too deeply")
        else:
            self.add_text(read_shell_text(text), is_wrapped=True, depth=depth + 1)

    def _cannot_read(self, why: str) -> None:
        self.unread = self.unread or why
