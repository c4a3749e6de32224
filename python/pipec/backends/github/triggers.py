"""When a job runs: one predicate, printed as `on:`, printed as `if:`, and evaluated here.

`on:` has one filter for each event, shared by all jobs: it lets through what any job waits for, and
`if:` of each job takes its own part of that. Expressions of GitHub know no patterns: where they
cannot say a part, a job that plans evaluates the predicate itself.
"""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from pipec.backends.github.event import Event
from pipec.backends.github.expression import (
    All,
    Call,
    Equal,
    Expression,
    Name,
    Not,
    Some,
    Text,
    all_of,
    some_of,
)
from pipec.backends.github.model import EventFilter, On, Schedule
from pipec.ir.job import Job
from pipec.ir.pipeline import Pipeline
from pipec.ir.trigger import GithubEvents, Trigger
from pipec.spec.events import USUAL_ACTIVITIES
from pipec.spec.github_patterns import EVERYTHING, is_literal, matches

Filter = tuple[str, ...]

_BRANCH = "refs/heads/"
_TAG = "refs/tags/"
_EVENT = Name("github.event_name")


@dataclass(frozen=True, slots=True, kw_only=True)
class Clause:
    """One way in which a job starts: an event, and what of it.

    Empty `branches` or `tags` are none, `EVERYTHING` is all. Empty `paths` or `types` are all.
    `job` is the one that is chosen by hand.
    """

    event: str
    branches: Filter = EVERYTHING
    tags: Filter = ()
    paths: Filter = ()
    types: Filter = ()
    cron: str = ""
    timezone: str = ""
    job: str = ""


def clauses_of(job: Job, pipeline: Pipeline, *, merge_group: bool) -> tuple[Clause, ...]:
    """Every way in which a job starts. A job that nothing starts is started by hand."""
    triggers = [pipeline.triggers[name] for name in job.triggers]
    clauses: list[Clause] = []
    for trigger in triggers:
        clauses.extend(_clauses(trigger, merge_group=merge_group))
    if is_manual(job, pipeline):
        clauses.append(Clause(event="workflow_dispatch", job=job.id))
    return tuple(dict.fromkeys(clauses))


def is_manual(job: Job, pipeline: Pipeline) -> bool:
    """Whether the job can be started by hand."""
    if job.mode:
        return job.mode == "manual"
    return not job.triggers or any(pipeline.triggers[name].manual for name in job.triggers)


def _clauses(trigger: Trigger, *, merge_group: bool) -> Iterator[Clause]:
    if trigger.cron:
        timezone = "" if trigger.timezone.upper() in {"UTC", "ETC/UTC"} else trigger.timezone
        yield Clause(event="schedule", cron=trigger.cron.upper(), timezone=timezone)
    elif trigger.github is not None:
        for event in trigger.github.events:
            yield _github_clause(event, trigger.github)
        if merge_group and _is_for_merging(trigger.github):
            yield Clause(event="merge_group", branches=_whole(trigger.github.branches))


def _github_clause(event: str, github: GithubEvents) -> Clause:
    types = github.types or USUAL_ACTIVITIES.get(event, ())
    if event != "push":
        return Clause(
            event=event,
            branches=_whole(github.branches),
            paths=github.paths,
            types=tuple(sorted(types)),
        )
    only_tags = bool(github.tags) and not github.branches
    only_branches = bool(github.branches) and not github.tags
    return Clause(
        event=event,
        branches=() if only_tags else _whole(github.branches),
        tags=() if only_branches else _whole(github.tags),
        paths=() if only_tags else github.paths,
    )


def _whole(filters: Filter) -> Filter:
    """A filter in one spelling: nothing given, and all, is `EVERYTHING`."""
    if not filters or ("**" in filters and not _has_exclusions(filters)):
        return EVERYTHING
    return filters


def _is_for_merging(github: GithubEvents) -> bool:
    """Whether the trigger judges pull requests as they stand: a merge queue asks for it again."""
    if "pull_request" not in github.events or "merge_group" in github.events:
        return False
    return not github.types or bool({"opened", "reopened", "synchronize"} & set(github.types))


# Evaluated here


def is_started(clauses: Iterable[Clause], event: Event) -> bool:
    """Whether an event starts a job that has these clauses."""
    return any(_holds(clause, event) for clause in clauses)


def _holds(clause: Clause, event: Event) -> bool:
    match clause.event:
        case other if other != event.name:
            return False
        case "workflow_dispatch":
            return event.selected in {"", clause.job}
        case "schedule":
            return clause.cron == event.cron
        case "push" if event.ref.startswith(_TAG):
            # Of a tag GitHub does not ask which files changed.
            return matches(clause.tags, event.ref.removeprefix(_TAG))
        case "push":
            is_there = matches(clause.branches, event.ref.removeprefix(_BRANCH))
        case _:
            is_there = clause.branches == EVERYTHING or matches(clause.branches, event.base)
    is_such = not clause.types or event.action in clause.types
    return is_there and is_such and _touches(clause.paths, event.paths)


def describe_unmet(clause: Clause, event: Event) -> str:
    """What the clause waits for that an event of its kind is not, in words; empty if it holds."""
    is_tag = event.ref.startswith(_TAG)
    if clause.event != "push":
        filters, name = clause.branches, event.base
    elif is_tag:
        filters, name = clause.tags, event.ref.removeprefix(_TAG)
    else:
        filters, name = clause.branches, event.ref.removeprefix(_BRANCH)
    if not filters:
        other = f"tags {_listed(clause.tags)}" if clause.tags else _of_branches(clause)
        return f"{other}, not {'tags' if is_tag else 'branches'}"
    if filters != EVERYTHING and not matches(filters, name):
        return f"{'tags' if is_tag else 'branches'} {_listed(filters)}, {_but(name)}"
    if clause.types and event.action not in clause.types:
        return f"types {_listed(clause.types)}, {_but(event.action)}"
    if not is_tag and not _touches(clause.paths, event.paths):
        return f"changes of {_listed(clause.paths)}"
    return ""


def _of_branches(clause: Clause) -> str:
    return "branches" if clause.branches == EVERYTHING else f"branches {_listed(clause.branches)}"


def _listed(items: Filter) -> str:
    return ", ".join(f"`{item}`" for item in items)


def _but(name: str) -> str:
    return f"not `{name}`" if name else "and which one it is was not said"


def _touches(paths: Filter, changed: Filter | None) -> bool:
    """Whether a change is one that is waited for. GitHub, too, runs when it cannot tell."""
    if not paths or changed is None:
        return True
    return any(matches(paths, path) for path in changed)


# Printed as `on:`


def print_on(clauses: Iterable[Clause]) -> On:
    """What starts the workflow: at least everything for which a clause holds.

    Inputs are not of the triggers: they are added where parameters are known.
    """
    by_event: dict[str, list[Clause]] = {}
    for clause in clauses:
        by_event.setdefault(clause.event, []).append(clause)
    schedules = {(clause.cron, clause.timezone) for clause in by_event.pop("schedule", ())}
    is_by_hand = by_event.pop("workflow_dispatch", None) is not None
    return On(
        events={event: _union(event, by_event[event]) for event in sorted(by_event)},
        schedules=tuple(Schedule(cron=cron, timezone=zone) for cron, zone in sorted(schedules)),
        inputs=() if is_by_hand else None,
    )


def _union(event: str, clauses: Sequence[Clause]) -> EventFilter:
    admitted = _admitted(clauses)
    branches, tags = admitted.branches, admitted.tags
    if event != "push":
        branches = () if branches == EVERYTHING else branches
    elif branches == EVERYTHING and tags == EVERYTHING:
        branches = tags = ()
    types = () if admitted.types == USUAL_ACTIVITIES.get(event) else admitted.types
    return EventFilter(branches=branches, tags=tags, paths=admitted.paths, types=types)


def _admitted(clauses: Sequence[Clause]) -> Clause:
    """One clause of an event that holds wherever one of these does, as nearly as filters can."""
    with_paths = [clause.paths for clause in clauses if clause.branches]
    types = [clause.types for clause in clauses]
    return Clause(
        event=clauses[0].event,
        branches=_joined([clause.branches for clause in clauses]),
        tags=_joined([clause.tags for clause in clauses]),
        paths=() if () in with_paths else _joined(with_paths, otherwise=()),
        types=() if () in types else tuple(sorted({item for one in types for item in one})),
    )


def _joined(filters: Sequence[Filter], *, otherwise: Filter = EVERYTHING) -> Filter:
    """A filter for all of these; `otherwise` where one list cannot say it."""
    distinct = [one for one in dict.fromkeys(filters) if one]
    if len(distinct) <= 1:
        return distinct[0] if distinct else ()
    if EVERYTHING in distinct or any(_has_exclusions(one) for one in distinct):
        return otherwise
    return tuple(dict.fromkeys(pattern for one in sorted(distinct) for pattern in one))


def _has_exclusions(filters: Filter) -> bool:
    return any(pattern.startswith("!") for pattern in filters)


# Printed as `if:`


class CannotSayError(Exception):
    """Expressions of GitHub have no words for a filter."""


def print_if(clauses: Sequence[Clause], of_all: Iterable[Clause]) -> Expression | None:
    """The condition of a job, given what `on:` lets through; None if it is that exactly.

    `of_all` are the clauses of every job.

    Raises:
        CannotSayError: there is no such expression.
    """
    everybody: dict[str, list[Clause]] = {}
    for clause in of_all:
        everybody.setdefault(clause.event, []).append(clause)
    mine: dict[str, list[Clause]] = {}
    for clause in clauses:
        mine.setdefault(clause.event, []).append(clause)
    parts = {event: _part(mine[event], everybody[event]) for event in sorted(mine)}
    if mine.keys() == everybody.keys() and not any(parts.values()):
        return None
    is_event = {event: Equal(_EVENT, Text(event)) for event in parts}
    return some_of(
        [
            is_event[event] if part is None else _and(is_event[event], part)
            for event, part in parts.items()
        ]
    )


def _part(clauses: Sequence[Clause], of_all: Sequence[Clause]) -> Expression | None:
    """What of an event that `on:` lets through starts the job; None: all of it."""
    event = clauses[0].event
    if event == "workflow_dispatch":
        chosen = Name("inputs.job")
        return Some((Not(chosen), Equal(chosen, Text(clauses[0].job))))
    if event == "schedule":
        if {clause.cron for clause in clauses} == {clause.cron for clause in of_all}:
            return None
        crons = sorted({clause.cron for clause in clauses})
        return some_of([Equal(Name("github.event.schedule"), Text(cron)) for cron in crons])
    admitted = _admitted(of_all)
    parts = [_residue(clause, admitted) for clause in clauses]
    present = [part for part in parts if part is not None]
    return some_of(present) if len(present) == len(parts) else None


def _residue(clause: Clause, admitted: Clause) -> Expression | None:
    """What of the admitted events fulfils the clause; None: all of them."""
    if clause.paths and clause.paths != admitted.paths:
        raise CannotSayError
    parts = []
    if clause.types and clause.types != admitted.types:
        parts.append(_one_of(Name("github.event.action"), clause.types))
    refs = _of_push(clause, admitted) if clause.event == "push" else _of_base(clause, admitted)
    if refs is not None:
        parts.append(refs)
    return all_of(parts) if parts else None


def _of_base(clause: Clause, admitted: Clause) -> Expression | None:
    if clause.branches in {admitted.branches, EVERYTHING}:
        return None
    if clause.event == "merge_group":
        return _fold(Name("github.event.merge_group.base_ref"), _BRANCH, clause.branches)
    return _fold(Name("github.base_ref"), "", clause.branches)


def _of_push(clause: Clause, admitted: Clause) -> Expression | None:
    branches, tags = clause.branches, clause.tags
    takes_branches = branches in {admitted.branches, EVERYTHING}
    takes_tags = tags in {admitted.tags, EVERYTHING}
    if takes_branches and takes_tags:
        return None
    sides: list[Expression] = []
    for filters, takes_all, kind, prefix in (
        (branches, takes_branches, "branch", _BRANCH),
        (tags, takes_tags, "tag", _TAG),
    ):
        if takes_all and filters:
            sides.append(Equal(Name("github.ref_type"), Text(kind)))
        elif filters:
            sides.append(_fold(Name("github.ref"), prefix, filters))
    return some_of(sides)


def _fold(name: Name, prefix: str, filters: Filter) -> Expression:
    """The filter as an expression: each pattern lets more pass, or takes away."""
    passing: Expression | None = None
    for pattern in filters:
        if pattern.startswith("!"):
            if passing is not None:
                passing = _and(passing, Not(_pattern(name, prefix, pattern[1:])))
        else:
            part = _pattern(name, prefix, pattern)
            passing = part if passing is None else _or(passing, part)
    assert passing is not None, "a filter of exclusions alone is refused"
    return passing


def _pattern(name: Name, prefix: str, pattern: str) -> Expression:
    if is_literal(pattern):
        return Equal(name, Text(prefix + pattern))
    beginning = pattern.removesuffix("**")
    if beginning != pattern and is_literal(beginning):
        return Call("startsWith", (name, Text(prefix + beginning)))
    raise CannotSayError


def _one_of(name: Name, values: Filter) -> Expression:
    if len(values) == 1:
        return Equal(name, Text(values[0]))
    listed = Text(json.dumps(list(values)))
    return Call("contains", (Call("fromJSON", (listed,)), name))


def _and(left: Expression, right: Expression) -> Expression:
    parts = [*(left.parts if isinstance(left, All) else (left,))]
    parts += right.parts if isinstance(right, All) else (right,)
    return All(tuple(parts))


def _or(left: Expression, right: Expression) -> Expression:
    parts = [*(left.parts if isinstance(left, Some) else (left,))]
    parts += right.parts if isinstance(right, Some) else (right,)
    return Some(tuple(parts))


def crons_of(clauses: Iterable[Clause]) -> Mapping[str, frozenset[str]]:
    """The time zones of each schedule."""
    zones: dict[str, set[str]] = {}
    for clause in clauses:
        if clause.event == "schedule":
            zones.setdefault(clause.cron, set()).add(clause.timezone)
    return {cron: frozenset(names) for cron, names in zones.items()}
