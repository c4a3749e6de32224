"""The policy on command lines."""

from dataclasses import dataclass
from typing import Literal

ENVIRONMENT_VARIABLE = "PIPEC_ENVIRONMENT"
APPROVAL_VARIABLE = "PIPEC_APPROVE"
"""What a host says to satisfy rules: the environment it is, and who approves, with commas."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MockResult:
    """What a command would have done."""

    code: int = 0
    stdout: str = ""
    stderr: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class CommandRule:
    """What happens to a command that begins with `prefix`, or is `exact`; the other is empty.

    `detail` is why it is denied, the environment it requires, or who has to approve it.
    """

    action: Literal["allow", "deny", "mock", "require-environment", "require-approval"]
    prefix: str = ""
    exact: str = ""
    detail: str = ""
    mock: MockResult | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CommandPolicy:
    """The first rule that fits a command decides, else `fallback`."""

    fallback: Literal["allow", "deny"] = "allow"
    record: bool = True
    output_max_bytes: int | None = None
    redact_secrets: bool = True
    rules: tuple[CommandRule, ...] = ()
