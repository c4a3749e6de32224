"""Builds a release of pipec and the small programs that it is measured against."""

import json
import os
import platform
import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parents[1]
HERE: Final = ROOT / "benches"
SCRATCH: Final = ROOT / ".cache" / "bench"
TOOLS: Final = ROOT / ".venv" / "bin"


@dataclass(frozen=True, slots=True)
class Built:
    """Where things are: pipec's console script, the interpreter that runs it, the probe, no-op."""

    pipec: Path
    python: Path
    floors: Path
    npm: Path


def build(source: Path = ROOT) -> Built:
    """Builds everything; `source` is the checkout that pipec is built from.

    Raises:
        subprocess.CalledProcessError: something does not compile.
    """
    SCRATCH.mkdir(parents=True, exist_ok=True)
    npm = SCRATCH / "path" / "npm"
    npm.parent.mkdir(exist_ok=True)
    _run("cc", "-O2", "-static", str(HERE / "noop.c"), "-o", str(npm))
    floors = _build_floors(source)
    python = _install_pipec(source)
    return Built(pipec=python.with_name("pipec"), python=python, floors=floors, npm=npm)


def _install_pipec(source: Path) -> Path:
    """A release wheel in an environment of its own: never what `make develop` has built."""
    wheels, environment = SCRATCH / "wheels", SCRATCH / "venv"
    shutil.rmtree(wheels, ignore_errors=True)
    _run(
        *(str(TOOLS / "maturin"), "build", "--release", "--locked", "--quiet"),
        *("--interpreter", str(TOOLS / "python"), "--out", str(wheels)),
        folder=source,
        variables={"CARGO_TARGET_DIR": str(SCRATCH / "target")},
    )
    (wheel,) = wheels.glob("*.whl")
    uv = str(TOOLS / "uv")
    _run(uv, "venv", "--quiet", "--clear", "--python", str(TOOLS / "python"), str(environment))
    python = environment / "bin" / "python"
    locked = source / "requirements" / "dev.txt"
    _run(
        *(uv, "pip", "install", "--quiet", "--compile-bytecode", "--python", str(python)),
        *("--constraint", str(locked), str(wheel)),
    )
    return python


def _build_floors(source: Path) -> Path:
    """The probe, with the C sources of BLAKE3 that come inside the crate that the core uses."""
    done = subprocess.run(
        ["cargo", "metadata", "--format-version", "1", "--locked"],
        cwd=source,
        stdout=subprocess.PIPE,
        check=True,
    )
    packages = json.loads(done.stdout)["packages"]
    manifest = next(each["manifest_path"] for each in packages if each["name"] == "blake3")
    folder = Path(manifest).parent / "c"
    parts = [folder / f"blake3{part}.c" for part in ("", "_dispatch", "_portable")]
    switches: list[str] = []
    match platform.machine():
        case "x86_64":
            parts += sorted(folder.glob("*_x86-64_unix.S"))
        case "aarch64":
            parts.append(folder / "blake3_neon.c")
        case _:
            switches = [f"-DBLAKE3_NO_{name}" for name in ("SSE2", "SSE41", "AVX2", "AVX512")]
    floors = SCRATCH / "floors"
    _run(
        *("cc", "-O3", "-pthread", "-DWITH_BLAKE3", "-I", str(folder), *switches),
        *(str(HERE / "floors.c"), *map(str, parts), "-o", str(floors)),
    )
    return floors


def _run(*arguments: str, folder: Path = ROOT, variables: dict[str, str] | None = None) -> None:
    environment = {**os.environ, **(variables or {})}
    subprocess.run(arguments, cwd=folder, env=environment, check=True)


def describe_source(source: Path = ROOT) -> dict[str, object]:
    """Which commit was built, and whether the checkout held changes beyond it."""

    def git(arguments: Sequence[str]) -> str:
        done = subprocess.run(
            ["git", *arguments], cwd=source, capture_output=True, text=True, check=False
        )
        return done.stdout.strip()

    changed = git(["status", "--porcelain", "--untracked-files=no", "--", "python", "rust"])
    return {"commit": git(["rev-parse", "--short=12", "HEAD"]), "changed": bool(changed)}
