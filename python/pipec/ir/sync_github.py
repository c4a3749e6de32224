"""The generated GitHub workflow, as the author wants it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal


@dataclass(frozen=True, slots=True, kw_only=True)
class Toolchain:
    """How one toolchain is made ready; what is empty the repository's files decide.

    `install` None: the usual commands; empty: none.
    """

    version: str = ""
    version_file: str = ""
    manager: str = ""
    manager_version: str = ""
    distribution: str = ""
    install: tuple[str, ...] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Install:
    """How a runner gets pipec: by locked requirements, by commands, or it is there already.

    `path` are folders of the repository in which programs are found after the commands.
    """

    requirements: str = ""
    commands: tuple[str, ...] = ()
    path: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class GithubSync:
    """What is generated for GitHub, with every default filled in.

    Paths are from the top of the repository. `setup` None: chosen by the repository's files. An
    empty `name`: the pipeline's; an empty `gate`: no such job.
    """

    workflow: str = ".github/workflows/pipec.yml"
    lock: str = ".github/pipec.lock.json"
    pins: str = ".github/workflows/pipec-pins.yml"
    name: str = ""
    mode: Literal["jobs", "single"] = "jobs"
    profile: Literal["2026", "conservative"] = "2026"
    install: Install = field(
        default_factory=lambda: Install(requirements=".github/pipec.requirements.txt")
    )
    setup: Mapping[str, Toolchain] | None = None
    cache_tasks: bool = True
    cache_dependencies: bool = False
    gate: str = "pipec"
    runs_on: tuple[str, ...] = ("ubuntu-24.04",)
    timeout_minutes: int = 30
    concurrency: bool = True
    merge_group: bool = True
