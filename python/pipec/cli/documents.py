"""The JSON documents that commands print with `--format json`; their schemas are made from these.

A field that is None is left out. The documents of `run` and `graph` are defined in `runtime.record`
and `plan.graph`.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from pipec.audit.findings import AuditFinding
from pipec.audit.twice import Conditions, OutputDifference
from pipec.cli.console import Console
from pipec.publishing.check import Check
from pipec.publishing.outcome import Outcome
from pipec.runtime.evidence.context_pack import ContextPack
from pipec.runtime.evidence.input_diff import ChangedComponent
from pipec.runtime.provenance import TaskEnvironment
from pipec.runtime.record import RunStatus, VerdictRecord, to_json

SCHEMA_VERSION = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class ListedJob:
    """A job in a few words."""

    id: str
    targets: tuple[str, ...]
    triggers: tuple[str, ...]
    params: tuple[str, ...]
    description: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ListedTask:
    """A task in a few words."""

    id: str
    depends_on: tuple[str, ...]
    is_cached: bool
    description: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ListDocument:
    """Every job and task of the pipeline, by id. `pipec list --format json`."""

    schema_version: int = SCHEMA_VERSION
    name: str
    jobs: tuple[ListedJob, ...]
    tasks: tuple[ListedTask, ...]
    description: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ShownTask:
    """One task. `task` is its node in the IR, defaults left out."""

    id: str
    task: Mapping[str, Any]
    dependents: tuple[str, ...]
    jobs: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ShowDocument:
    """The tasks of one name: several if it is that of a matrix. `pipec show --format json`."""

    schema_version: int = SCHEMA_VERSION
    tasks: tuple[ShownTask, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where a finding points, from 1, columns in characters; the end is behind the last one."""

    line: int
    column: int
    end_line: int
    end_column: int
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundProblem:
    """One finding; the first place is where it is, the others explain it."""

    code: str
    severity: Literal["error", "warning"]
    message: str
    help: tuple[str, ...]
    places: tuple[Place, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckDocument:
    """Everything there is to say about the pipeline file. `pipec check --format json`."""

    schema_version: int = SCHEMA_VERSION
    errors: int
    warnings: int
    findings: tuple[FoundProblem, ...]
    path: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ComponentDigest:
    """One part of a key, by name."""

    name: str
    digest: str


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyDocument:
    """The key under which a task's result is kept. `pipec key --format json`.

    `values` is what the component of that name is made of, one by one.
    """

    schema_version: int = SCHEMA_VERSION
    task: str
    key: str
    components: tuple[ComponentDigest, ...]
    values: tuple[ComponentDigest, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class EnvDocument:
    """The environment of the tasks of one name. `pipec env --format json`."""

    schema_version: int = SCHEMA_VERSION
    tasks: tuple[TaskEnvironment, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """One thing that influences pipec. `value` None: there is none. `problem`: what is wrong."""

    name: str
    source: str
    value: str | None = None
    problem: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ConfigDocument:
    """Every setting with where it came from. `pipec config --format json`."""

    schema_version: int = SCHEMA_VERSION
    settings: tuple[Setting, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class CommitFacts:
    """A commit that changed a file; `commit` is its id, `committed_at` a time in UTC."""

    commit: str
    author: str
    committed_at: str
    subject: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangedFile:
    """One input file that is not what it was, and the pattern that makes it an input.

    `before` and `now` are the ids of its contents as git names them, where git has them; `now` of a
    file that is not committed is the id that it would have. `commits`: those that lead from the one
    to the other, the newest first. `diff`: the lines that changed.
    """

    path: str
    change: str
    rule: str
    before: str | None = None
    now: str | None = None
    commits: tuple[CommitFacts, ...] | None = None
    is_committed: bool | None = None
    diff: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Cause:
    """A dependency that changed, and why it did: as `WhyDocument` says it of the task itself."""

    task: str
    run_id: str
    status: str
    files: tuple[ChangedFile, ...]
    reason: str | None = None
    verdict: VerdictRecord | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class WhyDocument:
    """Why a task ran, or, without a run, what would make it run. `pipec why --format json`.

    `causes`: the dependency that changed, then the one that made that change, and so on.
    """

    schema_version: int = SCHEMA_VERSION
    task: str
    components: tuple[ChangedComponent, ...]
    files: tuple[ChangedFile, ...]
    run_id: str | None = None
    status: str | None = None
    reason: str | None = None
    verdict: VerdictRecord | None = None
    causes: tuple[Cause, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ExplainDocument:
    """What failed in a run, each with its context. `pipec explain --run ID --format json`."""

    schema_version: int = SCHEMA_VERSION
    run_id: str
    pipeline: str
    status: RunStatus
    started_at: str
    targets: tuple[str, ...]
    failed: tuple[ContextPack, ...]
    finished_at: str | None = None
    reason: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PredictedTask:
    """What a run would do with a task; `unknown` where that depends on what runs before it."""

    id: str
    prediction: Literal["run", "cached", "unknown", "skipped"]
    verdict: VerdictRecord | None = None
    key: str | None = None
    reason: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PredictionDocument:
    """What a run would do, in its order. `pipec run --dry --format json`."""

    schema_version: int = SCHEMA_VERSION
    tasks: tuple[PredictedTask, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class MetadataDocument:
    """The normalized pipeline and where it comes from. `pipec metadata --format json`.

    `pipeline` has the schema `ir`; `digest` is that of its canonical form, which `pipec compile`
    prints. `file` is relative to where the command was called.
    """

    schema_version: int = SCHEMA_VERSION
    tool_version: str
    file: str
    digest: str
    warnings: tuple[str, ...]
    pipeline: Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class AffectedReason:
    """Why a task is affected: by a `file`, its `definition`, or a `dependency` that is affected.

    `path` is relative to the pipeline's folder, `pattern` the input that selects it, None for a
    file that is part of the key without one. `components` are the parts of the key that the
    definition changes or may change, None for a task that is new. `task` is the dependency.
    """

    kind: Literal["file", "definition", "dependency"]
    path: str | None = None
    pattern: str | None = None
    components: tuple[str, ...] | None = None
    task: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class AffectedTask:
    """A task that may have to run again."""

    id: str
    reasons: tuple[AffectedReason, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class AffectedDocument:
    """What a change concerns, each task after those it depends on. `pipec affected --format json`.

    `before` and `after` are commits, `after` None for the files as they are; `changed` the files
    that differ, relative to the pipeline's folder. `jobs` are those with a task that is affected.
    """

    schema_version: int = SCHEMA_VERSION
    before: str
    after: str | None = None
    changed: tuple[str, ...]
    tasks: tuple[AffectedTask, ...]
    jobs: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class MatrixDocument:
    """The tasks of a job, one for each machine. `pipec matrix --format json`.

    Each entry has the task's id as `task`, and the values of its own matrix by their names.
    """

    schema_version: int = SCHEMA_VERSION
    include: tuple[Mapping[str, str], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ListedRun:
    """A recorded run in a few words."""

    id: str
    status: RunStatus
    started_at: str
    targets: tuple[str, ...]
    tasks: int
    duration_ms: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RunsDocument:
    """The recorded runs, newest first. `pipec runs ls --format json`."""

    schema_version: int = SCHEMA_VERSION
    runs: tuple[ListedRun, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class StoreContent:
    """What one store holds. `folder` is absolute."""

    folder: str
    entries: int
    bytes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class CacheDocument:
    """What the stores hold. `pipec cache info --format json`."""

    schema_version: int = SCHEMA_VERSION
    stores: tuple[StoreContent, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class GcDocument:
    """What was swept away, or with `--dry` would be. `pipec gc --format json`."""

    schema_version: int = SCHEMA_VERSION
    is_dry: bool
    runs_removed: int
    runs_kept: int
    entries_removed: int
    entries_kept: int
    bytes_removed: int
    bytes_kept: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportNote:
    """What became of one part of an imported file; `line` counts from 1."""

    fidelity: Literal["exact", "approximated", "dropped"]
    path: str
    line: int
    subject: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportDocument:
    """How true a pipeline is; `path`: where it was written. `pipec import --format json`."""

    schema_version: int = SCHEMA_VERSION
    kind: str
    sources: tuple[str, ...]
    tasks: int
    jobs: int
    notes: tuple[ImportNote, ...]
    path: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SyncedFile:
    """A generated file. `what`: the tool that reads it; `scripts`: commands of ours by name."""

    kind: str
    path: str
    what: str
    scripts: Mapping[str, str] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SyncListDocument:
    """The files that the pipeline keeps current. `pipec sync list --format json`."""

    schema_version: int = SCHEMA_VERSION
    files: tuple[SyncedFile, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class SyncedDrift:
    """One thing that is not as the pipeline says. `verdict` is the word for why."""

    code: str
    verdict: str
    path: str
    message: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SyncCheckDocument:
    """Whether generated files are current. `pipec sync check --format json`."""

    schema_version: int = SCHEMA_VERSION
    is_current: bool
    drifts: tuple[SyncedDrift, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditDocument:
    """What a task does and does not declare. `pipec audit --format json`.

    `failure`: what ended the task early. `added`: what `--fix` wrote into the pipeline file.
    """

    schema_version: int = SCHEMA_VERSION
    task: str
    errors: int
    warnings: int
    findings: tuple[AuditFinding, ...]
    added: tuple[str, ...]
    failure: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class VerifyDocument:
    """Whether a task made the same outputs twice. `pipec verify --twice --format json`."""

    schema_version: int = SCHEMA_VERSION
    task: str
    is_reproducible: bool
    files: int
    bytes: int
    differing: int
    conditions: tuple[Conditions, ...]
    differences: tuple[OutputDifference, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class HealthCheck:
    """One thing that `doctor` looked at. `advice` says what to do about it."""

    name: str
    status: Literal["ok", "warning", "error", "absent"]
    found: str
    advice: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class DoctorDocument:
    """What pipec needs and finds here. `pipec doctor --format json`."""

    schema_version: int = SCHEMA_VERSION
    errors: int
    warnings: int
    checks: tuple[HealthCheck, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class PublishDocument:
    """What came of publishing. `pipec publish … --format json`."""

    schema_version: int = SCHEMA_VERSION
    outcomes: tuple[Outcome, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ReleaseDocument:
    """What a package lacks to be released. `pipec release doctor --format json`."""

    schema_version: int = SCHEMA_VERSION
    name: str
    version: str
    is_ready: bool
    checks: tuple[Check, ...]


def print_document(console: Console, document: Any) -> None:
    """Prints a document as JSON that a person can read too."""
    console.data(json.dumps(to_json(document), ensure_ascii=False, indent=2) + "\n")
