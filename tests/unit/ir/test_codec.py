"""A pipeline read back from its canonical bytes is the pipeline that was written."""

import pytest

from pipec.ir.codec import decode, encode
from pipec.ir.env import EnvValue, Literal, Secret, Variable
from pipec.ir.pipeline import Pipeline


@pytest.mark.parametrize(
    "value",
    [
        Literal(value="text"),
        Literal(value="text", in_key=False),
        Secret(secret="TOKEN"),
        Variable(var="REGION"),
        Variable(var="REGION", default="eu", map={"eu": "https://eu", "us": "https://us"}),
    ],
)
def test_an_environment_value_is_read_back(value: EnvValue) -> None:
    pipeline = Pipeline(name="p", env={"NAME": value})
    assert decode(encode(pipeline)) == pipeline
