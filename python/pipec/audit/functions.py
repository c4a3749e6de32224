"""Calls the function of a Python step in a process that somebody else starts, and hears it out."""

import contextlib
import json
import socket
import threading
from collections.abc import Callable, Sequence

from pipec.runtime.python_step import Answer, Call, python_command, request_of, take

_LAST_WORDS_S = 1.0

Start = Callable[[Sequence[str], int], int]
"""Runs a command to its end with a descriptor of ours; gives its exit status."""


def call_under(start: Start, call: Call, fingerprint: Callable[[], str]) -> tuple[int, Answer]:
    """The exit status of the process, and what the function said."""
    ours, theirs = socket.socketpair()
    answer = Answer()
    talk = threading.Thread(target=_talk, args=(ours, call, answer, fingerprint), daemon=True)
    try:
        talk.start()
        descriptor = theirs.fileno()
        code = start((*python_command(call), str(descriptor)), descriptor)
    finally:
        theirs.close()
        talk.join(_LAST_WORDS_S)
        ours.close()
    return code, answer


def _talk(ours: socket.socket, call: Call, answer: Answer, fingerprint: Callable[[], str]) -> None:
    # A child that is gone has nothing more to say; how it ended tells the rest.
    with (
        contextlib.suppress(OSError, ValueError, KeyError, TypeError),
        ours.makefile("rb") as lines,
    ):
        _say(ours, request_of(call))
        for line in lines:
            message = json.loads(line)
            if message["kind"] == "ask":
                _say(ours, fingerprint())
            elif take(answer, message, call):
                return


def _say(ours: socket.socket, message: object) -> None:
    ours.sendall(json.dumps(message).encode("ascii") + b"\n")
