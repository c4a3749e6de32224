"""What the policy of a pipeline says about the steps of a task, before any of them runs."""

import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

from pipec.codes import Code
from pipec.errors import RunError
from pipec.ir.commands import CommandPolicy, CommandRule, MockResult
from pipec.runtime.given import approvals_of, environment_of
from pipec.runtime.policy.invocations import (
    POSIX_SHELLS,
    Invocation,
    Reading,
    program_name,
    read_argv,
    read_text,
)
from pipec.runtime.policy.matching import Match, allows, restricts, words_of_rule
from pipec.runtime.policy.shell_text import UNKNOWN


@dataclass(frozen=True, slots=True, kw_only=True)
class Ruling:
    """A command that may run, or that is replaced. `rules`: the texts of those that were about it.

    `approved_by` and `environment` are what the rules asked for and were given.
    """

    rules: tuple[str, ...] = ()
    approved_by: tuple[str, ...] = ()
    environment: str = ""
    mock: MockResult | None = None


def policy_for(policy: CommandPolicy, host: Mapping[str, str]) -> "Policy":
    """The policy as it is on a host, which says what is approved and which environment it is."""
    return _policy(policy, approvals_of(host), environment_of(host))


@lru_cache(maxsize=8)
def _policy(policy: CommandPolicy, approved: tuple[str, ...], environment: str) -> "Policy":
    return Policy(policy, approved=approved, environment=environment)


class Policy:
    """The rules of one pipeline. `approved`: the names of those who approve."""

    def __init__(self, policy: CommandPolicy, *, approved: Sequence[str], environment: str) -> None:
        self.settings = policy
        self._rules = [(rule, words_of_rule(rule.prefix or rule.exact)) for rule in policy.rules]
        self._approved = frozenset(approved)
        self._environment = environment

    def judge_text(self, text: str, shell: Sequence[str]) -> Ruling:
        """The ruling on a text for a shell.

        Raises:
            RunError: it may not run.
        """
        whole = self._rule_on_whole(text)
        if whole is not None:
            return Ruling(rules=(rule_text(whole),))
        if program_name(shell[0]) not in POSIX_SHELLS:
            name = os.path.basename(shell[0])
            return self._judge(text, Reading((), (), f"text for `{name}` is not understood"))
        return self._judge(text, read_text(text))

    def judge_argv(self, argv: Sequence[str], text: str) -> Ruling:
        """The ruling on a program with its arguments; `text` is how messages name it.

        Raises:
            RunError: it may not run.
        """
        return self._judge(text, read_argv(argv))

    def _rule_on_whole(self, text: str) -> CommandRule | None:
        """A rule that allows exactly this text, word for word: read or not, it is meant."""
        for rule, _ in self._rules:
            if rule.exact.strip() == text.strip() and rule.exact:
                return rule if rule.action == "allow" else None
        return None

    def _judge(self, text: str, reading: Reading) -> Ruling:
        ruling = Ruling()
        for found in reading.invocations:
            for rule, match in self._rules_about(found):
                ruling = self._apply(rule, match, ruling, text, reading)
        if reading.unread:
            self._judge_unread(text, reading.unread)
        return ruling

    def _rules_about(self, found: Invocation) -> Iterator[tuple[CommandRule, Match]]:
        """The first rule about a program; nothing if the fallback allows it.

        Raises:
            RunError: there is none, and the fallback denies.
        """
        for rule, words in self._rules:
            is_exact = bool(rule.exact)
            if rule.action == "allow":
                if allows(words, found, exact=is_exact):
                    yield rule, Match.YES
                    return
                continue
            match = restricts(words, found, exact=is_exact)
            if match is not Match.NO:
                yield rule, match
                return
        if self.settings.fallback == "deny" and not found.is_wrapped:
            name = " ".join(
                "…" if word in (None, UNKNOWN) else str(word) for word in found.words[:3]
            )
            raise RunError(Code.COMMAND_DENIED, f"no rule allows `{name}`, and all else is denied")

    def _apply(
        self, rule: CommandRule, match: Match, ruling: Ruling, text: str, reading: Reading
    ) -> Ruling:
        rules = tuple(dict.fromkeys((*ruling.rules, rule_text(rule))))
        mock, approved, environment = ruling.mock, ruling.approved_by, ruling.environment
        command = _first_line(text)
        about = f"the rule on `{rule.prefix or rule.exact}`"
        if match is Match.MAYBE:
            about += ", which may be about it"
        if rule.action == "deny":
            why = f": {rule.detail}" if rule.detail else ""
            raise RunError(Code.COMMAND_DENIED, f"`{command}` is denied by {about}{why}")
        if rule.action == "require-environment":
            if self._environment != rule.detail:
                here = f"`{self._environment}`" if self._environment else "none"
                message = (
                    f"`{command}` runs only in the environment `{rule.detail}`, and this is {here}"
                )
                raise RunError(Code.ENVIRONMENT_REQUIRED, message)
            environment = rule.detail
        if rule.action == "require-approval":
            if rule.detail not in self._approved:
                message = f"`{command}` needs the approval of `{rule.detail}`"
                raise RunError(Code.APPROVAL_REQUIRED, message)
            approved = tuple(dict.fromkeys((*approved, rule.detail)))
        if rule.action == "mock":
            if match is Match.MAYBE or len(reading.commands) != 1 or reading.unread:
                message = (
                    f"`{command}` is not just the command that {about} replaces, "
                    "and cannot be replaced as a whole"
                )
                raise RunError(Code.COMMAND_DENIED, message)
            mock = rule.mock
        return Ruling(rules=rules, approved_by=approved, environment=environment, mock=mock)

    def _judge_unread(self, text: str, why: str) -> None:
        """What cannot be read may be what any rule is about."""
        restricting = [rule for rule, _ in self._rules if rule.action != "allow"]
        if restricting or self.settings.fallback == "deny":
            message = (
                f"`{_first_line(text)}` cannot be held against the policy: {why}; "
                "a rule that allows exactly this text lets it run"
            )
            raise RunError(Code.COMMAND_DENIED, message)


def rule_text(rule: CommandRule) -> str:
    """A rule as records name it: `deny npm publish`."""
    return f"{rule.action} {rule.prefix or rule.exact}"


def _first_line(text: str) -> str:
    lines = text.strip().splitlines() or [""]
    return lines[0] if len(lines) == 1 else f"{lines[0]} …"
