"""What a task sees of the host."""

from pathlib import Path

import pytest

from pipec.codes import Code
from pipec.errors import SpecError
from pipec.ir import EnvFile, Literal, Pipeline, Requirements, Secret, Variable, encode
from pipec.ir.job import Job, JobId
from pipec.plan.select import select
from pipec.runtime.environment import host_part, layers
from pipec.runtime.request import RunRequest
from tests.unit.runtime.rig import shell

HOST = {
    "PATH": "/bin",
    "HOME": "/h",
    "SECRET": "s",
    "AWS_KEY": "k",
    "AWS_ID": "i",
    "GITHUB_TOKEN": "t",
    "ACTIONS_RUNTIME_TOKEN": "r",
    "ACTIONS_ID_TOKEN_REQUEST_URL": "u",
    "PIPEC_MATRIX_OLD": "o",
}


def test_a_loose_task_sees_the_host_without_the_runners_credentials() -> None:
    seen = host_part(shell("a", "true"), HOST)
    assert seen.keys() == {"PATH", "HOME", "SECRET", "AWS_KEY", "AWS_ID"}


def test_a_strict_task_sees_the_basics_and_what_it_names() -> None:
    task = shell("a", "true", env_mode="strict", env_inputs=("AWS_*",))
    assert host_part(task, HOST).keys() == {"PATH", "HOME", "AWS_KEY", "AWS_ID"}


@pytest.mark.parametrize("mode", ["loose", "strict"])
def test_a_credential_passes_by_its_name_and_by_no_pattern(mode: str) -> None:
    by_pattern = shell("a", "true", env_mode=mode, env_inputs=("GITHUB_*", "ACTIONS_*"))
    assert "GITHUB_TOKEN" not in host_part(by_pattern, HOST)
    by_name = shell("a", "true", env_mode=mode, env_inputs=("GITHUB_TOKEN",))
    assert host_part(by_name, HOST)["GITHUB_TOKEN"] == "t"
    required = shell("a", "true", env_mode=mode, requires=Requirements(secrets=("GITHUB_TOKEN",)))
    assert host_part(required, HOST)["GITHUB_TOKEN"] == "t"


def request_for(folder: Path, pipeline: Pipeline) -> RunRequest:
    return RunRequest(
        root=str(folder),
        pipeline=pipeline,
        pipeline_bytes=encode(pipeline),
        plan=select(pipeline, ["j"]),
        platform="linux-x86_64",
        host_env={},
    )


def test_env_files_lie_below_the_pipeline_and_that_below_the_job(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text('A=1\nexport B="two words"\n# C=3\nD=${A}\n')
    job = Job(id=JobId("j"), targets=("a",), env={"K": Secret(secret="S")})
    pipeline = Pipeline(
        name="p",
        tasks={"a": shell("a", "true")},
        jobs={job.id: job},
        env={"V": Variable(var="X", default="d"), "L": Literal(value="l")},
        env_files=(EnvFile(path=".env"), EnvFile(path="no.env", optional=True)),
    )
    assert layers(request_for(tmp_path, pipeline)) == [
        {"A": "1", "B": "two words", "D": "${A}"},
        {},
        {"V": {"var": "X", "default": "d"}, "L": "l"},
        {"K": {"secret": "S"}},
    ]


def test_an_env_file_that_must_be_there_is_named(tmp_path: Path) -> None:
    pipeline = Pipeline(
        name="p",
        tasks={"a": shell("a", "true")},
        jobs={JobId("j"): Job(id=JobId("j"), targets=("a",))},
        env_files=(EnvFile(path="no.env"),),
    )
    with pytest.raises(SpecError) as caught:
        layers(request_for(tmp_path, pipeline))
    assert caught.value.code is Code.MISSING_ENV_FILE
    assert caught.value.message == "the env file `no.env` does not exist"
