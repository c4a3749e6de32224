"""What a run is given for the rules of a policy on command lines: approvals, and an environment."""

from collections.abc import Mapping, Sequence

from pipec.ir.commands import APPROVAL_VARIABLE, ENVIRONMENT_VARIABLE


def environment_of(host: Mapping[str, str]) -> str:
    """The environment that a run is in, such as `prod`; empty: in none."""
    return host.get(ENVIRONMENT_VARIABLE, "")


def approvals_of(host: Mapping[str, str]) -> tuple[str, ...]:
    """The names of those who approve, each once, in the order in which they are given."""
    names = (name.strip() for name in host.get(APPROVAL_VARIABLE, "").split(","))
    return tuple(dict.fromkeys(name for name in names if name))


def with_given(
    host: Mapping[str, str], *, environment: str, approvals: Sequence[str]
) -> Mapping[str, str]:
    """The environment of the host as if it had said these: another environment, more approvals."""
    given = {}
    if environment:
        given[ENVIRONMENT_VARIABLE] = environment
    if approvals:
        given[APPROVAL_VARIABLE] = ",".join(dict.fromkeys((*approvals_of(host), *approvals)))
    return {**host, **given} if given else host
