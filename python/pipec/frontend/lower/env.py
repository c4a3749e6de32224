"""Environment values in their normal form."""

from collections.abc import Mapping, Sequence

from pipec.ir.env import EnvFile, EnvValue, Literal, Secret, Variable
from pipec.spec.env import EnvFileSpec, LiteralValue, SecretValue, VariableValue


def lower_env(
    values: Mapping[str, str | LiteralValue | SecretValue | VariableValue],
) -> dict[str, EnvValue]:
    """Environment values by name, in the order of their names."""
    return {name: _lower_value(values[name]) for name in sorted(values)} if values else {}


def _lower_value(value: str | LiteralValue | SecretValue | VariableValue) -> EnvValue:
    if isinstance(value, str):
        return Literal(value=value)
    if isinstance(value, LiteralValue):
        return Literal(value=value.value, in_key=value.in_key)
    if isinstance(value, SecretValue):
        return Secret(secret=value.secret, in_key=value.in_key)
    mapping = None if value.map is None else dict(sorted(value.map.items()))
    return Variable(var=value.var, default=value.default, map=mapping, in_key=value.in_key)


def lower_env_files(files: Sequence[str | EnvFileSpec]) -> tuple[EnvFile, ...]:
    """The dotenv files, in the order in which they are read."""
    return tuple(
        EnvFile(path=file)
        if isinstance(file, str)
        else EnvFile(path=file.path, optional=file.optional)
        for file in files
    )
