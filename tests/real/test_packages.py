"""Real packages, built and tested through pipec: cold, warm, moved, edited, with outputs lost."""

import shutil
import stat
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.real.packages import PACKAGES, Edit, Package
from tests.real.workshop import Workshop
from tests.recorded import Recorded, record_of

pytestmark = [pytest.mark.real, pytest.mark.timeout(900)]


@dataclass(frozen=True, slots=True)
class Checkout:
    """A package laid out in a folder."""

    package: Package
    folder: Path
    workshop: Workshop

    def verify(self) -> Recorded:
        """Runs the package's `verify` job, which has to pass."""
        env = self.workshop.environment(self.folder.parent / "home")
        run = record_of(self.folder, "verify", env=env)
        assert run.exit_code == 0, run.text
        return run

    def outputs(self) -> dict[str, tuple[int, bytes]]:
        """Every output: its mode, and its content or the target of the link."""
        return dict(self._look(path) for top in self.package.outputs for path in self._below(top))

    def lose_outputs(self) -> None:
        """Deletes every output."""
        for top in self.package.outputs:
            path = self.folder / top
            if path.is_dir() and not path.is_symlink():
                shutil.rmtree(path)
            else:
                path.unlink()

    def _below(self, top: str) -> list[Path]:
        path = self.folder / top
        return [path, *path.rglob("*")] if path.is_dir() and not path.is_symlink() else [path]

    def _look(self, path: Path) -> tuple[str, tuple[int, bytes]]:
        name, mode = path.relative_to(self.folder).as_posix(), path.lstat().st_mode
        if path.is_symlink():
            return name, (mode, str(path.readlink()).encode())
        return name, (mode, b"" if path.is_dir() else path.read_bytes())


def of_each_package() -> list:
    """Every package."""
    return [pytest.param(package, id=package.name) for package in PACKAGES]


def of_each_edit() -> list:
    """Every edit of every package."""
    return [
        pytest.param(package, edit, id=f"{package.name}-{Path(edit.path).name}")
        for package in PACKAGES
        for edit in package.edits
    ]


@pytest.fixture(scope="session")
def workshop() -> Workshop:
    return Workshop.open()


@pytest.fixture(scope="session")
def built() -> dict[str, tuple[Checkout, Recorded]]:
    """Package → its checkout after a cold run, and that run. Filled by `cold`."""
    return {}


@pytest.fixture
def cold(
    package: Package,
    built: dict[str, tuple[Checkout, Recorded]],
    workshop: Workshop,
    tmp_path_factory: pytest.TempPathFactory,
) -> tuple[Checkout, Recorded]:
    """The package after its first run; tests leave it as it is."""
    if package.name not in built:
        folder = tmp_path_factory.mktemp(package.name) / "cold"
        workshop.lay_out(package, folder)
        checkout = Checkout(package, folder, workshop)
        built[package.name] = checkout, checkout.verify()
    return built[package.name]


@pytest.fixture
def checkout(cold: tuple[Checkout, Recorded], tmp_path: Path) -> Checkout:
    """A copy of the built package, with pipec's state, in a folder of another name."""
    original, _ = cold
    folder = tmp_path / "moved"
    shutil.copytree(original.folder, folder, symlinks=True)
    return Checkout(original.package, folder, original.workshop)


@pytest.mark.parametrize("package", of_each_package())
def test_a_cold_run_executes_every_task(package: Package, cold: tuple[Checkout, Recorded]) -> None:
    _, run = cold
    assert run.executed == package.tasks
    assert run.status == dict.fromkeys(package.tasks, "passed")


@pytest.mark.parametrize("package", of_each_package())
def test_a_warm_run_executes_nothing(package: Package, cold: tuple[Checkout, Recorded]) -> None:
    original, _ = cold
    outputs = original.outputs()
    run = original.verify()
    assert run.executed == frozenset()
    assert run.status == dict.fromkeys(package.tasks, "cached")
    assert original.outputs() == outputs


@pytest.mark.parametrize("package", of_each_package())
def test_a_moved_checkout_keeps_its_hits(package: Package, checkout: Checkout) -> None:
    assert checkout.verify().status == dict.fromkeys(package.tasks, "cached")


@pytest.mark.parametrize(("package", "edit"), of_each_edit())
def test_an_edit_executes_what_it_must(package: Package, edit: Edit, checkout: Checkout) -> None:
    path = checkout.folder / edit.path
    path.write_bytes(path.read_bytes() + edit.appended.encode())
    run = checkout.verify()
    assert run.executed == edit.executed, edit.what
    others = package.tasks - edit.executed
    assert {task: run.status[task] for task in others} == dict.fromkeys(others, "cached")


@pytest.mark.parametrize("package", of_each_package())
def test_lost_outputs_are_restored_exactly(package: Package, checkout: Checkout) -> None:
    outputs = checkout.outputs()
    assert any(stat.S_ISLNK(mode) for mode, _ in outputs.values())
    checkout.lose_outputs()
    run = checkout.verify()
    assert run.executed == frozenset()
    assert checkout.outputs() == outputs


@pytest.mark.parametrize("package", of_each_package())
def test_damaged_outputs_are_restored_exactly(package: Package, checkout: Checkout) -> None:
    outputs = checkout.outputs()
    for name, (mode, _) in outputs.items():
        path = checkout.folder / name
        if path.is_symlink():
            path.unlink()
            path.write_text("not a link")
        elif path.is_file():
            path.write_bytes(b"damaged")
            path.chmod(mode ^ 0o100)
    run = checkout.verify()
    assert run.executed == frozenset()
    assert checkout.outputs() == outputs
