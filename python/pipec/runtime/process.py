"""Runs one command to its end: reads what it writes, keeps its time, leaves nothing behind."""

import asyncio
import os
import signal
from collections.abc import Awaitable, Callable, Sequence

from pipec.clock import Clock
from pipec.ports.executor import Command, Exit, Sink
from pipec.runtime.child import Child, start_child
from pipec.runtime.groups import Groups
from pipec.runtime.survivors import end_survivors, has_live_member

TIMED_OUT = 124
SIGNALLED = 128
_READ_SIZE = 65536
_POLL_S = 0.02


class Processes:
    """The one place that starts processes for tasks.

    A command gets a session of its own, no input, and one pipe for both outputs, unless it has the
    terminal. A child in the
    background that holds the pipe has `pipe_grace_s` after its shell has ended, then its group is
    ended. `kill_grace_s` lies between TERM and KILL.
    """

    def __init__(
        self, groups: Groups, clock: Clock, *, kill_grace_s: float, pipe_grace_s: float = 2.0
    ) -> None:
        self._groups = groups
        self._clock = clock
        self._kill_grace_s = kill_grace_s
        self._pipe_grace_s = pipe_grace_s

    async def run(
        self,
        command: Command,
        sink: Sink,
        *,
        task: str = "",
        timeout_s: float | None = None,
        stdin: int | None = None,
        stderr: int | Sink | None = None,
        pass_fds: Sequence[int] = (),
        halt: asyncio.Event | None = None,
        grace_s: float | None = None,
    ) -> Exit:
        """Runs a command; `sink` gets its output as it comes, without errors if they have `stderr`.

        It belongs to the `task`, or to the run alone. It is ended as soon as `halt` is set. A
        `grace_s` of its own lies between TERM and KILL, also when the run is interrupted.

        Raises:
            OSError: it cannot be started.
        """
        started = self._clock.monotonic()
        errors = None if stderr is None or isinstance(stderr, int) else stderr
        reading, writing = os.pipe()
        reading_errors, writing_errors = os.pipe() if errors else (-1, -1)
        nothing = -1
        try:
            nothing = os.open(os.devnull, os.O_RDONLY)
            child = start_child(
                command.argv,
                cwd=command.cwd,
                env=command.env,
                mark=self._groups.mark_of(task),
                stdin=nothing if stdin is None else stdin,
                stdout=writing,
                stderr=stderr if isinstance(stderr, int) else writing_errors if errors else writing,
                pass_fds=pass_fds,
            )
        except BaseException:
            _close(reading, reading_errors)
            raise
        finally:
            _close(nothing, writing, writing_errors)
        self._groups.add(child.pid, grace_s=grace_s)
        pipes = [_Pipe(reading, sink)]
        if errors:
            pipes.append(_Pipe(reading_errors, errors))
        try:
            timed_out = await self._wait(child, timeout_s, halt, grace_s)
            code = await child.wait()
            for pipe in pipes:
                await self._drain(child, pipe)
        except BaseException:
            # Only a fault of our own gets here: whatever it is, the command must not outlive it.
            self._groups.signal(child.pid, signal.SIGKILL)
            raise
        finally:
            for pipe in pipes:
                pipe.close()
        lives_on = has_live_member(child.pid)
        if not lives_on:
            self._groups.discard(child.pid)
        group = child.pid if lives_on else None
        return self._exit(code, started, timed_out=timed_out, group=group)

    async def run_with_terminal(
        self,
        command: Command,
        *,
        task: str,
        timeout_s: float | None = None,
        halt: asyncio.Event | None = None,
        on_key: Callable[[signal.Signals], Awaitable[None]],
    ) -> Exit:
        """Runs a command that has our own streams, in the foreground of the terminal if we are.

        `on_key` is told of what ended a command that had the terminal, if it was Ctrl-C, or the end
        of the terminal itself. The terminal is afterwards what it was before.

        Raises:
            OSError: it cannot be started.
        """
        # Not at the top: few runs have such a task, and some systems have no such terminals.
        from pipec.runtime.foreground import open_foreground

        started = self._clock.monotonic()
        foreground = self._groups.foreground = open_foreground()
        try:
            group = foreground.open_group() if foreground is not None else 0
            had_terminal = group != 0
            child = start_child(
                command.argv,
                cwd=command.cwd,
                env=command.env,
                mark=self._groups.mark_of(task),
                stdin=None,
                stdout=None,
                stderr=None,
                group=group,
                on_stop=foreground.stopped if foreground is not None else None,
            )
            group = group or child.pid
            self._groups.add(group)
            if foreground is not None:
                foreground.enter(group, child.pid)
            timed_out = await self._wait(child, timeout_s, halt, group=group)
            code = await child.wait()
            if foreground is not None:
                foreground.take_back()
                if code < 0 and command.env.get("TERM", "dumb") != "dumb":
                    foreground.make_plain()
        finally:
            self._groups.foreground = None
            if foreground is not None:
                foreground.close()
        if had_terminal and code in (-signal.SIGINT, -signal.SIGHUP):
            await on_key(signal.Signals(-code))
        lives_on = has_live_member(group)
        if not lives_on:
            self._groups.discard(group)
        return self._exit(code, started, timed_out=timed_out, group=group if lives_on else None)

    async def end_groups(self, leaders: frozenset[int]) -> None:
        """Ends these groups: TERM, and KILL after the grace."""
        for leader in leaders:
            self._groups.signal(leader, signal.SIGTERM)
        deadline = asyncio.get_running_loop().time() + self._kill_grace_s
        live = leaders
        while live := frozenset(leader for leader in live if has_live_member(leader)):
            if asyncio.get_running_loop().time() >= deadline:
                for leader in live:
                    self._groups.signal(leader, signal.SIGKILL)
                break
            await asyncio.sleep(_POLL_S)
        for leader in leaders:
            self._groups.discard(leader)

    async def end_survivors(self, task: str = "") -> None:
        """Kills whatever is left of the run, or of one task of it, wherever it hides."""
        sessions = () if task else self._groups.live
        mark = self._groups.mark_of(task)
        run_id = self._groups.run_id
        await asyncio.to_thread(end_survivors, run_id, sessions, mark=mark, task=task)

    async def _wait(
        self,
        child: Child,
        timeout_s: float | None,
        halt: asyncio.Event | None = None,
        grace_s: float | None = None,
        *,
        group: int | None = None,
    ) -> bool:
        """Waits for the child; ends its group when it is to, and gives whether time ran out."""
        leader = child.pid if group is None else group
        if halt is None:
            has_ended = await _within(child, timeout_s)
        else:
            has_ended = await _within_or(child, timeout_s, halt)
        if has_ended:
            return False
        self._groups.signal(leader, signal.SIGTERM)
        if not await _within(child, self._kill_grace_s if grace_s is None else grace_s):
            self._groups.signal(leader, signal.SIGKILL)
            await child.wait()
        return halt is None or not halt.is_set()

    async def _drain(self, child: Child, pipe: "_Pipe") -> None:
        """Reads what is left in the pipe; ends whoever holds it open for too long."""
        if await pipe.ended_within(self._pipe_grace_s):
            return
        await self.end_groups(frozenset({child.pid}))
        await pipe.ended_within(_POLL_S)

    def _exit(
        self, code: int, started: float, *, timed_out: bool, group: int | None = None
    ) -> Exit:
        duration_ms = round((self._clock.monotonic() - started) * 1000)
        name = _signal_name(-code) if code < 0 else None
        shown = TIMED_OUT if timed_out else SIGNALLED - code if code < 0 else code
        return Exit(
            code=shown, signal=name, timed_out=timed_out, duration_ms=duration_ms, group=group
        )


class _Pipe:
    """The reading end: every chunk goes to the sink, in large pieces, never line by line."""

    def __init__(self, fd: int, sink: Sink) -> None:
        self._fd = fd
        self._sink = sink
        self._ended = asyncio.Event()
        self._fault: BaseException | None = None
        self._is_open = True
        os.set_blocking(fd, False)
        asyncio.get_running_loop().add_reader(fd, self._read)

    async def ended_within(self, seconds: float) -> bool:
        """Whether nobody holds the other end any more, after at most this long."""
        try:
            await asyncio.wait_for(self._ended.wait(), seconds)
        except TimeoutError:
            return False
        if self._fault is not None:
            raise self._fault
        return True

    def close(self) -> None:
        """Stops reading."""
        if self._is_open:
            self._is_open = False
            asyncio.get_running_loop().remove_reader(self._fd)
            os.close(self._fd)

    def _read(self) -> None:
        try:
            data = os.read(self._fd, _READ_SIZE)
        except BlockingIOError:
            return
        if data:
            try:
                self._sink(data)
            except Exception as fault:
                self._fault = fault
                data = b""
        if not data:
            asyncio.get_running_loop().remove_reader(self._fd)
            self._ended.set()


def _close(*descriptors: int) -> None:
    for descriptor in descriptors:
        if descriptor >= 0:
            os.close(descriptor)


async def _within(child: Child, seconds: float | None) -> bool:
    try:
        await asyncio.wait_for(child.wait(), seconds)
    except TimeoutError:
        return False
    return True


async def _within_or(child: Child, seconds: float | None, halt: asyncio.Event) -> bool:
    """Whether the child has ended before the time is over and before `halt` is set."""
    ended = asyncio.ensure_future(child.wait())
    halted = asyncio.ensure_future(halt.wait())
    try:
        await asyncio.wait((ended, halted), timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
        return ended.done()
    finally:
        ended.cancel()
        halted.cancel()


def _signal_name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"
