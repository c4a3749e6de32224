"""The entry point of the command line: `pipec …` and `python -m pipec …`."""

import os
import sys

from pipec import _core

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import NoReturn

_INTERRUPTED = 130
_OUTPUT_CLOSED = 141


def main() -> None:
    """Runs the command line of this process and exits with its status.

    The core answers what it knows by itself, plain runs among it: with everything in place one
    takes a few milliseconds, and most of them are Python's own start.
    """
    answer = _ask()
    if answer is None and sys.argv[1:] and not is_help(sys.argv[-1]):
        answer = _ask_again()
    if isinstance(answer, tuple):
        out, err, status, failed = answer
        if failed:
            # What a person goes on from takes longer than the run needed of us, and is worth it.
            from pipec.cli.after_run import keep_context

            keep_context(failed)
        _leave(out, err, status)
    if sys.argv[1:] and is_help(sys.argv[-1]):
        page = help_page(sys.argv[1:-1])
        if page:
            _leave(page, "", 0)
    from pipec.cli.main import main as run_command_line

    sys.exit(run_command_line(sys.argv[1:], answer))


def is_help(word: str) -> bool:
    """Whether a last word asks for help."""
    return word in ("--help", "-h")


def _ask_again() -> "tuple[str, str, int, str | None] | _core.HandOver | None":
    """Asks once more if it was only the compiled pipeline that the core did not have."""
    from pipec.cli.first_run import compile_first

    try:
        return _ask() if compile_first(sys.argv[1:]) else None
    except KeyboardInterrupt:
        sys.exit(_INTERRUPTED)


def _ask() -> "tuple[str, str, int, str | None] | _core.HandOver | None":
    if os.environ.get("GITHUB_ACTIONS") == "true":
        # A runner of GitHub reads commands between the lines, which the core does not write.
        return None
    try:
        return _core.answer(sys.argv[1:])
    except KeyboardInterrupt:
        # Nothing has run, and there is no record to close.
        sys.exit(_INTERRUPTED)
    except UnicodeEncodeError:
        # Words may hold bytes that are not text. No form that the core knows has one.
        return None
    except (OSError, ValueError) as error:
        # Something is wrong with pipec itself. The record of the run says so already.
        from pipec.cli.main import report

        sys.exit(report(error))


def help_page(command: list[str]) -> str:
    """The help of a command as it was when pipec was made; empty if there is no such command."""
    name = ".".join(["pipec", *command])
    if not name.replace(".", "").replace("-", "").isalnum():
        return ""
    try:
        with open(f"{__file__.removesuffix('__main__.py')}cli/help/{name}.txt", "rb") as page:
            return page.read().decode()
    except OSError:
        return ""


def _leave(out: str, err: str, status: int) -> "NoReturn":
    """Prints and ends the process at once: nothing is left to be cleaned up."""
    try:
        sys.stdout.write(out)
        sys.stdout.flush()
        if sys.stderr is not None:
            sys.stderr.write(err)
            sys.stderr.flush()
    except BrokenPipeError:
        status = _OUTPUT_CLOSED
    except OSError:
        # As on the long way: data that cannot be written is an error, words are not.
        status = 2 if out else status
    os._exit(status)


if __name__ == "__main__":
    main()
