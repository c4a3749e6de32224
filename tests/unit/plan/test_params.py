"""What a job's parameters accept."""

import pytest

from pipec.codes import Code
from pipec.errors import PlanError
from pipec.ir import Job, Param, Pipeline, Task
from pipec.plan.params import bind_params
from pipec.plan.select import select

PARAMS = {
    "name": Param(default="world"),
    "count": Param(type="int", default="1"),
    "loud": Param(type="bool", default="false"),
    "size": Param(type="choice", choices=("s", "m"), default="s"),
}


def bind(given, params=PARAMS, target="greet"):
    pipeline = Pipeline(
        name="p",
        tasks={"hello": Task(id="hello")},
        jobs={"greet": Job(id="greet", targets=("hello",), params=params)},
    )
    return bind_params(pipeline, select(pipeline, [target]), given)


def test_what_is_not_given_has_its_default():
    assert bind({"count": "-3"}) == {"count": "-3", "loud": "false", "name": "world", "size": "s"}


@pytest.mark.parametrize(
    ("given", "code", "message"),
    [
        ({"nmae": "x"}, Code.UNKNOWN_PARAM, "job `greet` has no parameter `nmae`"),
        ({"count": "1.5"}, Code.INVALID_PARAM, "`1.5` is no value for the parameter `count`"),
        ({"count": "²"}, Code.INVALID_PARAM, "`²` is no value for the parameter `count`"),
        ({"loud": "yes"}, Code.INVALID_PARAM, "`yes` is no value for the parameter `loud`"),
        ({"size": "l"}, Code.INVALID_PARAM, "`l` is no value for the parameter `size`"),
    ],
)
def test_a_value_that_does_not_fit_is_refused(given, code, message):
    with pytest.raises(PlanError) as caught:
        bind(given)
    assert caught.value.code is code
    assert caught.value.message.startswith(message)


def test_a_parameter_without_default_must_be_given():
    with pytest.raises(PlanError, match="job `greet` needs a value for its parameter `name`"):
        bind({}, {"name": Param()})
    assert bind({"name": ""}, {"name": Param()}) == {"name": ""}


def test_a_task_has_no_parameters():
    with pytest.raises(PlanError, match="only jobs have parameters"):
        bind({"name": "x"}, target="hello")
