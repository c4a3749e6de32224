"""Actions by commit: those that pipec comes with, and those that a repository has pinned itself."""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace

from pipec.backends.github.actions_lock import ActionsLock
from pipec.backends.github.emit import emit
from pipec.backends.github.expression import Equal, Name, Text
from pipec.backends.github.model import (
    Action,
    EventFilter,
    Job,
    On,
    Permission,
    Pin,
    Step,
    Value,
    Workflow,
)

# Each commit was found under this version in several independent public repositories, and each
# pair of numbers in GitHub's lock of at least two: docs/adr/0021 says which. Where only one has
# them there are none here. `pipec github update` compares the commits with the tags.
SHIPPED: Mapping[str, Pin] = {
    pin.action: pin
    for pin in (
        Pin(
            action="actions/cache",
            version="v5.0.4",
            sha="668228422ae6a00e4ad889ee87cd7109ec5666a7",
            owner_id=44_036_562,
            repo_id=215_566_462,
        ),
        Pin(
            action="actions/checkout",
            version="v6.0.2",
            sha="de0fac2e4500dabe0009e67214ff5f5447ce83dd",
            owner_id=44_036_562,
            repo_id=197_814_629,
        ),
        Pin(
            action="actions/deploy-pages",
            version="v5.0.0",
            sha="cd2ce8fcbc39b97be8ca5fce6e763baed58fa128",
            owner_id=44_036_562,
            repo_id=438_112_499,
        ),
        Pin(
            action="actions/setup-go",
            version="v6.4.0",
            sha="4a3601121dd01d1626a1e23e37211e3254c1c06c",
            owner_id=44_036_562,
            repo_id=192_624_594,
        ),
        Pin(
            action="actions/setup-java",
            version="v5.2.0",
            sha="be666c2fcd27ec809703dec50e508c2fdc7f6654",
        ),
        Pin(
            action="actions/setup-node",
            version="v6.3.0",
            sha="53b83947a5a98c8d113130e565377fae1a50d02f",
            owner_id=44_036_562,
            repo_id=189_476_904,
        ),
        Pin(
            action="actions/setup-python",
            version="v6.2.0",
            sha="a309ff8b426b58ec0e2a45f0f869d46889d02405",
            owner_id=44_036_562,
            repo_id=192_625_525,
        ),
        Pin(
            action="actions/upload-pages-artifact",
            version="v4.0.0",
            sha="7b1f4a764d45c48632c6b24a0339c27f5614fb0b",
            owner_id=44_036_562,
            repo_id=496_012_378,
        ),
        Pin(
            action="astral-sh/setup-uv",
            version="v8.0.0",
            sha="cec208311dfd045dd5311c1add060b2062131d57",
            owner_id=115_962_839,
            repo_id=846_733_598,
        ),
        Pin(
            action="denoland/setup-deno",
            version="v2.0.4",
            sha="667a34cdef165d8d2b2e98dde39547c9daac7282",
        ),
        Pin(
            action="oven-sh/setup-bun",
            version="v2.2.0",
            sha="0c5077e51419868618aeaa5fe8019c62421857d6",
            owner_id=108_928_776,
            repo_id=512_644_635,
        ),
        Pin(
            action="pnpm/action-setup",
            version="v4.2.0",
            sha="41ff72655975bd51cab0327fa583b6e92b6d3061",
        ),
    )
}

_REQUIRED: Mapping[str, Mapping[str, Value]] = {
    "actions/cache": {"path": ".pipec/cache", "key": "pipec", "lookup-only": True},
    "actions/checkout": {"persist-credentials": False},
    "actions/setup-go": {"cache": False},
    "actions/setup-java": {"distribution": "temurin", "java-version": "21"},
    "actions/setup-node": {"package-manager-cache": False},
    "actions/upload-pages-artifact": {"path": "site"},
    "astral-sh/setup-uv": {"enable-cache": False},
    "denoland/setup-deno": {"cache": False},
    "oven-sh/setup-bun": {"no-cache": True},
}
"""What linters ask of the uses of an action, also of uses that never happen."""

SHA = re.compile(r"[0-9a-f]{40}")
_USES = re.compile(
    r"^\s*(?:- )?\s*uses:\s*[\"']?(?P<action>[\w.-]+/[\w.-]+)(?:/[\w./-]+)?"
    r"@(?P<ref>[^\s\"'#]+)[\"']?"
    r"(?:\s+#\s*(?P<version>\S+))?",
    re.MULTILINE,
)


@dataclass(frozen=True, slots=True)
class ReadPins:
    """What a pin file says: the pins, and the references in it that are no commits."""

    pins: Mapping[str, Pin]
    unpinned: tuple[str, ...] = ()


def read_pins(text: str) -> ReadPins:
    """The pins of a pin file; the first of an action counts."""
    pins: dict[str, Pin] = {}
    unpinned = []
    for found in _USES.finditer(text):
        action, ref = found["action"], found["ref"]
        if not SHA.fullmatch(ref):
            unpinned.append(f"{action}@{ref}")
            continue
        pins.setdefault(action, Pin(action=action, version=found["version"] or ref[:7], sha=ref))
    return ReadPins(pins, tuple(unpinned))


def choose_pins(used: Iterable[str], pinned: Mapping[str, Pin]) -> dict[str, Pin]:
    """The pin of each action that is used: the repository's, else the one that pipec comes with."""
    return {action: pinned.get(action) or SHIPPED[action] for action in sorted(set(used))}


def identify(pins: Mapping[str, Pin], theirs: ActionsLock | None) -> dict[str, Pin]:
    """The pins with the numbers of their repositories, from pipec's own list or GitHub's lock."""
    identified = {}
    for action, pin in pins.items():
        shipped = SHIPPED.get(action)
        ids = (shipped.owner_id, shipped.repo_id) if shipped else (None, None)
        if None in ids and theirs is not None:
            ids = theirs.repositories.get(action.lower(), ids)
        identified[action] = replace(pin, owner_id=ids[0], repo_id=ids[1])
    return identified


def render_pins(pins: Mapping[str, Pin], *, workflow: str) -> str:
    """The text of the pin file."""
    steps = tuple(
        Step(
            name=f"The commit of {action}",
            uses=Action(action),
            inputs=_REQUIRED.get(action, {}),
        )
        for action in sorted(pins)
    )
    job = Job(
        id="pins",
        name="pins",
        condition=Equal(Name("github.repository"), Text("")),
        runs_on=("ubuntu-24.04",),
        permissions=tuple(_permissions(pins)),
        timeout_minutes=1,
        steps=steps,
    )
    return emit(
        Workflow(
            header=(
                f"The actions of {workflow}, by commit. This workflow never runs anything: it is",
                "here for update bots. After a change: `pipec github update --offline`.",
            ),
            name="pipec pins",
            on=On(events={"workflow_call": EventFilter()}),
            jobs=(job,),
            pins=pins,
        )
    )


def _permissions(pins: Mapping[str, Pin]) -> Iterator[Permission]:
    """What linters ask of a job that has these steps; of a job that never runs it is nothing."""
    reason = "never used: this job does not run"
    yield Permission(scope="contents", level="read", reason=reason)
    if "actions/deploy-pages" in pins:
        yield Permission(scope="id-token", level="write", reason=reason)
        yield Permission(scope="pages", level="write", reason=reason)
