"""What every executor promises, as a check that authors of executors can run."""

import asyncio
import os
import tempfile
from collections.abc import Callable, Mapping

from pipec.ports.executor import Command, Executor, Exit

_TIMED_OUT = 124
_LINES = 2000


def check_executor(open_executor: Callable[[], Executor], *, env: Mapping[str, str]) -> None:
    """Asserts that executors are what `pipec.ports.executor.Executor` says.

    They must be able to run `sh`. `env` is what commands need to see for that, such as `PATH`.

    Raises:
        AssertionError: a promise is broken; the message says which.
    """
    with tempfile.TemporaryDirectory() as folder:
        place = os.path.realpath(folder)
        asyncio.run(_check(open_executor, place, env))


async def _check(
    open_executor: Callable[[], Executor], folder: str, env: Mapping[str, str]
) -> None:
    shell = _Shell(open_executor(), folder, env)
    ended, said = await shell.run("echo out; echo err >&2; exit 3")
    assert ended.code == 3, f"the exit code is the command's, not {ended.code}"  # noqa: PLR2004
    assert said.split() == [b"out", b"err"], f"both outputs are given in order, not {said!r}"
    _, said = await shell.run('pwd; printf "%s" "$PIPEC_CHECK"')
    expected = f"{shell.folder}\nseen".encode()
    assert said == expected, f"folder and environment are the command's, not {said!r}"
    _, said = await shell.run(f"i=0; while [ $i -lt {_LINES} ]; do echo $i; i=$((i+1)); done")
    assert said.split() == [b"%d" % i for i in range(_LINES)], "no output is lost or moved"
    ended, _ = await shell.run("kill -TERM $$")
    assert (ended.code, ended.signal) == (143, "SIGTERM"), (
        f"a command ended by a signal says by which, and has 128 more as its code: {ended}"
    )
    ended, _ = await shell.run("sleep 600", timeout_s=0.2)
    assert (ended.code, ended.timed_out) == (_TIMED_OUT, True), (
        f"a command that takes too long is ended with 124: {ended}"
    )
    await _check_missing(shell)
    await _check_cancelling(shell)


async def _check_missing(shell: "_Shell") -> None:
    absent = Command(argv=("pipec-no-such-program",), cwd=shell.folder, env=shell.env)
    try:
        ended = await shell.executor.run(absent, lambda _: None)
    except OSError:
        return
    raise AssertionError(f"a program that is not there cannot be started; it gave {ended}")


async def _check_cancelling(shell: "_Shell") -> None:
    """A call that is cancelled leaves nothing behind that could still write."""
    pid_is_known = asyncio.Event()
    said: list[bytes] = []

    def take(data: bytes) -> None:
        said.append(data)
        pid_is_known.set()

    script = "echo $$; trap '' TERM INT; while :; do sleep 0.05; done"
    call = asyncio.ensure_future(shell.executor.run(shell.command(script), take))
    await pid_is_known.wait()
    call.cancel()
    await asyncio.gather(call, return_exceptions=True)
    pid = int(b"".join(said))
    for _ in range(100):
        if not _is_alive(pid):
            return
        await asyncio.sleep(0.05)
    raise AssertionError("a call that is cancelled ends its command")


def _is_alive(pid: int) -> bool:
    try:
        with open(f"/proc/{pid}/stat", "rb") as stat:
            return stat.read().rpartition(b") ")[2][:1] not in (b"Z", b"X", b"")
    except OSError:
        return False


class _Shell:
    def __init__(self, executor: Executor, folder: str, env: Mapping[str, str]) -> None:
        self.executor = executor
        self.folder = folder
        self.env = {**env, "PIPEC_CHECK": "seen"}

    def command(self, script: str) -> Command:
        return Command(argv=("sh", "-c", script), cwd=self.folder, env=self.env)

    async def run(self, script: str, *, timeout_s: float | None = None) -> tuple[Exit, bytes]:
        said: list[bytes] = []
        ended = await self.executor.run(self.command(script), said.append, timeout_s=timeout_s)
        return ended, b"".join(said)
