"""Environment values, §5 of the language."""

from typing import Annotated, ClassVar, Self

from pydantic import Tag, model_validator

from pipec.codes import Code
from pipec.spec.base import Spec, by_form, by_key, refusal
from pipec.spec.paths import Path
from pipec.spec.scalars import EnvName


class LiteralValue(Spec):
    """A text, with a say in whether it enters the key."""

    noun: ClassVar[str] = "an environment value"

    value: str
    """The text.

    value = "production"
    """
    in_key: bool = True
    """Whether a change of the value makes the task run again.

    in-key = false
    """


class SecretValue(Spec):
    """A secret of the host: masked in everything that is printed or stored."""

    noun: ClassVar[str] = "a secret"

    secret: EnvName
    """The host's variable that holds it.

    secret = "NPM_TOKEN"
    """
    in_key: bool = False
    """Whether a change of the secret makes the task run again.

    in-key = true
    """


class VariableValue(Spec):
    """A variable of the host, or one entry of a map that it selects."""

    noun: ClassVar[str] = "a variable"

    var: EnvName
    """The host's variable.

    var = "NODE_ENV"
    """
    default: str | None = None
    """The value, or the selector, when the variable is missing or empty.

    default = "dev"
    """
    map: dict[str, str] | None = None
    """From values of the variable to values of the environment.

    map = { prod = "https://api.example.com", dev = "http://localhost:8080" }
    """
    in_key: bool = True
    """Whether a change of the value makes the task run again.

    in-key = false
    """

    @model_validator(mode="after")
    def _default_selects(self) -> Self:
        if self.map is not None and self.default is not None and self.default not in self.map:
            message = f"the map has no entry for the default `{self.default}`"
            raise refusal(Code.INVALID_VALUE, message, key="default", beside="map")
        return self


EnvValue = Annotated[
    Annotated[str, Tag("text")]
    | Annotated[LiteralValue, Tag("value")]
    | Annotated[SecretValue, Tag("secret")]
    | Annotated[VariableValue, Tag("var")],
    by_form(
        by_key("secret", "var", "value", text=True),
        "an environment value is text, or a table with `secret`, `var` or `value`",
    ),
]
Env = dict[EnvName, EnvValue]


class EnvFileSpec(Spec):
    """A dotenv file that may be missing."""

    noun: ClassVar[str] = "an environment file"

    path: Path
    """The file, relative to the pipeline's folder.

    path = ".env.local"
    """
    optional: bool = False
    """Whether it may be missing.

    optional = true
    """


EnvFile = Annotated[
    Annotated[Path, Tag("text")] | Annotated[EnvFileSpec, Tag("path")],
    by_form(by_key("path", text=True), "an environment file is a path, or a table with `path`"),
]
