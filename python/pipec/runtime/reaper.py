"""What ends the processes of a run when pipec itself is killed: one small process that watches it.

The watcher holds the reading end of a pipe whose writing end only pipec has. Whatever ends pipec
closes it; no promise of the operating system about parents and grandchildren is needed.
"""

import contextlib
import subprocess
import sys
from collections.abc import Mapping, Sequence

from pipec.runtime import survivors


class Reaper:
    """The watcher of one run. Started with the first command; until then it costs nothing.

    `folders` are removed with the processes.
    """

    def __init__(
        self, run_id: str, host_env: Mapping[str, str], *, folders: Sequence[str] = ()
    ) -> None:
        self._folders = folders
        self._run_id = run_id
        # The watcher of a pipec inside a pipec must not look like a process of the outer run.
        self._env = {name: text for name, text in host_env.items() if name != "PIPEC_RUN_ID"}
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Starts watching, if it does not yet.

        Raises:
            OSError: no process can be started.
        """
        if self._process is None:
            assert survivors.__file__
            self._process = subprocess.Popen(  # noqa: S603 - our own program
                [sys.executable, "-I", "-S", survivors.__file__, self._run_id, *self._folders],
                stdin=subprocess.PIPE,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                bufsize=0,
                cwd="/",
                env=self._env,
                start_new_session=True,
            )

    def watch(self, session: int) -> None:
        """A session to end with the run."""
        self._tell(b"+%d\n" % session)

    def forget(self, session: int) -> None:
        """The session is over."""
        self._tell(b"-%d\n" % session)

    def stop(self) -> None:
        """The run is over, all is well."""
        self._tell(b"done\n")
        if self._process is not None:
            assert self._process.stdin
            self._process.stdin.close()
            self._process.wait()
            self._process = None

    def _tell(self, message: bytes) -> None:
        if self._process is None or self._process.stdin is None:
            return
        # If somebody killed the watcher, the run is as good as before; only nobody watches it.
        with contextlib.suppress(OSError):
            self._process.stdin.write(message)
