"""Generates the monorepos that the benchmarks run on: the same arguments give the same bytes.

    python -m benches.monorepo --packages 50 --files-per-package 40 --emit pipec,turbo --out TREE

What is in a tree:

    package.json  package-lock.json  .gitignore  .monorepo.json
    node_modules/dep-0000/**             ignored; a fifth as many files as there are sources
    node_modules/pkg-0000                link to packages/pkg-0000, as npm makes it for a workspace
    packages/pkg-0000/package.json       scripts, and dependencies on other packages
    packages/pkg-0000/src/**             --files-per-package files, nested, sizes log-normal
    packages/pkg-0000/src/public/*       the --outputs of these that `build` copies
    packages/pkg-0000/dist/*             ignored; what `build` makes
    packages/pkg-0000/node_modules/      ignored

A package has two tasks. `build` copies `src/public` to `dist` (or is `true`, with `--outputs 0`)
after the builds of the packages it depends on; `test` is `true`, after its own build. Both have
`src/**` and `package.json` as inputs. A package depends only on packages with a smaller number, so
there is no cycle, and the last one is a leaf that no other waits for.
"""

import argparse
import sys
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Final

from benches.emitters import EMITTERS
from benches.plan import Monorepo, Shape, plan
from benches.tree import TreeWriter, write_files, write_manifests

MARKER: Final = ".monorepo.json"
"""The file by which a complete tree is known: written last, it holds the arguments, and which file
is to be edited so that two tasks have to run."""


def make(shape: Shape, out: Path, emit: Sequence[str]) -> Monorepo:
    """Writes a tree for the tools named in `emit` into a folder that must not exist yet.

    Raises:
        FileExistsError: the folder exists.
        KeyError: a tool is not known.
    """
    out.mkdir(parents=True)
    repo = plan(shape)
    writer = TreeWriter(out.resolve())
    write_files(repo, writer)
    write_manifests(repo, writer)
    for name in emit:
        EMITTERS[name](repo, writer)
    edited = f"{repo.leaf.folder}/{repo.leaf.files[-1].path}"
    writer.write_json(MARKER, {"shape": asdict(shape), "edited": edited})
    return repo


def main(arguments: Sequence[str] | None = None) -> int:
    """The command line: makes one tree."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add = parser.add_argument
    add("--packages", type=int, required=True, metavar="N")
    add("--files-per-package", type=int, required=True, metavar="N")
    add("--outputs", type=int, default=1, metavar="N", help="files that a build makes (default 1)")
    add("--bytes-mean", type=int, default=2048, metavar="N", help="of a source (default 2048)")
    add("--deps-per-package", type=int, default=3, metavar="N", help="default 3")
    add("--seed", type=int, default=1, metavar="N", help="another seed gives another tree")
    add("--emit", default="pipec", metavar="A,B", help=f"of {','.join(EMITTERS)} (default pipec)")
    add("--out", type=Path, required=True, metavar="DIR", help="must not exist")
    options = vars(parser.parse_args(arguments))
    out: Path = options.pop("out")
    emit = [name for name in options.pop("emit").split(",") if name]
    if unknown := sorted(set(emit) - EMITTERS.keys()):
        parser.error(f"unknown tools: {', '.join(unknown)}")
    try:
        make(Shape(**options), out, emit)
    except (ValueError, FileExistsError) as error:
        parser.error(str(error))
    return 0


if __name__ == "__main__":
    sys.exit(main())
