"""The JSON Schemas that pipec publishes: made here, committed, and shipped in the wheel."""

import json
from collections.abc import Callable, Iterator
from typing import Any

from pipec import _core
from pipec.backends.github.lock import LOCK_VERSION, Lock
from pipec.backends.scripts.lock import LOCK, SyncLock
from pipec.backends.scripts.lock import LOCK_VERSION as SYNC_LOCK_VERSION
from pipec.cli.differences import DiffDocument
from pipec.cli.documents import (
    SCHEMA_VERSION,
    AffectedDocument,
    AuditDocument,
    CacheDocument,
    CheckDocument,
    ConfigDocument,
    DoctorDocument,
    EnvDocument,
    ExplainDocument,
    GcDocument,
    ImportDocument,
    KeyDocument,
    ListDocument,
    MatrixDocument,
    MetadataDocument,
    PredictionDocument,
    PublishDocument,
    ReleaseDocument,
    RunsDocument,
    ShowDocument,
    SyncCheckDocument,
    SyncListDocument,
    VerifyDocument,
    WhyDocument,
)
from pipec.cli.github_documents import GithubCheckDocument, GithubPlanDocument
from pipec.ir.schema import ir_schema
from pipec.plan.graph import Graph
from pipec.runtime.event_schema import event_schema
from pipec.runtime.evidence.context_pack import ContextPack
from pipec.runtime.evidence.profile import Profile
from pipec.runtime.policy.kept import KeptCommand, KeptRefusal
from pipec.runtime.record_schema import document_schema, execution_record_schema, line_schema
from pipec.runtime.transcript import AgentOutput, AgentRequest, AgentResponse
from pipec.spec.schema import pipeline_schema, schema_id

Schema = dict[str, Any]

FILES: dict[str, Callable[[], Schema]] = {
    "pipeline": pipeline_schema,
    "ir": ir_schema,
    "execution-record": execution_record_schema,
    "journal-event": event_schema,
    "context-pack": lambda: document_schema(
        ContextPack, title="The context of a failed task", version=SCHEMA_VERSION
    ),
    "command": lambda: line_schema(
        KeptCommand,
        KeptRefusal,
        title="A command under a policy: a line of commands.jsonl in a record",
    ),
    "transcript": lambda: line_schema(
        AgentRequest,
        AgentOutput,
        AgentResponse,
        title="What was said between a task and an agent: a line of agents/*.jsonl in a record",
    ),
    "findings": lambda: document_schema(
        CheckDocument, title="Findings about a pipeline file", version=SCHEMA_VERSION
    ),
    "github-lock": lambda: document_schema(
        Lock,
        title="The lock of the workflow that pipec generates",
        version=LOCK_VERSION,
        key="version",
    ),
    "sync-lock": lambda: document_schema(
        SyncLock, title=f"The lock of scripts, {LOCK}", version=SYNC_LOCK_VERSION
    ),
}
"""The schemas of files that pipec reads or writes, by name."""

DOCUMENTS: dict[str, type] = {
    "affected": AffectedDocument,
    "audit": AuditDocument,
    "cache-info": CacheDocument,
    "check": CheckDocument,
    "config": ConfigDocument,
    "env": EnvDocument,
    "diff": DiffDocument,
    "doctor": DoctorDocument,
    "explain": ExplainDocument,
    "gc": GcDocument,
    "github-check": GithubCheckDocument,
    "github-plan": GithubPlanDocument,
    "graph": Graph,
    "import": ImportDocument,
    "key": KeyDocument,
    "list": ListDocument,
    "matrix": MatrixDocument,
    "metadata": MetadataDocument,
    "profile": Profile,
    "publish": PublishDocument,
    "release-doctor": ReleaseDocument,
    "run-dry": PredictionDocument,
    "runs-ls": RunsDocument,
    "show": ShowDocument,
    "sync-check": SyncCheckDocument,
    "sync-list": SyncListDocument,
    "verify": VerifyDocument,
    "why": WhyDocument,
}
"""What commands print with `--format json`, by command or family of commands."""

OTHERS = {
    "compile": "ir",
    "plan": "cli/run-dry",
    "publish-github": "cli/publish",
    "publish-npm": "cli/publish",
    "publish-pypi": "cli/publish",
    "run": "execution-record",
    "run-task": "execution-record",
    "runs-show": "execution-record",
    "sync-github-check": "cli/sync-check",
    "sync-github-list": "cli/sync-list",
    "sync-tasks-check": "cli/sync-check",
    "sync-tasks-list": "cli/sync-list",
}
"""Commands whose JSON has the schema of a file, of another command, or of their family."""


def generated_schemas() -> Iterator[tuple[str, str]]:
    """The name and the text of each schema."""
    for name, make in FILES.items():
        yield name, _text(name, make())
    for command, document in DOCUMENTS.items():
        title = f"What `pipec {command.replace('-', ' ')} --format json` prints"
        schema = document_schema(document, title=title, version=SCHEMA_VERSION)
        yield f"cli/{command}", _text(f"cli:{command}", schema)


def _text(name: str, schema: Schema) -> str:
    dialect = schema.pop("$schema")
    published = {"$schema": dialect, "$id": schema_id(name, _core.VERSION), **schema}
    return json.dumps(published, indent=2, ensure_ascii=False) + "\n"
