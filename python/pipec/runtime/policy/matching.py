"""Whether a rule is about a command: surely, possibly, or not.

A rule that restricts must not be missed, so whatever may be meant counts as possible; a rule that
allows must not be stretched, so only what is surely meant counts.
"""

import enum
from collections.abc import Sequence
from functools import cache

from pipec.runtime.policy.invocations import Invocation, program_name
from pipec.runtime.policy.shell_text import UNKNOWN, Word, read_shell_text

# Options before the subcommand that take a value, and those that do not, of programs in daily use.
_GLOBAL_OPTIONS = {
    "cargo": ({"--color", "--config", "-C", "-Z"}, {"-q", "-v", "--locked", "--offline"}),
    "docker": ({"-H", "--host", "-c", "--context", "--config", "-l", "--log-level"}, {"-D"}),
    "git": (
        {"-C", "-c", "--git-dir", "--work-tree", "--namespace", "--exec-path"},
        {"-p", "-P", "--no-pager", "--bare", "--no-replace-objects"},
    ),
    "kubectl": ({"-n", "--namespace", "--context", "--cluster", "--kubeconfig"}, set[str]()),
    "npm": (
        {"--prefix", "-C", "-w", "--workspace", "--registry", "--userconfig", "--cache"},
        {"-s", "--silent", "-q", "--quiet", "-ws", "--workspaces", "-g", "--global"},
    ),
    "pnpm": ({"-C", "--dir", "-F", "--filter"}, {"-r", "--recursive", "-s", "--silent", "-w"}),
    "yarn": ({"--cwd"}, {"-s", "--silent"}),
}
_SHORTEST_ABBREVIATION = 4


class Match(enum.IntEnum):
    """How surely a rule is about a command."""

    NO = 0
    MAYBE = 1
    YES = 2


def words_of_rule(text: str) -> tuple[str, ...]:
    """The words of a rule, as a shell would read them."""
    commands = read_shell_text(text).commands
    if len(commands) == 1 and {None, UNKNOWN}.isdisjoint(commands[0]):
        return tuple(word for word in commands[0] if word is not None)
    return tuple(text.split())


def restricts(rule: Sequence[str], found: Invocation, *, exact: bool) -> Match:
    """Whether a rule that restricts is about a program with its arguments."""
    program, words = found.words[0], found.words[1:]
    if program is None:
        # It may bring the other words with it.
        return Match.MAYBE
    is_program = Match.MAYBE
    if program != UNKNOWN:
        names = (
            (program, rule[0]) if "/" in rule[0] else (program_name(program), rule[0].casefold())
        )
        is_program = Match.YES if names[0] == names[1] else Match.NO
    if is_program is Match.NO:
        return Match.NO
    about = _whole(tuple(rule[1:]), words) if exact else _beginning(tuple(rule[1:]), words)
    return min(is_program, about)


def allows(rule: Sequence[str], found: Invocation, *, exact: bool) -> bool:
    """Whether a rule that allows is surely about a program with its arguments."""
    if found.is_wrapped or not {None, UNKNOWN}.isdisjoint(found.words[: len(rule)]):
        return False
    if exact:
        return found.words == tuple(rule)
    words = found.words
    if words[: len(rule)] == tuple(rule):
        return True
    return _without_global_options(words)[: len(rule)] == tuple(rule)


def _without_global_options(words: tuple[Word, ...]) -> tuple[Word, ...]:
    with_value, alone = _GLOBAL_OPTIONS.get(words[0] or "", (set[str](), set[str]()))
    rest = list(words[1:])
    while rest and rest[0] is not None and rest[0].startswith("-"):
        name, equals, _ = rest[0].partition("=")
        if rest[0] in alone or (equals and name in with_value):
            del rest[0]
        elif rest[0] in with_value:
            del rest[:2]
        else:
            break
    return (words[0], *rest)


def _beginning(rule: tuple[str, ...], words: tuple[Word, ...]) -> Match:
    """The words of the rule come first, apart from options; its options are anywhere."""
    plain = tuple(word for word in rule if not word.startswith("-"))
    options = [word for word in rule if word.startswith("-")]

    @cache
    def follow(at: int, wanted: int) -> Match:  # noqa: PLR0911 - one for each kind of word
        if wanted == len(plain):
            return Match.YES
        if at >= len(words):
            return Match.NO
        word = words[at]
        if word is None:
            # It may be anything, and any number of words.
            return Match.MAYBE
        if word == UNKNOWN:
            ends = [follow(at + 1, wanted + 1), follow(at + 1, wanted), follow(at + 2, wanted)]
            return min(Match.MAYBE, max(ends))
        if word == plain[wanted]:
            return follow(at + 1, wanted + 1)
        if word.startswith("-"):
            # Nobody but the program knows whether the next word is the value of this one.
            return max(
                follow(at + 1, wanted), follow(at + 2, wanted) if "=" not in word else Match.NO
            )
        return Match.NO

    return min([follow(0, 0), *(_has_option(option, words) for option in options)])


def _whole(rule: tuple[str, ...], words: tuple[Word, ...]) -> Match:
    """These words and no others, options before them and their values apart."""

    def same(part: tuple[Word, ...]) -> Match:
        if None in part:
            return Match.MAYBE
        if UNKNOWN in part and len(part) == len(rule):
            pairs = zip(part, rule, strict=True)
            return (
                Match.MAYBE
                if all(word in (wanted, UNKNOWN) for word, wanted in pairs)
                else Match.NO
            )
        return Match.YES if part == rule else Match.NO

    best, at = same(words), 0
    while at < len(words) and (word := words[at]) is not None and word.startswith("-"):
        best = max(best, same(words[at + 1 :]))
        if "=" not in word:
            best = max(best, same(words[at + 2 :]))
            following = words[at + 1] if at + 1 < len(words) else None
            # A value that is no option itself is passed over together with its option.
            if following is not None and not following.startswith("-"):
                at += 1
        at += 1
    return best


def _has_option(option: str, words: tuple[Word, ...]) -> Match:
    best = Match.NO
    for word in words:
        if word is None or word == UNKNOWN:
            best = max(best, Match.MAYBE)
        elif word == option or word.startswith(f"{option}="):
            return Match.YES
        elif option.startswith("--"):
            name = word.partition("=")[0]
            if len(name) >= _SHORTEST_ABBREVIATION and option.startswith(name):
                return Match.YES
    if not option.startswith("--") and best is not Match.YES:
        letters = {
            letter
            for word in words
            if word is not None and word.startswith("-") and not word.startswith("--")
            for letter in word[1:]
        }
        if set(option[1:]) <= letters:
            return Match.YES
    return best
