"""How an error that ends a command is told: message, code, help; and the exit status it means."""

import traceback
from collections.abc import Callable, Mapping, Sequence

from pipec.cli.console import Console
from pipec.cli.options import UsageError
from pipec.codes import Code
from pipec.errors import BugError, PipecError, PlanError, SpecError
from pipec.frontend.suggest import did_you_mean


def report_error(
    error: Exception,
    *,
    console: Console,
    environ: Mapping[str, str],
    redact: Callable[[str], str] = str,
) -> int:
    """Tells a person what went wrong and gives the exit status. Never raises.

    `redact` takes out the secrets: a message may quote what was typed.
    """
    known = error if isinstance(error, PipecError) else _bug(error)
    if isinstance(known, BugError) and environ.get("PIPEC_DEBUG") == "1":
        console.complain(redact("".join(traceback.format_exception(error)).rstrip()))
    console.complain(redact(render_error(known, color=console.color)))
    return known.exit_status


def render_error(error: PipecError, *, color: bool) -> str:
    """The error as text, with the places in the file where it has any."""
    if isinstance(error, SpecError):
        from pipec.frontend.render import render

        return render(error.findings, error.document, color=color).rstrip("\n")
    head = f"error[{error.code}]"
    lines = [f"\x1b[1;31m{head}\x1b[0m: {error.message}" if color else f"{head}: {error.message}"]
    lines += [f"help: {sentence}" for sentence in error.help]
    if not isinstance(error, BugError):
        lines.append(f"help: pipec explain {error.code}")
    return "\n".join(lines)


def not_a_command(word: str, error: PipecError, *, verbs: Sequence[str]) -> PipecError:
    """What to say of a first word that is no verb and could not be run either."""
    if error.code is Code.NO_PIPELINE:
        return UsageError(
            f"pipec has no command `{word}`, and there is no pipeline here that has such a job",
            help=did_you_mean(word, verbs),
        )
    if error.code is Code.UNKNOWN_TARGET and f"`{word}`" in error.message:
        return PlanError(
            Code.UNKNOWN_TARGET,
            f"`{word}` is no command of pipec, and no job or task of this pipeline",
            help=_nearest_target(error) or did_you_mean(word, verbs) or error.help,
        )
    return error


def _nearest_target(error: PipecError) -> tuple[str, ...]:
    return tuple(sentence for sentence in error.help if sentence.startswith("did you mean"))


def _bug(error: Exception) -> PipecError:
    known = BugError(f"{type(error).__name__}: {error}" if str(error) else type(error).__name__)
    known.help = (
        "this is a bug in pipec: please report it with the pipeline file and the command",
        "`PIPEC_DEBUG=1` prints where it happened",
    )
    return known
