"""What is generated for GitHub: the workflow, its lock, and the file of pins."""

from dataclasses import dataclass, replace

from pipec.backends.files import GeneratedFile, read_file
from pipec.backends.github.actions_lock import PATH as ACTIONS_LOCK
from pipec.backends.github.actions_lock import read_actions_lock
from pipec.backends.github.emit import emit
from pipec.backends.github.facts import read_facts
from pipec.backends.github.fields import fields_of
from pipec.backends.github.lock import Lock, make_lock, render_lock
from pipec.backends.github.lower import lower
from pipec.backends.github.model import Workflow
from pipec.backends.github.pins import ReadPins, identify, read_pins, render_pins
from pipec.backends.github.place import find_place
from pipec.backends.github.problems import problems
from pipec.backends.github.requirements import requirement_problems
from pipec.backends.github.subject import Subject, look_at
from pipec.codes import Code
from pipec.diagnostics import Finding, Label
from pipec.errors import PlanError
from pipec.ir.pipeline import Pipeline

_INSTALL_ROUTE = ("sync", "github", "install")


@dataclass(frozen=True, slots=True, kw_only=True)
class Generated:
    """A workflow and the files that come of it, with paths from the top of the repository."""

    subject: Subject
    workflow: Workflow
    text: str
    lock: Lock
    pinned: ReadPins

    @property
    def files(self) -> tuple[GeneratedFile, ...]:
        """The files to write."""
        sync = self.subject.sync
        pins = render_pins(self.workflow.pins, workflow=sync.workflow)
        return (
            GeneratedFile(sync.workflow, self.text.encode()),
            GeneratedFile(sync.lock, render_lock(self.lock).encode()),
            GeneratedFile(sync.pins, pins.encode()),
        )


def look(pipeline: Pipeline, *, root: str, pipeline_name: str) -> Subject:
    """The subject of the pipeline in the folder `root`, whose file there is `pipeline_name`.

    Raises:
        PlanError: the pipeline asks for no workflow.
    """
    sync = pipeline.sync.github
    if sync is None:
        raise PlanError(
            Code.NO_WORKFLOW,
            "this pipeline asks for no workflow of GitHub",
            help=("`[sync]` with `github = true` does",),
        )
    place = find_place(root)
    return look_at(
        pipeline,
        sync,
        place=place,
        pipeline_file=place.path(pipeline_name),
        facts=read_facts(root, folder=place.folder),
    )


def find_problems(subject: Subject) -> list[Finding]:
    """Everything that stands in the way of a workflow that works."""
    return [*problems(subject), *_unlocked_tool(subject)]


def generate(subject: Subject) -> Generated:
    """What is generated; `find_problems` has to have found none.

    Raises:
        RunError: the file of pins cannot be read.
    """
    content = read_file(subject.place.top, subject.sync.pins) or b""
    pinned = read_pins(content.decode("utf-8", "replace"))
    return generate_with(subject, pinned)


def generate_with(subject: Subject, pinned: ReadPins) -> Generated:
    """What is generated with these pins of the repository."""
    theirs = read_file(subject.place.top, ACTIONS_LOCK)
    github_lock = read_actions_lock(theirs, workflow=subject.sync.workflow) if theirs else None
    lowered = lower(subject, pinned.pins)
    workflow = replace(lowered, pins=identify(lowered.pins, github_lock))
    text = emit(workflow)
    lock = make_lock(
        pipeline_file=subject.pipeline_file,
        workflow=subject.sync.workflow,
        text=text,
        pins=workflow.pins,
        fields=fields_of(subject),
    )
    return Generated(subject=subject, workflow=workflow, text=text, lock=lock, pinned=pinned)


def _unlocked_tool(subject: Subject) -> list[Finding]:
    path = subject.sync.install.requirements
    if not path:
        return []
    content = read_file(subject.place.top, path)
    advice = (
        f"`echo pipec | uv pip compile --universal --generate-hashes - -o {path}` writes it",
        "`install` of `sync.github` can say another way: `pipec explain PIPEC_TOOL_NOT_LOCKED`",
    )
    label = (Label(_INSTALL_ROUTE),)
    if content is None:
        message = f"runners would install pipec by `{path}`, and there is no such file"
        return [Finding(Code.TOOL_NOT_LOCKED, message, label, advice)]
    text = content.decode("utf-8", "replace")
    message = f"`{path}` does not decide alone what is installed"
    return [
        Finding(Code.TOOL_NOT_LOCKED, f"{message}: {why}", label, advice)
        for why in requirement_problems(text)
    ]
