"""Works out a monorepo (packages, files, dependencies) before a byte of it is written."""

import math
import random
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

FILES_PER_FOLDER: Final = 8
DEEPEST_FOLDER: Final = 6
SIZE_SIGMA: Final = 1.0
"""Shape of the log-normal distribution of file sizes."""

WORDS: Final = tuple(
    """
    api app auth button cache card chart client config context data date dialog error event field
    filter form grid hook icon index input item layout link list loader map menu modal model nav
    node page panel parser path query route schema search select service session state store style
    table theme token tree type user util view widget worker
    """.split()  # noqa: SIM905 - as text it can be read
)
EXTENSIONS: Final = (".ts", ".ts", ".ts", ".tsx", ".tsx", ".js", ".css", ".test.ts")


@dataclass(frozen=True, slots=True)
class Shape:
    """The arguments that decide what a tree holds."""

    packages: int
    files_per_package: int
    outputs: int = 1
    bytes_mean: int = 2048
    deps_per_package: int = 3
    seed: int = 1

    def __post_init__(self) -> None:
        if self.packages < 1 or self.bytes_mean < 1:
            raise ValueError("a tree needs a package and files a mean size of a byte or more")
        if not 0 <= self.outputs <= self.files_per_package:
            raise ValueError("outputs are copies of source files: there cannot be more of them")

    @property
    def ignored_files(self) -> int:
        """How many files `node_modules` holds: a fifth of the sources."""
        return self.packages * self.files_per_package // 5


@dataclass(frozen=True, slots=True)
class SourceFile:
    """One file of a package, its path relative to the package."""

    path: str
    size: int


@dataclass(frozen=True, slots=True)
class Package:
    """One package of the workspace."""

    name: str
    files: tuple[SourceFile, ...]
    dependencies: tuple[str, ...]

    @property
    def folder(self) -> str:
        """Its path in the tree."""
        return f"packages/{self.name}"


@dataclass(frozen=True, slots=True)
class Monorepo:
    """A whole tree, worked out before a byte is written; tools are configured from this alone."""

    shape: Shape
    packages: tuple[Package, ...]

    @property
    def build_command(self) -> str:
        """What the `build` of every package runs, in the package's folder."""
        return "mkdir -p dist && cp -R src/public/. dist/" if self.shape.outputs else "true"

    @property
    def leaf(self) -> Package:
        """A package that no other depends on: after a change in it two tasks have to run."""
        return self.packages[-1]


def plan(shape: Shape) -> Monorepo:
    """Works out every package, file and dependency."""
    rng = random.Random(shape.seed)
    width = max(4, len(str(shape.packages - 1)))
    names = [f"pkg-{number:0{width}}" for number in range(shape.packages)]
    packages = []
    for number, name in enumerate(names):
        chosen = sorted(rng.sample(range(number), min(shape.deps_per_package, number)))
        dependencies = tuple(names[other] for other in chosen)
        packages.append(Package(name, tuple(_plan_files(shape, rng)), dependencies))
    return Monorepo(shape, tuple(packages))


def _plan_files(shape: Shape, rng: random.Random) -> Iterator[SourceFile]:
    """One package's sources: those that `build` copies, then a nested tree."""
    log_mean = math.log(shape.bytes_mean) - SIZE_SIGMA**2 / 2

    def size() -> int:
        return max(1, round(rng.lognormvariate(log_mean, SIZE_SIGMA)))

    for number in range(shape.outputs):
        yield SourceFile(f"src/public/asset-{number:03}.js", size())
    nested = shape.files_per_package - shape.outputs
    folders = ["src"]
    for number in range(nested // FILES_PER_FOLDER):
        parent = rng.choice(folders)
        if parent.count("/") < DEEPEST_FOLDER:
            folders.append(f"{parent}/{rng.choice(WORDS)}-{number}")
    for number in range(nested):
        stem = f"{rng.choice(WORDS)}-{number:03}"
        yield SourceFile(f"{rng.choice(folders)}/{stem}{rng.choice(EXTENSIONS)}", size())
