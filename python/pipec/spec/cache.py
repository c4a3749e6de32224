"""Where results are kept, §9 of the language."""

import re
from typing import Annotated, ClassVar, Literal, Self

from pydantic import AfterValidator, ConfigDict, Field, Tag, model_validator

from pipec.codes import Code
from pipec.spec.base import ONE_KEY, Spec, by_form, by_key, by_type, refusal
from pipec.spec.scalars import ID, Duration, EnvName, Id, Size, Text, text_like

POLICIES = ("local", "session", "read", "read-write")
PolicyName = Literal["local", "session", "read", "read-write"]


def _reference(value: str) -> str:
    store, colon, policy = value.partition(":")
    if not re.fullmatch(ID, store, re.ASCII) or (colon and policy not in POLICIES):
        advice = f"write `store` or `store:policy`; a policy is {_listed(POLICIES)}"
        raise refusal(Code.INVALID_VALUE, f"`{value}` is not a cache reference", advice=advice)
    return value


def _listed(words: tuple[str, ...]) -> str:
    return ", ".join(f"`{word}`" for word in words[:-1]) + f" or `{words[-1]}`"


CacheReference = Annotated[
    str, AfterValidator(_reference), text_like(f"^{ID}(:({'|'.join(POLICIES)}))?$")
]


class TaskCacheSpec(Spec):
    """How one task is cached."""

    noun: ClassVar[str] = "a task's cache"

    store: Id | None = None
    """The store; the pipeline's default unless given.

    store = "team"
    """
    policy: PolicyName | None = None
    """Who may use the results.

    policy = "read"
    """
    ttl: Duration | None = None
    """How long a result is good, from the time it was made.

    ttl = "7d"
    """
    salt: str = ""
    """A text that enters the key: changing it makes the task run again.

    salt = "2"
    """
    outputs_only: bool = False
    """Keep the outputs, and not the log.

    outputs-only = true
    """


TaskCache = Annotated[
    Annotated[bool, Tag("bool")]
    | Annotated[CacheReference, Tag("text")]
    | Annotated[TaskCacheSpec, Tag("table")],
    by_form(
        by_type(bool=bool, text=str, table=dict),
        "`cache` is true, false, a reference such as `file:local`, or a table",
    ),
]


class EnvText(Spec):
    """A text that a variable of the host holds."""

    noun: ClassVar[str] = "a variable"

    env: EnvName
    """The host's variable.

    env = "REDIS_URL"
    """


TextOrEnv = Annotated[
    Annotated[Text, Tag("text")] | Annotated[EnvText, Tag("env")],
    by_form(by_key("env", text=True), "expected text, or a table with `env`"),
]


class FileStore(Spec):
    """A folder."""

    noun: ClassVar[str] = "a file store"

    root: Text = ".pipec/cache"
    """The folder, relative to the pipeline's.

    root = "/var/cache/pipec"
    """
    max_size: Size | None = None
    """What `pipec gc` shrinks it to.

    max-size = "20GiB"
    """


class MemoryStore(Spec):
    """The memory of one process."""

    noun: ClassVar[str] = "a memory store"


class RedisStore(Spec):
    """A Redis server."""

    noun: ClassVar[str] = "a Redis store"

    url: TextOrEnv
    """Where it is.

    url = { env = "REDIS_URL" }
    """
    key_prefix: str = ""
    """What its keys begin with.

    key-prefix = "pipec:"
    """


class HttpStore(Spec):
    """An HTTP server that takes GET and PUT."""

    noun: ClassVar[str] = "an HTTP store"

    url: TextOrEnv
    """Where it is.

    url = "https://cache.example.com/pipec"
    """


class S3Store(Spec):
    """A bucket."""

    noun: ClassVar[str] = "an S3 store"

    bucket: TextOrEnv
    """The bucket's name.

    bucket = "acme-pipec"
    """
    prefix: str = ""
    """What its keys begin with.

    prefix = "cache/"
    """
    region: str = ""
    """The region.

    region = "eu-west-3"
    """
    endpoint: TextOrEnv | None = None
    """Another server that speaks the same protocol.

    endpoint = "http://localhost:9000"
    """


class ReapiStore(Spec):
    """A server of the remote execution API."""

    noun: ClassVar[str] = "a remote cache"

    endpoint: TextOrEnv
    """Where it is: `grpc://host:port`.

    endpoint = "grpc://localhost:9092"
    """
    instance: str = ""
    """The instance on the server.

    instance = "main"
    """


class StoreSpec(Spec):
    """One store: exactly one kind."""

    model_config = ConfigDict(json_schema_extra=ONE_KEY)

    noun: ClassVar[str] = "a store"

    file: FileStore | None = None
    """A folder.

    file = { root = "/var/cache/pipec", max-size = "20GiB" }
    """
    memory: MemoryStore | None = None
    """The memory of one process.

    memory = {}
    """
    redis: RedisStore | None = None
    """A Redis server.

    redis = { url = { env = "REDIS_URL" } }
    """
    http: HttpStore | None = None
    """An HTTP server.

    http = { url = "https://cache.example.com/pipec" }
    """
    s3: S3Store | None = None
    """A bucket.

    s3 = { bucket = "acme-pipec", region = "eu-west-3" }
    """
    reapi: ReapiStore | None = None
    """A server of the remote execution API.

    reapi = { endpoint = "grpc://localhost:9092" }
    """
    layered: Annotated[list[Id], Field(min_length=1)] | None = None
    """Other stores, near to far.

    layered = ["file", "team"]
    """

    @model_validator(mode="after")
    def _one_kind(self) -> Self:
        kinds = [key for key in self.keys() if key in self.model_fields_set]
        if not kinds:
            message = f"a store needs a kind: {_listed(self.keys())}"
            raise refusal(Code.MISSING_FIELD, message)
        if len(kinds) > 1:
            message = f"a store has one kind, and this one has `{kinds[0]}` and `{kinds[1]}`"
            raise refusal(Code.CONFLICTING_FIELDS, message, key=kinds[1], beside=kinds[0])
        return self


class CacheRegistry(Spec):
    """The stores of the pipeline and the default reference."""

    noun: ClassVar[str] = "the cache"

    default: CacheReference = "file:local"
    """What `cache = true` means.

    default = "team:read"
    """
    stores: dict[Id, StoreSpec] = Field(default_factory=dict)
    """Stores by name; `file` and `memory` always exist.

    stores = { team = { redis = { url = { env = "REDIS_URL" } } } }
    """


Cache = Annotated[
    Annotated[CacheReference, Tag("text")] | Annotated[CacheRegistry, Tag("table")],
    by_form(
        by_type(text=str, table=dict),
        "`cache` is a reference such as `file:local`, or a table with `stores`",
    ),
]
