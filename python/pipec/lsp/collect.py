"""Collects the names of a file from its outline, section by section."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from pipec.diagnostics import Route
from pipec.frontend.lower.references import is_foreign, meanings, split_foreign
from pipec.frontend.lower.tree import OWN_ID
from pipec.frontend.outline.entries import Entry, Outline, Range
from pipec.lsp.names import Kind, Names, Occurrence, Path
from pipec.spec.task import TASK_KEYS, task_or_group

SECTIONS: Mapping[Kind, Route] = {
    "job": ("jobs",),
    "trigger": ("triggers",),
    "named input": ("named-inputs",),
    "pool": ("pools",),
    "store": ("cache", "stores"),
    "agent": ("agents",),
    "profile": ("execution",),
    "sandbox": ("sandboxes",),
    "source": ("sources",),
}
"""Where the names of each kind are given."""

_QUOTES = (b'"', b"'")


@dataclass(frozen=True, slots=True)
class TaskPlace:
    """A task as it is written: its id, the id of the group around it, and its route."""

    id: str
    group: str
    route: Route


@dataclass(slots=True)
class _Collector:
    outline: Outline
    content: bytes
    tasks: dict[str, Route] = field(default_factory=dict)
    member_tasks: dict[str, Route] = field(default_factory=dict)
    named: dict[Kind, dict[str, Route]] = field(default_factory=dict)
    occurrences: list[Occurrence] = field(default_factory=list)


def collect(outline: Outline, content: bytes) -> Names:
    """The names of a text. `content` is its UTF-8."""
    collector = _Collector(outline, content)
    places = list(_define_tasks(collector, "task", ("tasks",)))
    members = list(_define_tasks(collector, "member task", ("workspace", "tasks")))
    for place in places:
        collector.tasks.setdefault(place.id, place.route)
    for place in members:
        collector.member_tasks.setdefault(place.id, place.route)
    for kind, section in SECTIONS.items():
        _define(collector, kind, section)
    for place in places:
        _use_in_task(collector, "task", place)
    for place in members:
        _use_in_task(collector, "member task", place)
    for key in outline.names(("task-defaults",)):
        _use_in_defaults(collector, str(key))
    _use_in_jobs(collector)
    _use_in_rest(collector)
    return Names(
        collector.occurrences,
        tasks=collector.tasks,
        member_tasks=collector.member_tasks,
        named=collector.named,
    )


def _define_tasks(collector: _Collector, kind: Kind, section: Route) -> Iterator[TaskPlace]:
    """The tasks of a section in the order of the text; notes each name on the way."""
    pending: list[Path] = [(str(name),) for name in reversed(collector.outline.names(section))]
    while pending:
        path = pending.pop()
        route = (*section, *path)
        for entry in collector.outline.at(route):
            _note_key(collector, kind, path, entry)
        if task_or_group(collector.outline.value(route, depth=1)) == "task":
            own = path[:-1] if len(path) > 1 and path[-1] in OWN_ID else path
            yield TaskPlace(".".join(own), ".".join(path[:-1]), route)
        else:
            names = reversed(collector.outline.names(route))
            pending.extend((*path, str(name)) for name in names)


def _define(collector: _Collector, kind: Kind, section: Route) -> None:
    names = [name for name in collector.outline.names(section) if isinstance(name, str)]
    collector.named[kind] = {name: (*section, name) for name in names}
    for name in names:
        for entry in collector.outline.at((*section, name)):
            _note_key(collector, kind, (name,), entry)


def _use_in_task(collector: _Collector, kind: Kind, place: TaskPlace) -> None:
    """The names in the fields of a task."""
    route, outline = place.route, collector.outline
    for entry in _texts(outline, (*route, "depends-on")):
        _use_task(collector, entry, place.group, kind)
    _use_inputs(collector, (*route, "inputs"), place.group, kind)
    _use_each(collector, "pool", (*route, "pool"))
    for store in ((*route, "cache"), (*route, "cache", "store")):
        _use_store(collector, store)
    for steps in ((*route, "run"), (*route, "steps")):
        _use_agents(collector, steps)


def _use_inputs(collector: _Collector, route: Route, group: str, kind: Kind) -> None:
    for entry in _texts(collector.outline, route):
        name = entry.text.removeprefix("!")
        if name in collector.named["named input"]:
            offset = len(entry.text) - len(name)
            _note_text(collector, "named input", (name,), entry, offset=offset, name=name)
    for index in collector.outline.names(route):
        for entry in _texts(collector.outline, (*route, index, "outputs-of")):
            _use_task(collector, entry, group, kind)


def _use_agents(collector: _Collector, route: Route) -> None:
    _use_each(collector, "agent", (*route, "agent"))
    for index in collector.outline.names(route):
        if isinstance(index, int):
            _use_each(collector, "agent", (*route, index, "agent"))


def _use_in_defaults(collector: _Collector, key: str) -> None:
    """Defaults name a task by its id, or all whose last part they are."""
    if key in TASK_KEYS and key not in collector.tasks:
        return
    meant = key if key in collector.tasks else None
    if meant is None:
        ends = [name for name in collector.tasks if name.rpartition(".")[2] == key]
        meant = ends[0] if len(ends) == 1 else None
    for entry in collector.outline.at(("task-defaults", key)):
        if meant is not None:
            start, end, is_verbatim = _inner(collector, entry.key, key)
            if is_verbatim:
                _note_parts(collector, "task", meant, route=entry.route, written=key, start=start)
            else:
                path = tuple(meant.split("."))
                collector.occurrences.append(
                    Occurrence("task", path, (start, end), entry.route, needs_quotes=True)
                )
    route: Route = ("task-defaults", key)
    _use_inputs(collector, (*route, "inputs"), "", "task")
    for entry in _texts(collector.outline, (*route, "depends-on")):
        _use_task(collector, entry, "", "task")
    _use_each(collector, "pool", (*route, "pool"))


def _use_in_jobs(collector: _Collector) -> None:
    for name in collector.outline.names(("jobs",)):
        route: Route = ("jobs", name)
        for entry in _texts(collector.outline, (*route, "target")):
            _use_task(collector, entry, "", "task")
        _use_each(collector, "trigger", (*route, "trigger"))
        _use_each(collector, "job", (*route, "needs"))
        _use_each(collector, "profile", (*route, "execution"))


def _use_in_rest(collector: _Collector) -> None:
    outline = collector.outline
    for name in outline.names(("named-inputs",)):
        _use_inputs(collector, ("named-inputs", name), "", "task")
    for name in outline.names(("execution",)):
        _use_each(collector, "sandbox", ("execution", name, "sandbox"))
    _use_store(collector, ("cache",))
    _use_store(collector, ("cache", "default"))
    for name in outline.names(("cache", "stores")):
        _use_each(collector, "store", ("cache", "stores", name, "layered"))
    _use_each(collector, "profile", ("sync", "github", "profile"))


def _use_task(collector: _Collector, entry: Entry, group: str, kind: Kind) -> None:
    """A reference to a task, to one of a member, or to one of a source."""
    written = entry.text
    if is_foreign(written):
        owner, name = split_foreign(written)
        if owner in {"^", "*"}:
            offset = len(written) - len(name)
            _note_parts_of(collector, "member task", entry, name, offset=offset)
        elif owner in collector.named["source"]:
            _note_text(collector, "source", (owner,), entry, name=owner)
        return
    _note_parts_of(collector, kind, entry, written, group=group)


def _note_parts_of(
    collector: _Collector,
    kind: Kind,
    entry: Entry,
    written: str,
    *,
    group: str = "",
    offset: int = 0,
) -> None:
    known = collector.tasks if kind == "task" else collector.member_tasks
    name = written.partition("[")[0]
    meant = meanings(name, group, known)
    start, end, is_verbatim = _inner(collector, entry.value, entry.text)
    if len(meant) != 1:
        collector.occurrences.append(Occurrence(kind, None, (start, end), entry.route))
    elif is_verbatim:
        start += len(entry.text[:offset].encode())
        _note_parts(collector, kind, meant[0], route=entry.route, written=name, start=start)
    else:
        path = tuple(meant[0].split("."))
        collector.occurrences.append(
            Occurrence(kind, path, (start, end), entry.route, needs_quotes=True)
        )


def _note_parts(
    collector: _Collector, kind: Kind, meant: str, *, route: Route, written: str, start: int
) -> None:
    """A dotted reference: a name for each of its parts, the last one is that of the task."""
    path = tuple(meant.split("."))
    parts = written.split(".")
    for index, part in enumerate(parts):
        length = len(part.encode())
        of_part = path[: len(path) - len(parts) + index + 1]
        collector.occurrences.append(Occurrence(kind, of_part, (start, start + length), route))
        start += length + 1


def _use_each(collector: _Collector, kind: Kind, route: Route) -> None:
    """A name, or a list of names."""
    for entry in _texts(collector.outline, route):
        path = (entry.text,) if entry.text in collector.named[kind] else None
        _note_text(collector, kind, path, entry, name=entry.text)


def _use_store(collector: _Collector, route: Route) -> None:
    for entry in collector.outline.at(route):
        if entry.kind == "text":
            name = entry.text.partition(":")[0]
            path = (name,) if name in collector.named["store"] else None
            _note_text(collector, "store", path, entry, name=name)


def _texts(outline: Outline, route: Route) -> Iterator[Entry]:
    """The text at a route, or the texts of the list there."""
    for entry in outline.at(route):
        if entry.kind == "text":
            yield entry
        elif entry.kind == "list":
            for index in outline.names(route):
                items: Sequence[Entry] = outline.at((*route, index))
                yield from (item for item in items if item.kind == "text")


def _note_key(collector: _Collector, kind: Kind, path: Path, entry: Entry) -> None:
    start, end, is_verbatim = _inner(collector, entry.key, path[-1])
    collector.occurrences.append(
        Occurrence(
            kind, path, (start, end), entry.route, is_definition=True, needs_quotes=not is_verbatim
        )
    )


def _note_text(
    collector: _Collector,
    kind: Kind,
    path: Path | None,
    entry: Entry,
    *,
    offset: int = 0,
    name: str,
) -> None:
    start, end, is_verbatim = _inner(collector, entry.value, entry.text)
    if is_verbatim:
        start += len(entry.text[:offset].encode())
        end = start + len(name.encode())
    elif name != entry.text:
        # A part of a text with escapes: nobody can say which.
        return
    collector.occurrences.append(
        Occurrence(kind, path, (start, end), entry.route, needs_quotes=not is_verbatim)
    )


def _inner(collector: _Collector, place: Range, text: str) -> tuple[int, int, bool]:
    """The range of a text without its quotes, and whether it stands there letter by letter."""
    start, end = place
    written = collector.content[start:end]
    if written[:1] in _QUOTES and end - start > 1 and written[-1:] == written[:1]:
        if written[1:-1] == text.encode():
            return start + 1, end - 1, True
        return start, end, False
    return start, end, written == text.encode()
