"""Whether the generated workflow is what the pipeline asks for; and if not, why not."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

import yaml

from pipec.backends.files import read_file, unified
from pipec.backends.github.actions_lock import PATH as ACTIONS_LOCK
from pipec.backends.github.actions_lock import disagreements, read_actions_lock
from pipec.backends.github.causes import describe_place, describe_value, route_of
from pipec.backends.github.fields import fields_of
from pipec.backends.github.generate import Generated
from pipec.backends.github.lock import (
    RENDERER,
    Lock,
    read_lock,
    spell_place,
    text_digest,
    value_digest,
)
from pipec.codes import Code
from pipec.diagnostics import Route

Verdict = Literal[
    "missing", "hand-edited", "spec-changed", "pins-changed", "generator-changed", "unpinned"
]

CODES: Mapping[Verdict, Code] = {
    "missing": Code.WORKFLOW_MISSING,
    "hand-edited": Code.WORKFLOW_EDITED,
    "spec-changed": Code.WORKFLOW_SPEC_CHANGED,
    "pins-changed": Code.WORKFLOW_PINS_CHANGED,
    "generator-changed": Code.WORKFLOW_GENERATOR_CHANGED,
    "unpinned": Code.WORKFLOW_UNPINNED,
}
_GENERATE = "`pipec github generate` writes it anew"
_UPDATE = "`pipec github update --offline` makes the workflow of them"


@dataclass(frozen=True, slots=True, kw_only=True)
class Drift:
    """One way in which the workflow is not what it should be.

    `path` is the file that is to blame, from the top of the repository; `line` is in it, from 1, 0
    for the whole file. `route` leads to the cause in the pipeline file, if it is there.
    """

    verdict: Verdict
    message: str
    path: str
    line: int = 0
    route: Route = ()
    help: tuple[str, ...] = ()


def check(generated: Generated) -> list[Drift]:
    """Everything that is not as it should be; nothing if all is.

    Raises:
        DriftError: the lock cannot be relied on.
        RunError: a file cannot be read.
    """
    subject = generated.subject
    top, sync = subject.place.top, subject.sync
    content = read_file(top, sync.workflow)
    locked = read_file(top, sync.lock)
    drifts = [
        _missing(what, path)
        for what, path, there in (
            ("workflow", sync.workflow, content),
            ("lock", sync.lock, locked),
            ("file of pins", sync.pins, read_file(top, sync.pins)),
        )
        if there is None
    ]
    if content is not None:
        drifts += _unpinned(content, sync.workflow)
    drifts += [_not_a_commit(reference, sync.pins) for reference in generated.pinned.unpinned]
    theirs = read_file(top, ACTIONS_LOCK)
    if theirs is not None:
        drifts += _disagreeing(theirs, generated)
    if locked is None:
        return drifts
    lock = read_lock(locked, path=sync.lock)
    spec = list(_changed_fields(lock, generated))
    pins = list(_changed_pins(lock, generated))
    drifts += [*spec, *pins]
    is_same_text = lock.workflow.digest == generated.lock.workflow.digest
    if content is not None:
        # A bot that moves pins moves them in the workflow too: then the text is right already.
        expected = {lock.workflow.digest, generated.lock.workflow.digest}
        if text_digest(content) not in expected:
            drifts.append(_edited(content, generated, is_comparable=is_same_text))
    if lock.renderer != RENDERER or not (spec or pins or is_same_text):
        drifts.append(_other_generator(lock, sync.lock))
    return drifts


def _missing(what: str, path: str) -> Drift:
    return Drift(
        verdict="missing",
        message=f"the {what} `{path}` is missing",
        path=path,
        help=(_GENERATE,),
    )


def _edited(content: bytes, generated: Generated, *, is_comparable: bool) -> Drift:
    """The file is not what the lock has; where, can be said if nothing else has changed."""
    path = generated.subject.sync.workflow
    there = unified(content).decode("utf-8", "replace").splitlines()
    pairs = enumerate(zip(there, generated.text.splitlines(), strict=False), 1)
    differing = (number for number, (one, other) in pairs if one != other)
    line = next(differing, len(there) or 1) if is_comparable else 0
    where = f": line {line} is the first that differs" if line else ""
    return Drift(
        verdict="hand-edited",
        message=f"`{path}` is not what pipec wrote{where}",
        path=path,
        line=line,
        help=("`pipec github diff` shows what differs", _GENERATE),
    )


def _changed_fields(lock: Lock, generated: Generated) -> Iterator[Drift]:
    fields = fields_of(generated.subject)
    path = generated.subject.pipeline_file
    now = {spell_place(place): (place, value) for place, value in fields.items()}
    whole_gone = [name for name in lock.fields if name not in now]
    whole_new = [name for name in now if name not in lock.fields]
    for name in sorted({*lock.fields, *now}):
        if _is_told_by_whole(name, whole_gone) or _is_told_by_whole(name, whole_new):
            continue
        place, value = now.get(name, (tuple(name.split(".")), None))
        if name in now and lock.fields.get(name) == value_digest(value):
            continue
        if name not in lock.fields:
            words = f"{describe_place(place)} is new" + describe_value(value)
        elif name not in now:
            words = f"{describe_place(place)} is gone"
        else:
            words = f"{describe_place(place)} has changed" + describe_value(value, "is now")
        yield Drift(
            verdict="spec-changed",
            message=words,
            path=path,
            route=route_of(place) if name in now else (),
            help=(_GENERATE,),
        )


def _is_told_by_whole(name: str, wholes: list[str]) -> bool:
    """Whether the job, trigger or toolchain around a field came or went as a whole."""
    return any(name.startswith(f"{whole}.") for whole in wholes)


def _changed_pins(lock: Lock, generated: Generated) -> Iterator[Drift]:
    before = {pin.action: pin for pin in lock.pins}
    for action, pin in generated.workflow.pins.items():
        old = before.get(action)
        # A pin that came with a field, or went with it, is no change of the pins.
        if old is None:
            continue
        ids = ((old.owner_id, old.repo_id), (pin.owner_id, pin.repo_id))
        is_other = None not in ids[0] + ids[1] and ids[0] != ids[1]
        if (old.version, old.sha) == (pin.version, pin.sha) and not is_other:
            continue
        if is_other:
            words = f"is another repository: {ids[1][1]}, and was {ids[0][1]}"
        elif old.sha == pin.sha:
            words = f"is called {pin.version}, and was {old.version}"
        else:
            words = f"is {pin.version} at {pin.sha[:12]}, and was {old.version} at {old.sha[:12]}"
        yield Drift(
            verdict="pins-changed",
            message=f"the pin of `{action}` {words}",
            path=generated.subject.sync.pins,
            help=(_UPDATE,),
        )


def _other_generator(lock: Lock, path: str) -> Drift:
    return Drift(
        verdict="generator-changed",
        message=(
            f"pipec {lock.tool} wrote the workflow, and this version of pipec writes it otherwise"
        ),
        path=path,
        help=(_GENERATE,),
    )


_PINNED = re.compile(r"docker://.+@sha256:[0-9a-f]{64}|.+@[0-9a-f]{40}")


def _unpinned(content: bytes, path: str) -> Iterator[Drift]:
    """Uses of actions that no commit pins; local ones are pinned by the checkout."""
    try:
        document = yaml.compose(content.decode("utf-8", "replace"), Loader=yaml.SafeLoader)
    except yaml.YAMLError:
        return
    for node in _uses(document):
        reference = node.value
        if reference.startswith("./") or _PINNED.fullmatch(reference):
            continue
        yield Drift(
            verdict="unpinned",
            message=f"`{reference}` is not pinned to a commit",
            path=path,
            line=node.start_mark.line + 1,
            help=("a tag or branch can be moved to other code: name 40 hex digits",),
        )


def _uses(node: yaml.Node | None) -> Iterator[yaml.ScalarNode]:
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            is_use = isinstance(key, yaml.ScalarNode) and key.value == "uses"
            if is_use and isinstance(value, yaml.ScalarNode):
                yield value
            yield from _uses(value)
    elif isinstance(node, yaml.SequenceNode):
        for item in node.value:
            yield from _uses(item)


def _disagreeing(content: bytes, generated: Generated) -> Iterator[Drift]:
    """Pins with which GitHub's own lock does not agree."""
    lock = read_actions_lock(content, workflow=generated.subject.sync.workflow)
    for pin, reason in disagreements(lock, generated.workflow.pins.values()):
        yield Drift(
            verdict="pins-changed",
            message=f"GitHub's lock disagrees on `{pin.action}`: {reason}",
            path=ACTIONS_LOCK,
            help=("`gh actions-lock` writes that lock anew, from the workflows",),
        )


def _not_a_commit(reference: str, path: str) -> Drift:
    return Drift(
        verdict="unpinned",
        message=f"`{reference}` is not pinned to a commit",
        path=path,
        help=("the file of pins names commits of 40 hex digits",),
    )
