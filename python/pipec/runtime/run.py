"""Runs a plan: what is in place already without a process or an event loop, the rest with both.

Nothing that only execution needs is imported before there is something to execute.
"""

import contextlib

from pipec.codes import Code
from pipec.ir.task import Task
from pipec.runtime.assess import Assessment, Forecast, assess
from pipec.runtime.events import OutputChunk, WarningRaised
from pipec.runtime.lock import RunLock, take
from pipec.runtime.outcome import (
    NOT_NEEDED,
    cached_record,
    group_record,
    platform_reason,
    skipped_record,
)
from pipec.runtime.platforms import runs_here
from pipec.runtime.record import RunRecord, TaskRecord
from pipec.runtime.recorder import Recorder
from pipec.runtime.records import new_run_id, prune, repair
from pipec.runtime.request import RunRequest, Services
from pipec.runtime.stores import planned
from pipec.runtime.unsupported import refuse_unsupported

_CLOSED_OUTPUT = 141


def run(request: RunRequest, services: Services) -> RunRecord:
    """Runs the plan, and gives what was recorded; `exit_code` is that of the program.

    Raises:
        PipecError: another run is active, the state folder cannot be written, or a task needs
            something that this version does not have.
        SpecError: secrets, variables or env files are missing; nothing has run.
    """
    refuse_unsupported(request)
    begun = services.begun
    run_id = begun.run_id if begun else new_run_id(services.clock.now_ms())
    with take_lock(request, services, run_id) as lock:
        repair_left_behind(request, services, lock)
        assessment = assess(request, services, run_id)
        is_given = request.arguments or request.params or request.filters
        if is_given or not assessment.nothing_to_do:
            # Among what was given on the command line too there may be a secret.
            assessment.check_environment()
        recorder = Recorder(request, services, run_id, redact=assessment.redaction.text)
        if assessment.nothing_to_do:
            record = record_all(assessment, recorder)
        else:
            record = _execute(assessment, recorder)
            keep_evidence_of(assessment, record)
        prune(request.root, keep=request.keep_runs)
        return record


def foresee(request: RunRequest, services: Services) -> list[Forecast]:
    """What `run` would do with each task. Runs no command, changes no file, takes no lock.

    Raises:
        PipecError, SpecError: as `run`.
    """
    refuse_unsupported(request)
    run_id = new_run_id(services.clock.now_ms())
    return assess(request, services, run_id).forecasts()


def take_lock(request: RunRequest, services: Services, run_id: str) -> RunLock:
    """Takes the lock of the project for a run.

    Raises:
        PipecError: somebody else holds it, or it cannot be written.
    """

    def tell(message: str) -> None:
        at_ms = services.clock.now_ms()
        for listener in services.listeners:
            listener(WarningRaised(at_ms=at_ms, code=Code.RUN_ACTIVE, message=message))

    if services.begun is not None:
        fd = services.begun.take_lock(request.root)
        if fd is not None:
            return RunLock(fd, "")
    return take(
        request.root,
        run_id=run_id,
        now_ms=services.clock.now_ms(),
        wait=request.wait,
        on_wait=tell,
    )


def repair_left_behind(request: RunRequest, services: Services, lock: RunLock) -> None:
    """Closes the record of a run that crashed with the lock."""
    if lock.left_behind:
        # If it cannot be written it stays as the crash left it: readers see that nobody holds it.
        with contextlib.suppress(OSError):
            repair(request.root, lock.left_behind)


def _execute(assessment: Assessment, recorder: Recorder) -> RunRecord:
    from pipec.runtime.executor import execute

    begin(assessment, recorder)
    return execute(assessment, recorder)


def begin(assessment: Assessment, recorder: Recorder) -> None:
    """Tells that the run starts, and what is not as it should be from the start."""
    recorder.begin()
    for name in assessment.short_secrets:
        message = f"the secret `{name}` has fewer than 4 characters and will not be masked"
        recorder.warn(Code.SHORT_SECRET, message)
    recorder.save()


def keep_evidence_of(assessment: Assessment, record: RunRecord) -> None:
    """Writes what a person goes on from after a run."""
    from pipec.runtime.evidence.keep import keep_evidence

    keep_evidence(assessment, record)


def record_all(assessment: Assessment, recorder: Recorder) -> RunRecord:
    """Every task is in place: say so."""
    recorder.begin()
    for task in planned(assessment.request):
        _replay_log(assessment, recorder, task)
        recorder.settle(_settled(assessment, recorder, task))
    assessment.save(recorder.warn)
    return recorder.finish("passed", _CLOSED_OUTPUT if recorder.output_is_closed else 0)


def _settled(assessment: Assessment, recorder: Recorder, task: Task) -> TaskRecord:
    if not runs_here(task, assessment.request.platform):
        return skipped_record(task.id, platform_reason(task.platforms))
    if task.service is not None:
        return skipped_record(task.id, NOT_NEEDED)
    now_ms = recorder.clock.now_ms()
    decision = assessment.decision(task.id)
    if not task.steps or decision is None:
        tasks = assessment.request.pipeline.tasks
        needs = (need for need in task.depends_on if tasks[need].service is None)
        statuses = recorder.statuses(needs)
        return group_record(task.id, statuses, started_ms=now_ms)
    return cached_record(task.id, decision, started_ms=now_ms, duration_ms=0)


def _replay_log(assessment: Assessment, recorder: Recorder, task: Task) -> None:
    decision = assessment.decision(task.id)
    if assessment.request.replay_logs and decision is not None and decision.is_hit:
        data = assessment.engine.log_of(task.id)
        if data:
            at_ms = recorder.clock.now_ms()
            recorder.emit(OutputChunk(at_ms=at_ms, task=task.id, data=data, replayed=True))
