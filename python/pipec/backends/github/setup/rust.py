"""Rust, with the rustup that GitHub's runners have."""

from dataclasses import replace

from pipec.backends.github.facts import Facts
from pipec.backends.github.model import Step
from pipec.backends.github.setup.provider import Provider, install_steps, with_version
from pipec.ir.sync_github import Toolchain


def _resolve(toolchain: Toolchain, facts: Facts) -> Toolchain:
    files = ["rust-toolchain.toml", "rust-toolchain"]
    toolchain = with_version(toolchain, facts, files=files, default="stable")
    return replace(toolchain, install=toolchain.install or ())


def _steps(toolchain: Toolchain, caches: bool) -> tuple[Step, ...]:  # noqa: FBT001
    if toolchain.version_file:
        # rustup reads the file itself.
        step = Step(name="Set up Rust", run="rustup toolchain install")
    else:
        step = Step(
            name="Set up Rust",
            env={"RUST_VERSION": toolchain.version},
            run='rustup toolchain install "$RUST_VERSION" --profile minimal '
            "--component clippy,rustfmt\n"
            'rustup default "$RUST_VERSION"\n',
        )
    return (step, *install_steps(toolchain, "Rust"))


PROVIDER = Provider(
    name="rust",
    is_needed=lambda facts: facts.has("Cargo.toml"),
    resolve=_resolve,
    steps=_steps,
)
