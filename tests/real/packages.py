"""The packages that pipec is tried on: written by others, fetched at test time, and pinned."""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal


@dataclass(frozen=True, slots=True)
class Edit:
    """A change that somebody might make, and the tasks that then have to run, no others."""

    what: str
    path: str
    appended: str
    executed: frozenset[str]


@dataclass(frozen=True, slots=True)
class Package:
    """A package, what of it is left away, and what its pipeline is expected to do.

    `built` are patterns of files that the archive brings although they can be built from it;
    `outputs` are files and folders that the pipeline's tasks own.
    """

    name: str
    registry: Literal["pypi", "npm"]
    requirement: str
    archive: str
    sha256: str
    tasks: frozenset[str]
    outputs: tuple[str, ...]
    edits: tuple[Edit, ...]
    built: tuple[str, ...] = ()

    @property
    def overlay(self) -> Path:
        """The folder with the pipeline that was written for it."""
        return Path(__file__).parent / self.name


TYPESCRIPT = Package(
    name="typescript",
    registry="npm",
    requirement="typescript@5.9.3",
    archive="typescript-5.9.3.tgz",
    sha256="10e108c9cf7d5f2879053dff18515fb405abf2ccef63eaaf017d9c571687a1d3",
    tasks=frozenset(),
    outputs=(),
    edits=(),
)
"""Not tried itself: the compiler that `noble-hashes` needs."""

PACKAGES = (
    Package(
        name="markupsafe",
        registry="pypi",
        requirement="markupsafe==3.0.3",
        archive="markupsafe-3.0.3.tar.gz",
        sha256="722695808f4b6457b320fdc131280796bdceb04ab50fe1795cd540799ebe1698",
        tasks=frozenset({"extension", "package", "test", "wheel"}),
        outputs=("build/extension", "build/lib", "build/current", "build/reports", "dist"),
        edits=(
            Edit(
                "a comment in C: the extension comes out the same, so what uses it stays",
                "src/markupsafe/_speedups.c",
                "\n/* The end. */\n",
                frozenset({"extension", "wheel"}),
            ),
            Edit(
                "a line of Python",
                "src/markupsafe/__init__.py",
                "\nEDITED = True\n",
                frozenset({"package", "test", "wheel"}),
            ),
            Edit("a test", "tests/test_escape.py", "\n# The end.\n", frozenset({"test"})),
            Edit("a page that nothing declares", "CHANGES.rst", "\nThe end.\n", frozenset()),
        ),
    ),
    Package(
        name="idna",
        registry="pypi",
        requirement="idna==3.20",
        archive="idna-3.20.tar.gz",
        sha256="a7db850025b95ded1eae8a46181a1a6c56c92c96f0e2b005d9ff8dc0210cab44",
        tasks=frozenset({"test.uts46", "test.unit", "test.cli", "wheel", "smoke"}),
        outputs=("build/reports", "build/smoke.txt", "dist"),
        edits=(
            Edit(
                "the command line: only its tests and what is packed",
                "idna/cli.py",
                "\n# The end.\n",
                frozenset({"test.cli", "wheel", "smoke"}),
            ),
            Edit("one test", "tests/test_idna_cli.py", "\n# The end.\n", frozenset({"test.cli"})),
            Edit(
                "a page that is packed", "README.md", "\nThe end.\n", frozenset({"wheel", "smoke"})
            ),
        ),
    ),
    Package(
        name="noble-hashes",
        registry="npm",
        requirement="@noble/hashes@1.8.0",
        archive="noble-hashes-1.8.0.tgz",
        sha256="e8a765d92c04faaccba8776411c5038cb195f812ee629fce07e1d2e6aec80ea0",
        tasks=frozenset({"compile.esm", "compile.cjs", "pack", "check"}),
        outputs=(
            "esm/sha2.js",
            "esm/utils.js",
            "index.js",
            "build/noble-hashes-1.8.0.tgz",
            "build/latest.tgz",
            "build/reports",
        ),
        edits=(
            Edit(
                "white space in a setting: the same JavaScript comes out, nothing is packed again",
                "tsconfig.cjs.json",
                "\n\n",
                frozenset({"compile.cjs"}),
            ),
            Edit(
                "a line of TypeScript",
                "src/sha2.ts",
                "\nexport const edited = true;\n",
                frozenset({"compile.esm", "compile.cjs", "pack", "check"}),
            ),
            Edit("the comparison", "check.mjs", "\n// The end.\n", frozenset({"check"})),
        ),
        built=("*.js", "*.js.map", "*.d.ts", "*.d.ts.map", "esm/*.js", "esm/*.map", "esm/*.d.ts"),
    ),
)
