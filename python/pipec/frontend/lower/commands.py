"""The command policy in its normal form."""

from pipec.ir.commands import CommandPolicy, CommandRule, MockResult
from pipec.spec.later import (
    CommandRuleSpec,
    CommandsSpec,
    DenySpec,
    MockSpec,
    RequireEnvironmentSpec,
)


def lower_commands(written: CommandsSpec) -> CommandPolicy:
    """The policy, its rules in the order of the file: the first that fits decides."""
    return CommandPolicy(
        fallback=written.fallback,
        record=written.record,
        output_max_bytes=written.output.max_bytes,
        redact_secrets=written.output.redact_secrets,
        rules=tuple(_lower_rule(rule) for rule in written.rules),
    )


def _lower_rule(written: CommandRuleSpec) -> CommandRule:
    prefix, exact, action = written.prefix or "", written.exact or "", written.action
    if isinstance(action, str):
        return CommandRule(action=action, prefix=prefix, exact=exact)
    if isinstance(action, DenySpec):
        return CommandRule(action="deny", prefix=prefix, exact=exact, detail=action.deny)
    if isinstance(action, MockSpec):
        result = MockResult(
            code=action.mock.code, stdout=action.mock.stdout, stderr=action.mock.stderr
        )
        return CommandRule(action="mock", prefix=prefix, exact=exact, mock=result)
    if isinstance(action, RequireEnvironmentSpec):
        wanted = action.require_environment
        return CommandRule(action="require-environment", prefix=prefix, exact=exact, detail=wanted)
    wanted = action.require_approval
    return CommandRule(action="require-approval", prefix=prefix, exact=exact, detail=wanted)
