"""The two streams of a command: data for programs on one, words for people on the other."""

import os
from collections.abc import Callable, Mapping
from typing import TextIO

from pipec.codes import Code
from pipec.errors import PipecError

_PIECE = 4096
_USUAL_SIZE = (80, 24)
_STYLES = {"bold": "1", "dim": "2", "red": "31", "green": "32", "yellow": "33", "cyan": "36"}


class Console:
    """Where a command writes. `data` goes to standard output, everything else to standard error."""

    def __init__(self, out: TextIO, err: TextIO, *, color: bool) -> None:
        self.out = out
        self.err = err
        self.color = color
        self.is_quiet = False
        self.is_verbose = False
        self._trouble: OSError | None = None
        self.words_are_lost = False
        for stream in (out, err):
            # File names are bytes: one that is not UTF-8 must not end the command.
            if hasattr(stream, "reconfigure"):
                stream.reconfigure(errors="backslashreplace")

    def is_live(self, environ: Mapping[str, str]) -> bool:
        """Whether words are read on a terminal that can move its cursor, and by a person."""
        return (
            not self.is_quiet
            and self.err.isatty()
            and self.err.encoding.lower() == "utf-8"
            and environ.get("TERM") != "dumb"
            and environ.get("CI", "") in ("", "0", "false")
        )

    def configure(self, *, color: bool, is_quiet: bool, is_verbose: bool) -> None:
        """Applies what the command line says about output."""
        self.color = color
        self.is_quiet = is_quiet
        self.is_verbose = is_verbose

    def data(self, text: str) -> None:
        """Writes what was asked for. What cannot be written is known at the end, to `finish`."""
        # In pieces: Python does not notice a reader that goes away in the middle of a large one.
        for start in range(0, len(text), _PIECE):
            self._try(self.out.write, text[start : start + _PIECE])

    def say(self, text: str) -> None:
        """Writes one line for a person, unless the command is to be quiet."""
        if not self.is_quiet:
            self.complain(text)

    def complain(self, text: str) -> None:
        """Writes one line for a person, quiet or not."""
        self.write_log(text + "\n")

    def write_log(self, text: str) -> None:
        """Writes a part of a task's log as it is."""
        try:
            self.err.write(text)
        except BrokenPipeError:
            raise
        except OSError:
            # There is nowhere left to say so, and the work goes on.
            self.words_are_lost = True

    @property
    def size(self) -> tuple[int, int]:
        """Columns and rows of the terminal on which words are read, or those that are usual."""
        try:
            return os.get_terminal_size(self.err.fileno())
        except (OSError, ValueError):
            return _USUAL_SIZE

    def style(self, text: str, style: str) -> str:
        """The text in a style, where the terminal takes colours."""
        return f"\x1b[{_STYLES[style]}m{text}\x1b[0m" if self.color and text else text

    def flush(self) -> None:
        """Hands everything to the operating system: somebody follows.

        Raises:
            BrokenPipeError: nobody reads any more.
        """
        self._try(self.out.flush)
        try:
            self.err.flush()
        except BrokenPipeError:
            raise
        except OSError:
            self.words_are_lost = True

    def finish(self) -> None:
        """Hands over the rest.

        Raises:
            BrokenPipeError: nobody reads any more.
            PipecError: some data could not be written, such as on a full disk.
        """
        self.flush()
        if self._trouble is not None:
            message = f"cannot write the output: {self._trouble.strerror}"
            raise PipecError(Code.OUTPUT_UNWRITABLE, message)

    @property
    def data_is_lost(self) -> bool:
        """Whether some of what was asked for could not be written."""
        return self._trouble is not None

    def _try(self, write: Callable[..., object], *text: str) -> None:
        if self._trouble is None:
            try:
                write(*text)
            except BrokenPipeError:
                raise
            except OSError as error:
                # A run goes on without its output, and fails at its end.
                self._trouble = error


def wants_color(choice: str, environ: Mapping[str, str], stream: TextIO) -> bool:
    """Whether to colour: by `--color`, `NO_COLOR`, `FORCE_COLOR`, the terminal, in this order."""
    return choose_color(choice, environ, stream)[0]


def choose_color(choice: str, environ: Mapping[str, str], stream: TextIO) -> tuple[bool, str]:
    """Whether to colour, and what decided it, in words."""
    if choice != "auto":
        return choice == "always", f"--color {choice}"
    if environ.get("NO_COLOR"):
        return False, "variable NO_COLOR"
    if environ.get("FORCE_COLOR", "0") not in ("", "0"):
        return True, "variable FORCE_COLOR"
    if not stream.isatty():
        return False, "standard error is no terminal"
    if environ.get("TERM") == "dumb":
        return False, "variable TERM, which is `dumb`"
    return True, "standard error is a terminal"
