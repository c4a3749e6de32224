"""Why a task ran or would run, down to the commit: for `why`, `explain` and `pipec mcp`."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from pipec import _core
from pipec.cli.documents import Cause, ChangedFile, WhyDocument
from pipec.cli.git import Repository
from pipec.cli.history import Contents, trace_change
from pipec.cli.invocation import Invocation
from pipec.cli.looking import Look, look_at
from pipec.cli.patterns import deciding_patterns
from pipec.cli.records import find_task, read_verdict
from pipec.cli.trouble import reading_inputs
from pipec.codes import Code
from pipec.errors import PlanError
from pipec.ir.pipeline import Pipeline
from pipec.ir.task import TaskId
from pipec.plan.select import select
from pipec.runtime.declared_secrets import redaction_of
from pipec.runtime.evidence.input_diff import look_at_inputs
from pipec.runtime.evidence.reading import newest_runs
from pipec.runtime.request import RunRequest
from pipec.runtime.stores import store_roots

_NO_BASELINE = "it has not passed yet, as far as the cache knows"

MOST_TRACED = 20
"""Changed files of which git is asked for the history: it takes a few milliseconds each."""


class Explainer:
    """Explains tasks of the project that a call was made in."""

    def __init__(self, invocation: Invocation) -> None:
        self._invocation = invocation
        self._found, self._pipeline = invocation.load()
        self._redaction = redaction_of(self._pipeline, invocation.environ)

    def explain(self, task: str, *, run: str | None, now: bool) -> WhyDocument:
        """Why the task ran: in the run named, else in the newest one, else as things are now.

        Raises:
            PlanError: there is no such task or run, or the name means several tasks.
            RunError: an input cannot be read.
        """
        target = select(self._pipeline, [task], kind="task").targets[0]
        recorded = None if now else find_task(self._found.root, target, run)
        if recorded is None:
            return self.look(target)
        run_id, data = recorded
        document = self._recorded(target, run_id, data)
        return replace(document, causes=tuple(self._causes(document)))

    def _recorded(self, task: TaskId, run_id: str, data: Mapping[str, Any]) -> WhyDocument:
        document = explain_record(self._pipeline, task, run_id, data)
        return self._traced(document, after=run_id, key=data.get("key"))

    def _causes(self, document: WhyDocument) -> Iterator[Cause]:
        """The dependency that made the task run, in the same run, and what made that one run."""
        seen = {document.task}
        while (cause := _changed_dependency(document)) and document.run_id and cause not in seen:
            seen.add(cause)
            task = TaskId(cause)
            recorded = find_task(self._found.root, task, document.run_id)
            if recorded is None or task not in self._pipeline.tasks:
                return
            document = self._recorded(task, *recorded)
            yield Cause(
                task=task,
                run_id=recorded[0],
                status=str(document.status),
                files=document.files,
                reason=document.reason,
                verdict=document.verdict,
            )

    def look(self, task: str) -> WhyDocument:
        """What differs now from the task's last success. Runs nothing.

        Raises:
            PlanError: there is no such task, or the name means several.
            RunError: an input cannot be read.
        """
        look = look_at(self._invocation, task)
        if not (look.decisions.get(look.task) or {}).get("key"):
            raise PlanError(
                Code.KEY_NOT_KNOWN,
                f"the inputs of `{look.task}` depend on results that are not there yet",
                help=(f"`pipec run-task {look.task}` produces them",),
            )
        with reading_inputs():
            key, diff = look_at_inputs(look.engine, look.task, look.extras.get(look.task, []))
        document = WhyDocument(
            task=look.task,
            reason=None
            if diff.has_baseline
            else "it has not passed yet, as far as the cache knows",
            components=diff.components,
            files=tuple(
                ChangedFile(path=file.path, change=file.change, rule=file.rule or "")
                for file in diff.files
            ),
        )
        return self._traced(document, after=None, key=key, look=look)

    def _traced(
        self, document: WhyDocument, *, after: str | None, key: str | None, look: Look | None = None
    ) -> WhyDocument:
        """The document with what git knows about each file, where there is git."""
        if not document.files:
            return document
        try:
            repository = Repository.open(self._found.root, self._invocation.environ)
        except PlanError:
            return document
        before = self._inputs(document.task, self._last_success(document.task, after))
        now = self._inputs(document.task, key)
        if now is None:
            now = self._inputs_now(document.task, key, look)
        files = []
        for file in document.files[:MOST_TRACED]:
            contents = Contents(
                before=None if before is None or file.change == "added" else before.get(file.path),
                now=None if now is None or file.change == "removed" else now.get(file.path),
            )
            traced = trace_change(repository, file, contents, redact=self._redaction.text)
            files.append(traced)
        return replace(document, files=(*files, *document.files[MOST_TRACED:]))

    def _last_success(self, task: str, before_run: str | None) -> str | None:
        """The key of the newest success that a record has, older than a run."""
        for record in newest_runs(self._found.root):
            if before_run is not None and record["run_id"] >= before_run:
                continue
            for recorded in record["tasks"]:
                succeeded = recorded["status"] in ("passed", "cached") and recorded.get("key")
                if recorded["id"] == task and succeeded:
                    return str(recorded["key"])
        return None

    def _inputs(self, task: str, key: str | None) -> dict[str, str] | None:
        """Path and digest of the inputs of a stored result."""
        node = self._pipeline.tasks[TaskId(task)]
        if key is None or node.cache is None:
            return None
        root = store_roots(self._request(task)).get(node.cache.store)
        if root is None:
            return None
        try:
            entry = _core.store_inputs(root["root"], key)
        except OSError:
            return None
        return None if entry is None else _by_text(entry)

    def _inputs_now(self, task: str, key: str | None, look: Look | None) -> dict[str, str] | None:
        """The inputs as they are, if they are still those of the run: a failure stores none."""
        with reading_inputs():
            look = look or look_at(self._invocation, task)
            if key is not None:
                now, _ = look_at_inputs(look.engine, look.task, look.extras.get(look.task, []))
                if now != key:
                    return None
            return _by_text(look.engine.input_files(look.task))

    def _request(self, task: str) -> RunRequest:
        from pipec.cli.options import RunOptions
        from pipec.cli.run import open_request

        return open_request(self._invocation, RunOptions(targets=(task,), is_task=True))


def explain_record(
    pipeline: Pipeline, task: TaskId, run_id: str, recorded: Mapping[str, Any]
) -> WhyDocument:
    """What a run noted about the task, with the pattern behind each file."""
    verdict = read_verdict(recorded)
    changed = (verdict.changed or ()) if verdict else ()
    paths = [change.path for change in changed]
    patterns = deciding_patterns(pipeline, pipeline.tasks[task], paths)
    return WhyDocument(
        task=task,
        run_id=run_id,
        status=recorded["status"],
        verdict=verdict,
        reason=recorded.get("reason") or recorded.get("error", {}).get("message"),
        components=(),
        files=tuple(
            ChangedFile(path=file.path, change=file.change, rule=patterns.get(file.path, ""))
            for file in changed
        ),
    )


def _changed_dependency(document: WhyDocument) -> str | None:
    verdict = document.verdict
    return verdict.detail if verdict and verdict.component == "dependencies" else None


def _by_text(files: list[tuple[bytes, str]]) -> dict[str, str]:
    """By the path as text; names that are no text are left to themselves."""
    return {path.decode("utf-8", "backslashreplace"): digest for path, digest in files if digest}
