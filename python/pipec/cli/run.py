"""Runs what was asked for: options to request, request to record, record to exit status."""

import os
import sys

from pipec import _core
from pipec.cli.concurrency import parse_concurrency, usable_cores
from pipec.cli.invocation import Invocation
from pipec.cli.options import RunOptions, UsageError
from pipec.cli.report.plain import PlainReporter
from pipec.cli.report.words import plural
from pipec.ir.codec import decode, encode
from pipec.plan.params import bind_params
from pipec.plan.select import select
from pipec.runtime.events import Listener
from pipec.runtime.given import with_given
from pipec.runtime.request import KEEP_RUNS, MAX_LOG_BYTES, RunRequest, Services
from pipec.runtime.run import run as run_plan


def run(invocation: Invocation, options: RunOptions, *, begun: _core.HandOver | None = None) -> int:
    """Runs the targets, or says what running them would do; gives the exit status.

    Raises:
        SpecError: the pipeline file is missing or wrong.
        PlanError: the request does not fit the pipeline.
        RunError: the run could not be started.
    """
    request = open_request(invocation, options)
    if options.dry:
        from pipec.cli.dry import print_prediction

        return print_prediction(invocation, request, options)
    reporter = None if options.format == "jsonl" else reporter_of(invocation, request, options)
    services = Services(
        listeners=(_listener(invocation, request, options, reporter),),
        screen=reporter,
        handle_signals=invocation.owns_process,
        begun=begun,
    )
    try:
        record = run_plan(request, services)
    finally:
        if reporter is not None:
            reporter.close()
    if options.format == "json":
        import json

        from pipec.runtime.record import to_json

        invocation.console.data(json.dumps(to_json(record), ensure_ascii=False, indent=2) + "\n")
    assert record.exit_code is not None, "a finished run has an exit code"
    return record.exit_code


def open_request(invocation: Invocation, options: RunOptions) -> RunRequest:
    """The request that these options make of the project's pipeline.

    Raises:
        SpecError: the pipeline file is missing or wrong.
        PlanError: the request does not fit the pipeline.
    """
    found, compiled = invocation.compile()
    pipeline = decode(compiled.pipeline_bytes)
    plan = select(
        pipeline,
        options.targets,
        kind="task" if options.is_task else "any",
        only=options.only,
        filters=options.filters,
    )
    pipeline_bytes = compiled.pipeline_bytes
    if options.arguments:
        from pipec.plan.arguments import with_arguments

        pipeline = with_arguments(pipeline, plan.targets, options.arguments)
        pipeline_bytes = encode(pipeline)
    timeout_ms, time_limit = None, "the run"
    if options.timeout or any(pipeline.jobs[job].timeout_ms for job in plan.jobs):
        from pipec.cli.time_limit import time_limit_of

        timeout_ms, time_limit = time_limit_of(pipeline, plan, options.timeout)
    if compiled.warnings:
        warnings = plural(len(compiled.warnings), "warning")
        invocation.console.say(f"{found.shown} has {warnings}: `pipec check` shows more")
    return RunRequest(
        root=found.root,
        pipeline=pipeline,
        pipeline_bytes=pipeline_bytes,
        plan=plan,
        platform=platform_name(),
        host_env=with_given(
            invocation.environ, environment=options.environment, approvals=options.approvals
        ),
        concurrency=parse_concurrency(options.concurrency, cores=usable_cores()),
        force=options.force,
        params=bind_params(pipeline, plan, _named_values(options.params)),
        arguments=options.arguments,
        filters=options.filters,
        continue_mode=options.continue_mode,
        timeout_ms=timeout_ms,
        time_limit=time_limit,
        wait=options.wait,
        keep_runs=number_from(invocation, "PIPEC_KEEP_RUNS", KEEP_RUNS),
        max_log_bytes=number_from(invocation, "PIPEC_MAX_LOG_BYTES", MAX_LOG_BYTES),
        replay_logs=options.output_logs == "full",
    )


def platform_name() -> str:
    """The platform that enters keys: operating system and machine, such as `linux-x86_64`."""
    system = {"darwin": "macos", "win32": "windows"}.get(sys.platform, sys.platform)
    machine = os.uname().machine if hasattr(os, "uname") else "x86_64"
    return f"{system}-{machine}"


def reporter_of(invocation: Invocation, request: RunRequest, options: RunOptions) -> PlainReporter:
    """What tells a person of the run."""
    is_streamed = options.log_order == "stream"
    output_logs = options.output_logs or ("new-only" if is_streamed else "errors-only")
    return PlainReporter(
        invocation.console,
        tasks=request.plan.tasks,
        # There, the log of a task is a group, which is printed around this one.
        output_logs="none" if _is_in_github(invocation) and not is_streamed else output_logs,
        cwd=invocation.cwd,
        is_streamed=is_streamed,
        is_live=invocation.console.is_live(invocation.environ),
    )


def _listener(
    invocation: Invocation,
    request: RunRequest,
    options: RunOptions,
    plain: PlainReporter | None,
) -> Listener:
    if plain is None:
        from pipec.cli.report.jsonlines import JsonLinesReporter

        return JsonLinesReporter(invocation.console)
    if not _is_in_github(invocation):
        return plain
    from pipec.cli.places import find_task_place
    from pipec.cli.report.github_run import GithubReporter, masks_of

    return GithubReporter(
        invocation.console,
        plain,
        secrets=masks_of(request),
        with_logs=options.output_logs != "none",
        environ=invocation.environ,
        find_place=lambda task: find_task_place(invocation, task),
    )


def _is_in_github(invocation: Invocation) -> bool:
    # What a runner of GitHub reads is imported only there.
    return invocation.environ.get("GITHUB_ACTIONS") == "true"


def _named_values(params: tuple[str, ...]) -> dict[str, str]:
    values: dict[str, str] = {}
    for param in params:
        name, equals, value = param.partition("=")
        if not equals or not name:
            raise UsageError(f"`{param}` is no parameter", help=("write `--param name=value`",))
        values[name] = value
    return values


def number_from(invocation: Invocation, variable: str, default: int) -> int:
    """The number in a variable of the host, or the default if it is empty or not set.

    Raises:
        UsageError: it is no number.
    """
    text = invocation.environ.get(variable, "")
    if not text:
        return default
    if not (text.isascii() and text.isdigit()):
        raise UsageError(
            f"the variable `{variable}` is `{text}`", help=("it has to be a number, such as `50`",)
        )
    return int(text)
