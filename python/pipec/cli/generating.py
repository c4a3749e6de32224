"""The kinds of files that are generated from a pipeline, as the commands of `sync` see them."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from pipec.backends.files import GeneratedFile, compare_files
from pipec.backends.scripts.lock import LOCK
from pipec.backends.scripts.sync import plan_scripts
from pipec.codes import Code
from pipec.errors import DriftError, SpecError
from pipec.frontend.discover import Found
from pipec.ir.pipeline import Pipeline


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """A file that is kept current. `scripts` are the commands in it by name, where it has any."""

    path: str
    what: str
    scripts: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Drifted:
    """One thing that is not as the pipeline says, and the word for why."""

    code: Code
    verdict: str
    path: str
    message: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Generation:
    """What one kind keeps, what would have to be written, and what is not current."""

    kept: tuple[Kept, ...]
    writes: tuple[GeneratedFile, ...]
    drifted: tuple[Drifted, ...]


Generate = Callable[[Found, Pipeline, bool], Generation | None]
"""Plans one kind of files; None if the pipeline asks for none and there are none.

The truth value is whether to adopt what is there already.
"""


def generate_tasks(found: Found, pipeline: Pipeline, adopt: bool) -> Generation | None:  # noqa: FBT001
    """Scripts of package managers.

    Raises:
        PipecError: a file cannot be edited, or a script in it is not ours.
    """
    import os

    settings = pipeline.sync.tasks
    if settings is None and not os.path.lexists(os.path.join(found.root, LOCK)):
        return None
    plan = plan_scripts(found.root, settings, adopt=adopt)
    return Generation(
        kept=tuple(
            Kept(path=file.path, what=file.runner, scripts=file.scripts) for file in plan.files
        ),
        writes=plan.writes,
        drifted=tuple(
            Drifted(
                code=Code.SYNC_STALE,
                verdict=drift.verdict,
                path=drift.path,
                message=drift.message,
            )
            for drift in plan.drifts
        ),
    )


def generate_github(found: Found, pipeline: Pipeline, adopt: bool) -> Generation | None:  # noqa: FBT001
    """The workflow of GitHub Actions.

    Raises:
        SpecError: GitHub cannot do what the pipeline says.
    """
    if pipeline.sync.github is None:
        return None
    import os

    from pipec.backends.github.check import CODES, check
    from pipec.backends.github.generate import find_problems, generate, look

    subject = look(pipeline, root=found.root, pipeline_name=os.path.basename(found.path))
    findings = find_problems(subject)
    if findings:
        raise SpecError(findings)
    generated = generate(subject)

    def inside(path: str) -> str:
        """The path from the pipeline's folder: it may lie below the top of the repository."""
        return os.path.relpath(os.path.join(subject.place.top, path), os.path.realpath(found.root))

    sync = pipeline.sync.github
    try:
        drifted = tuple(
            Drifted(
                code=CODES[drift.verdict],
                verdict=drift.verdict,
                path=inside(drift.path),
                message=drift.message,
            )
            for drift in check(generated)
        )
    except DriftError as error:
        lock = inside(sync.lock)
        drifted = (Drifted(code=error.code, verdict="", path=lock, message=error.message),)
    files = {sync.workflow: "workflow", sync.lock: "lock", sync.pins: "pins"}
    return Generation(
        kept=tuple(Kept(path=inside(path), what=what) for path, what in files.items()),
        writes=tuple(
            GeneratedFile(inside(file.path), file.content)
            for file in generated.files
            if compare_files(subject.place.top, [file])
        ),
        drifted=drifted,
    )


KINDS: Mapping[str, Generate] = {"github": generate_github, "tasks": generate_tasks}
"""Every kind, by the name of its section in `sync`."""
