"""What a run would do, said without running anything."""

from pipec.cli.documents import PredictedTask, PredictionDocument, print_document
from pipec.cli.invocation import Invocation
from pipec.cli.options import RunOptions
from pipec.cli.report.words import plural
from pipec.runtime.assess import Forecast
from pipec.runtime.record import TaskRecord
from pipec.runtime.request import RunRequest, Services
from pipec.runtime.run import foresee
from pipec.runtime.summary import describe_verdict
from pipec.runtime.visible import visible


def print_prediction(invocation: Invocation, request: RunRequest, options: RunOptions) -> int:
    """Prints what running the request would do; gives the exit status.

    Raises:
        PipecError: the request could not be run.
    """
    document = PredictionDocument(
        tasks=tuple(predict(forecast) for forecast in foresee(request, Services()))
    )
    if options.format == "text":
        invocation.console.data(render(document))
    else:
        print_document(invocation.console, document)
    return 0


def predict(forecast: Forecast) -> PredictedTask:
    """The forecast of one task as it is printed."""
    decision = forecast.decision
    return PredictedTask(
        id=forecast.task,
        prediction=forecast.outcome,
        verdict=decision.verdict if decision else None,
        key=decision.key if decision else None,
        reason=forecast.reason or None,
    )


def render(document: PredictionDocument) -> str:
    """A line a task, then the counts."""
    width = max((len(task.id) for task in document.tasks), default=0)
    lines = []
    for task in document.tasks:
        record = TaskRecord(id=task.id, verdict=task.verdict, reason=task.reason)
        why = visible(describe_verdict(record))
        lines.append(f"{task.prediction:<7}  {task.id:<{width}}  {why}".rstrip())
    predictions = [task.prediction for task in document.tasks]
    counts = ", ".join(
        f"{predictions.count(outcome)} {words}"
        for outcome, words in (
            ("run", "would run"),
            ("unknown", "may run"),
            ("cached", "cached"),
            ("skipped", "skipped"),
        )
        if outcome in predictions
    )
    lines.append(f"{plural(len(predictions), 'task')}: {counts}" if counts else "nothing to do")
    return "\n".join(lines) + "\n"
