"""Steps, §4.1 of the language."""

from typing import Annotated, Any, ClassVar, Literal, Self

from pydantic import AfterValidator, Field, Tag, model_validator

from pipec.codes import Code
from pipec.spec.base import Spec, by_form, by_key, by_type, refusal
from pipec.spec.env import Env
from pipec.spec.paths import Path
from pipec.spec.scalars import Duration, EnvName, PlainTable, Text, text_like

ShellName = Literal["sh", "bash", "pwsh", "cmd"]
Shell = Annotated[
    Annotated[ShellName, Tag("text")] | Annotated[list[Text], Field(min_length=1), Tag("argv")],
    by_form(
        by_type(text=str, argv=list),
        "a shell is `sh`, `bash`, `pwsh`, `cmd`, or a list of a program and its arguments",
    ),
]


class ShellStepSpec(Spec):
    """A command for a shell."""

    noun: ClassVar[str] = "a shell step"

    sh: Text
    """The command.

    sh = "pnpm build"
    """
    name: Text | None = None
    """What reports call the step.

    name = "Bundle"
    """
    cwd: Path | None = None
    """Its folder, relative to the pipeline's; the task's unless given.

    cwd = "web"
    """
    env: Env = Field(default_factory=dict)
    """Environment of this step, over the task's.

    env = { CI = "1" }
    """
    shell: Shell | None = None
    """The shell; the task's unless given.

    shell = ["zsh", "-c"]
    """
    timeout: Duration | None = None
    """How long it may take.

    timeout = "90s"
    """


def _program(value: list[str]) -> list[str]:
    if not value or not value[0]:
        raise refusal(Code.INVALID_VALUE, "`argv` names no program")
    return value


class ArgvStepSpec(Spec):
    """A program with arguments, and no shell between."""

    noun: ClassVar[str] = "a program step"

    argv: Annotated[list[str], AfterValidator(_program), Field(json_schema_extra={"minItems": 1})]
    """The program and its arguments.

    argv = ["node", "check it.mjs"]
    """
    name: Text | None = None
    """What reports call the step.

    name = "Check"
    """
    cwd: Path | None = None
    """Its folder, relative to the pipeline's; the task's unless given.

    cwd = "web"
    """
    env: Env = Field(default_factory=dict)
    """Environment of this step, over the task's.

    env = { CI = "1" }
    """
    timeout: Duration | None = None
    """How long it may take.

    timeout = "90s"
    """


def _function(value: str) -> str:
    module, colon, name = value.partition(":")
    if colon and name.isidentifier() and all(part.isidentifier() for part in module.split(".")):
        return value
    advice = "write it as `package.module:function`"
    raise refusal(Code.INVALID_VALUE, f"`{value}` is not a function", advice=advice)


Function = Annotated[str, AfterValidator(_function), text_like(r"^[^\s.:]+(\.[^\s.:]+)*:[^\s.:]+$")]


class DynamicStepSpec(Spec):
    """A Python function that returns the steps to run."""

    noun: ClassVar[str] = "a dynamic step"

    dynamic: Function
    """The function, as `package.module:function`.

    dynamic = "tools.steps:link"
    """
    with_: PlainTable = Field(default_factory=dict)
    """Its arguments.

    with = { packages = ["ui", "icons"] }
    """
    name: Text | None = None
    """What reports call the step.

    name = "Link"
    """
    timeout: Duration | None = None
    """How long it may take.

    timeout = "1m"
    """


class CallStepSpec(Spec):
    """A Python function that does the work."""

    noun: ClassVar[str] = "a call step"

    call: Function
    """The function, as `package.module:function`.

    call = "tools.steps:report"
    """
    with_: PlainTable = Field(default_factory=dict)
    """Its arguments.

    with = { title = "Nightly" }
    """
    name: Text | None = None
    """What reports call the step.

    name = "Report"
    """
    timeout: Duration | None = None
    """How long it may take.

    timeout = "1m"
    """


class SelectedText(Spec):
    """A text that a variable of the host decides."""

    noun: ClassVar[str] = "a variable"

    var: EnvName
    """The host's variable.

    var = "AGENT_MODEL"
    """
    default: str | None = None
    """The text when the variable is missing or empty.

    default = "small"
    """


TextOrVariable = Annotated[
    Annotated[Text, Tag("text")] | Annotated[SelectedText, Tag("var")],
    by_form(by_key("var", text=True), "expected text, or a table with `var`"),
]


class AgentStepSpec(Spec):
    """A prompt for an agent's command line."""

    noun: ClassVar[str] = "an agent step"

    agent: TextOrVariable
    """The profile of the agent, of `[agents]`.

    agent = "claude"
    """
    prompt: Text | None = None
    """The prompt.

    prompt = "Summarize the changes since the last tag"
    """
    prompt_file: Path | None = None
    """A file that holds the prompt.

    prompt-file = "prompts/summary.md"
    """
    model: TextOrVariable | None = None
    """The model; the profile's unless given.

    model = { var = "AGENT_MODEL", default = "small" }
    """
    stdout_to: Path | None = None
    """A file in the task's folder that takes what the agent prints.

    stdout-to = "out/summary.md"
    """
    name: Text | None = None
    """What reports call the step.

    name = "Summary"
    """
    timeout: Duration | None = None
    """How long it may take.

    timeout = "10m"
    """

    @model_validator(mode="after")
    def _one_prompt(self) -> Self:
        if self.prompt is not None and self.prompt_file is not None:
            message = "an agent step has `prompt` or `prompt-file`, not both"
            raise refusal(Code.CONFLICTING_FIELDS, message, key="prompt-file", beside="prompt")
        if self.prompt is None and self.prompt_file is None:
            message = "an agent step needs `prompt` or `prompt-file`"
            raise refusal(Code.MISSING_FIELD, message)
        return self


Step = Annotated[
    Annotated[Text, Tag("text")]
    | Annotated[ShellStepSpec, Tag("sh")]
    | Annotated[ArgvStepSpec, Tag("argv")]
    | Annotated[DynamicStepSpec, Tag("dynamic")]
    | Annotated[CallStepSpec, Tag("call")]
    | Annotated[AgentStepSpec, Tag("agent")],
    by_form(
        by_key("sh", "argv", "dynamic", "call", "agent", text=True),
        "a step is a command, or a table with `sh`, `argv`, `dynamic`, `call` or `agent`",
    ),
]


def _run_form(value: Any) -> str:
    return "list" if isinstance(value, list) else "one"


Run = Annotated[
    Annotated[list[Step], Tag("list")] | Annotated[Step, Tag("one")],
    by_form(_run_form, "expected a step or a list of steps"),
]
