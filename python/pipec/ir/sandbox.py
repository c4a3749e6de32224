"""Where tasks run: sandboxes, and the profiles that choose one."""

from dataclasses import dataclass
from typing import Literal

Extent = Literal["declared", "all"]
Provider = Literal["", "auto", "docker", "podman", "apple-container", "lima"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Volume:
    """A folder of the host in a container."""

    source: str
    target: str
    readonly: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class ContainerSandbox:
    """An image to run in. `docker` is Docker's; the provider of a `container` is the profile's."""

    kind: Literal["docker", "container"]
    image: str
    workdir: str = "/workspace"
    volumes: tuple[Volume, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class LimaSandbox:
    """A virtual machine; an empty name is Lima's default."""

    kind: Literal["lima"] = "lima"
    vm: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class LocalSandbox:
    """The operating system's own confinement."""

    kind: Literal["local"] = "local"
    read: Extent = "declared"
    write: Extent = "declared"
    network: bool = False


Sandbox = ContainerSandbox | LimaSandbox | LocalSandbox


@dataclass(frozen=True, slots=True, kw_only=True)
class Profile:
    """How a job is executed. An empty `sandbox` is none; an empty `provider` leaves it open."""

    target: Literal["local", "github"]
    sandbox: str = ""
    provider: Provider = ""
    runs_on: tuple[str, ...] = ()

    @property
    def is_confined(self) -> bool:
        """Whether it asks for more than the machine as it is."""
        return bool(self.sandbox or self.provider)
