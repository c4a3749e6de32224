"""A source: another repository or folder whose pipeline joins this one."""

from dataclasses import dataclass

from pipec.ir.step import Step


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """A repository at `git`, or the folder at `path`; the other is empty.

    `pipeline` is the file in it, empty for the one that is found there. `prepare` makes a checkout
    ready, in a folder of the user's only if that is `writable`.
    """

    git: str = ""
    ref: str = ""
    path: str = ""
    pipeline: str = ""
    prepare: tuple[Step, ...] = ()
    writable: bool = False
