"""Compares packed packages by what is in them: packers compress the same files otherwise."""

import hashlib
import io
import tarfile


def differences(one: bytes, other: bytes) -> list[str]:
    """The files in which two packed packages differ, or that only one of them has.

    Raises:
        ValueError: one of them is no packed package.
    """
    ours, theirs = _members(one), _members(other)
    return sorted(name for name in {*ours, *theirs} if ours.get(name) != theirs.get(name))


def _members(archive: bytes) -> dict[str, tuple[int, str]]:
    try:
        with tarfile.open(fileobj=io.BytesIO(archive), mode="r:*") as tar:
            found = {}
            for member in tar:
                file = tar.extractfile(member) if member.isfile() else None
                content = file.read() if file is not None else member.linkname.encode()
                name = member.name.partition("/")[2]
                is_program = member.mode & 0o111
                found[name] = (is_program, hashlib.sha256(content).hexdigest())
            return found
    except tarfile.TarError as error:
        raise ValueError(str(error)) from None
