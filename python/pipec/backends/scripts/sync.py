"""What has to change so that every file has its scripts, and how each file differs until then."""

import os
import posixpath
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from pipec.backends.files import GeneratedFile, read_file
from pipec.backends.scripts.lock import LOCK, LockedFile, SyncLock, read_lock, render_lock
from pipec.backends.scripts.port import Edited, Runner, UnsuitableError
from pipec.backends.scripts.runners import runner_for
from pipec.backends.scripts.targets import Manifest, find_manifests
from pipec.codes import Code
from pipec.diagnostics import Finding
from pipec.errors import PipecError, SpecError
from pipec.ir.sync_tasks import SyncTasks, scripts_of

_MARK = b"\xef\xbb\xbf"

Verdict = Literal["missing", "hand-edited", "spec-changed", "obsolete", "lock-differs"]
"""Why a script, a file or the lock is not current."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Drift:
    """One thing that is not as the pipeline says. `script` is None where it is the whole file."""

    verdict: Verdict
    path: str
    message: str
    script: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Managed:
    """A file with its scripts, as they will be."""

    path: str
    runner: str
    scripts: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class SyncPlan:
    """All that there is to do. `writes` are the files that are not as they should be."""

    files: tuple[Managed, ...]
    writes: tuple[GeneratedFile, ...]
    drifts: tuple[Drift, ...]


def plan_scripts(root: str, settings: SyncTasks | None, *, adopt: bool = False) -> SyncPlan:
    """The plan for the files below `root`. Without settings: to take back what was written.

    With `adopt`, scripts that nobody is known to have written are ours if they are as we would
    write them.

    Raises:
        SpecError: scripts that are not ours stand in the way; all of them.
        PipecError: a file or the lock cannot be read or edited.
    """
    planner = _Planner(root, read_lock(_read(root, LOCK)), adopt=adopt)
    manifests: tuple[Manifest, ...] = ()
    if settings is not None and any(scripts_of(settings)):
        manifests = find_manifests(root, settings)
        for manifest in manifests:
            runner = runner_for(manifest.runner, manifest.path)
            planner.plan(manifest, _wanted(settings, runner))
    for locked in planner.lock.files:
        manifest = Manifest(locked.path, locked.runner)
        if manifest not in manifests:
            planner.plan(manifest, {})
    return planner.finish()


def _wanted(settings: SyncTasks, runner: Runner) -> dict[str, str]:
    return {script.name(runner.separator): script.command for script in scripts_of(settings)}


@dataclass(slots=True)
class _Planner:
    """Plans file by file; a file that two runners share is edited by both."""

    root: str
    lock: SyncLock
    adopt: bool = field(kw_only=True)
    files: list[Managed] = field(default_factory=list)
    locked: list[LockedFile] = field(default_factory=list)
    before: dict[str, bytes | None] = field(default_factory=dict)
    after: dict[str, bytes | None] = field(default_factory=dict)
    drifts: list[Drift] = field(default_factory=list)
    conflicts: list[Finding] = field(default_factory=list)

    def plan(self, manifest: Manifest, wanted: Mapping[str, str]) -> None:
        content = self._content(manifest.path)
        if content is None:
            # Only a file that the lock knows can be gone by now: its scripts are gone with it.
            return
        old = self._owned(manifest)
        runner = runner_for(manifest.runner, manifest.path)
        try:
            mark = _MARK if content.startswith(_MARK) else b""
            text = content.removeprefix(_MARK).decode()
            if old is None and self.adopt:
                old = _adopted(runner, text, manifest, wanted)
            if self._compare(runner, text, manifest, wanted, old):
                return
            edited = _edit(runner, text, wanted, old)
        except UnicodeDecodeError:
            raise _unsuitable(manifest.path, "is not UTF-8") from None
        except UnsuitableError as error:
            raise _unsuitable(manifest.path, str(error)) from None
        self.after[manifest.path] = mark + edited.text.encode()
        companion = self._plan_companion(runner, manifest, wanted, old)
        if wanted:
            self.files.append(Managed(path=manifest.path, runner=manifest.runner, scripts=wanted))
            self.locked.append(
                LockedFile(
                    path=manifest.path,
                    runner=manifest.runner,
                    scripts=wanted,
                    made=edited.made,
                    companion=companion,
                )
            )

    def finish(self) -> SyncPlan:
        if self.conflicts:
            raise SpecError(self.conflicts)
        self._content(LOCK)
        lock = render_lock(self.locked).encode() if self.locked else None
        was = self.before[LOCK]
        if lock is not None and was is not None and was.replace(b"\r\n", b"\n") == lock:
            lock = was
        self.after[LOCK] = lock
        if lock != was and not self.drifts:
            message = f"`{LOCK}` is missing" if was is None else f"`{LOCK}` is out of date"
            self.drifts.append(Drift(verdict="lock-differs", path=LOCK, message=message))
        writes = tuple(
            GeneratedFile(path, content)
            for path, content in sorted(self.after.items())
            if content != self.before[path]
        )
        return SyncPlan(files=tuple(self.files), writes=writes, drifts=tuple(self.drifts))

    def _owned(self, manifest: Manifest) -> LockedFile | None:
        for locked in self.lock.files:
            if (locked.path, locked.runner) == (manifest.path, manifest.runner):
                return locked
        return None

    def _content(self, path: str) -> bytes | None:
        if path not in self.before:
            self.before[path] = _read(self.root, path)
        return self.after.get(path, self.before[path])

    def _compare(
        self,
        runner: Runner,
        text: str,
        manifest: Manifest,
        wanted: Mapping[str, str],
        old: LockedFile | None,
    ) -> bool:
        """Notes what stands in the way and what is not current; gives whether anything does."""
        owned = old.scripts if old is not None else {}
        present = runner.entries(text, list({**wanted, **owned}))
        conflicts = [
            _conflict(manifest.path, name)
            for name in present
            if name in wanted and (name not in owned or runner.companion is not None)
        ]
        self.conflicts += conflicts
        if conflicts or runner.companion is not None:
            return bool(conflicts)
        for name, command in wanted.items():
            if name not in present:
                self._note("missing", manifest.path, name, "is missing")
            elif present[name] != command:
                was_ours = present[name] == owned.get(name)
                what = "changed in the pipeline" if was_ours else "was edited by hand"
                self._note("spec-changed" if was_ours else "hand-edited", manifest.path, name, what)
        for name in owned:
            if name not in wanted and name in present:
                self._note("obsolete", manifest.path, name, "is no longer wanted")
        return False

    def _plan_companion(
        self,
        runner: Runner,
        manifest: Manifest,
        wanted: Mapping[str, str],
        old: LockedFile | None,
    ) -> str | None:
        """Plans the file beside a manifest; gives its name."""
        if runner.companion is None:
            return None
        name = runner.companion.name
        path = posixpath.join(posixpath.dirname(manifest.path), name)
        content = self._content(path)
        text = runner.companion.render(wanted) if wanted else None
        is_ours = old is not None and old.companion == name
        is_known = is_ours or (self.adopt and content is not None and _lines(content) == text)
        if content is not None and text is not None and not is_known:
            self.conflicts.append(_conflict(path, None))
        if not is_ours and text is None:
            return None
        if content is not None and text is not None and _lines(content) == text:
            self.after[path] = content
        else:
            self.after[path] = None if text is None else text.encode()
            self._note_companion(runner, path, content, text, old)
        if self.after[manifest.path] != self.before[manifest.path]:
            verb = "does not include" if text is not None else "still includes"
            message = f"`{manifest.path}` {verb} `{name}`"
            verdict: Verdict = "missing" if text is not None else "obsolete"
            self.drifts.append(Drift(verdict=verdict, path=manifest.path, message=message))
        return name

    def _note_companion(
        self,
        runner: Runner,
        path: str,
        content: bytes | None,
        text: str | None,
        old: LockedFile | None,
    ) -> None:
        verdict: Verdict = "missing"
        message = f"`{path}` is missing"
        if content is not None and text is None:
            verdict, message = "obsolete", f"`{path}` is no longer wanted"
        elif content is not None:
            assert runner.companion is not None
            was_ours = old is not None and _lines(content) == runner.companion.render(old.scripts)
            verdict = "spec-changed" if was_ours else "hand-edited"
            message = f"`{path}` was edited by hand"
            if was_ours:
                message = f"the scripts in `{path}` changed in the pipeline"
        elif text is None:
            return
        self.drifts.append(Drift(verdict=verdict, path=path, message=message))

    def _note(self, verdict: Verdict, path: str, script: str, what: str) -> None:
        message = f"the script `{script}` in `{path}` {what}"
        self.drifts.append(Drift(verdict=verdict, path=path, script=script, message=message))


def _edit(runner: Runner, text: str, wanted: Mapping[str, str], old: LockedFile | None) -> Edited:
    owned: Sequence[str] = tuple(old.scripts) if old is not None else ()
    return runner.edit(text, wanted=wanted, owned=owned, made=old.made if old is not None else ())


def _adopted(
    runner: Runner, text: str, manifest: Manifest, wanted: Mapping[str, str]
) -> LockedFile:
    """What a lost lock would say, as far as the file still tells."""
    present = runner.entries(text, list(wanted))
    ours = {name: command for name, command in wanted.items() if present.get(name) == command}
    if runner.companion is not None:
        ours = {}
    return LockedFile(path=manifest.path, runner=manifest.runner, scripts=ours)


def _lines(content: bytes) -> str:
    return content.replace(b"\r\n", b"\n").decode("utf-8", "replace")


def _read(root: str, path: str) -> bytes | None:
    """The bytes of a file below the root; None if it is not there.

    Raises:
        PipecError: it is a link that leads out of the project, or cannot be read.
    """
    top = os.path.realpath(root)
    if os.path.commonpath([os.path.realpath(os.path.join(root, path)), top]) != top:
        raise _unsuitable(path, "is a link that leads out of the project")
    return read_file(root, path)


def _conflict(path: str, name: str | None) -> Finding:
    if name is None:
        message = f"`{path}` is there already, and pipec did not write it"
        advice = ("move it away: pipec generates a file of this name",)
    else:
        message = f"`{path}` has a script `{name}` already, and pipec did not write it"
        advice = ("rename it, or choose another `sync.tasks.prefix`",)
    return Finding(Code.SYNC_CONFLICT, message, help=advice)


def _unsuitable(path: str, what: str) -> PipecError:
    return PipecError(Code.SYNC_TARGET_UNSUITABLE, f"`{path}` {what}")
