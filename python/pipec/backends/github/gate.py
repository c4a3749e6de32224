"""The job that stands for all others: what branch protection asks for."""

from collections.abc import Sequence

from pipec.backends.github.expression import Call, Name, Text, evaluated
from pipec.backends.github.model import Job, Step

# What a job's condition left out is skipped, and so is what waits for a job that failed: that one
# is in the list too.
_SCRIPT = """\
for result in $RESULTS; do
  case "$result" in
    success | skipped) ;;
    *) echo "::error::a job ended with: $result"; exit 1 ;;
  esac
done
"""


def gate(name: str, jobs: Sequence[str], *, runs_on: tuple[str, ...]) -> Job:
    """The job: it fails unless each of the others passed or was not asked for."""
    results = Call("join", (Name("needs.*.result"), Text(" ")))
    return Job(
        id=name,
        name=name,
        condition=Call("always"),
        needs=tuple(jobs),
        runs_on=runs_on,
        timeout_minutes=5,
        steps=(
            Step(
                name="Check that every job passed or was not asked for",
                env={"RESULTS": evaluated(results)},
                run=_SCRIPT,
            ),
        ),
    )
