"""The profile of a run for people."""

from collections.abc import Iterator

from pipec.cli.report.words import plural
from pipec.runtime.durations import spell_duration
from pipec.runtime.evidence.profile import Profile
from pipec.runtime.visible import visible

_WIDEST = 40


def render_profile(profile: Profile) -> str:
    """The run in a few numbers, its critical path, its slowest tasks, and predictions."""
    return "\n".join(_lines(profile)) + "\n"


def _lines(profile: Profile) -> Iterator[str]:
    average = f"{profile.average_parallel / 100:.2f}".rstrip("0").rstrip(".")
    yield f"run            {profile.run_id}"
    yield f"took           {spell_duration(profile.duration_ms)}"
    busy = spell_duration(profile.busy_ms)
    yield f"work           {busy}, {average} at once on average, {profile.most_parallel} at most"
    yield f"allowed        {plural(profile.concurrency, 'task')} at once"
    yield f"saved          {spell_duration(profile.time_saved_ms)} by the cache"
    path = spell_duration(profile.critical_path_ms)
    share = _share(profile.critical_path_ms, profile.duration_ms)
    cold = ", hits counted as runs" if profile.is_cold else ""
    yield f"critical path  {path}{share}{cold}"
    names = [part.id for part in profile.critical_path] + [slow.id for slow in profile.slowest]
    width = min(max(map(len, names), default=0), _WIDEST)
    for part in profile.critical_path:
        took = spell_duration(part.duration_ms)
        waited = f"  waited {spell_duration(part.waited_ms)}" if part.waited_ms else ""
        yield f"  {visible(part.id):<{width}}  {took:>8}{waited}"
    if profile.slowest:
        yield "slowest"
    for slow in profile.slowest:
        yield f"  {visible(slow.id):<{width}}  {spell_duration(slow.duration_ms):>8}  {slow.status}"
    yield "with so many at once it would take"
    for what in profile.what_if:
        yield f"  {what.concurrency:>4}  {spell_duration(what.duration_ms):>8}"


def _share(part: int, whole: int) -> str:
    return f", {round(100 * part / whole)} % of the run" if whole and part <= whole else ""
