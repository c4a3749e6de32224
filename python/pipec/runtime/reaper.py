"""What ends the processes of a run when pipec is killed: one small process that watches it."""

import sys
from collections.abc import Mapping, Sequence

from pipec import _core
from pipec.runtime import survivors


class Reaper:
    """The watcher of one run. Started with the first command; until then it costs nothing.

    It finds them by `marks`. `folders` are removed with the processes.
    """

    def __init__(
        self, run_id: str, host_env: Mapping[str, str], *, folders: Sequence[str] = ()
    ) -> None:
        self._folders = folders
        self.run_id = run_id
        self.marks = _core.Marks()
        # The watcher of a pipec inside a pipec must not look like a process of the outer run.
        self._env = {
            name: text
            for name, text in host_env.items()
            if name != "PIPEC_RUN_ID" and (name + text).isprintable()
        }
        self._watcher: _core.Watcher | None = None

    def start(self) -> None:
        """Starts watching, if it does not yet.

        Raises:
            OSError: no process can be started.
        """
        if self._watcher is None:
            assert survivors.__file__
            self._watcher = _core.Watcher(
                [
                    *(sys.executable, "-I", "-S", survivors.__file__),
                    *(self.run_id, str(self.marks.run), *self._folders),
                ],
                self._env,
            )

    def watch(self, session: int) -> None:
        """A session to end with the run."""
        if self._watcher is not None:
            self._watcher.watch(session)

    def forget(self, session: int) -> None:
        """The session is over."""
        if self._watcher is not None:
            self._watcher.forget(session)

    def stop(self) -> None:
        """The run is over, all is well."""
        if self._watcher is not None:
            self._watcher.stop()
            self._watcher = None
