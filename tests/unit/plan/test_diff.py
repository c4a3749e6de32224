"""What is told of a difference, by what it is about, and what it does to keys."""

from pipec.plan.change import Difference
from pipec.plan.diff import diff
from tests.pipelines import pipeline_of

BASE = """
name = "app"
env = { MODE = "a" }
[named-inputs]
source = ["src/**"]
[tasks.build]
cache = true
inputs = ["source"]
outputs = ["dist/**"]
env = { TOKEN = "plain", KEY = { secret = "KEY" } }
run = ["one", "two", "three"]
[tasks.test]
depends-on = ["build"]
run = "test"
[jobs.verify]
target = "test"
"""


def difference(*replacements: tuple[str, str], more: str = "") -> Difference:
    """From the base to the base with some texts replaced."""
    after = BASE
    for old, new in replacements:
        assert old in after
        after = after.replace(old, new)
    return diff(pipeline_of(BASE), pipeline_of(after + more))


def told(found: Difference) -> list[tuple[str, str, str]]:
    """Aspect, action and place of each change."""
    return [(change.aspect, change.action, ".".join(change.place)) for change in found.changes]


def keys(found: Difference) -> dict[str, tuple[tuple[str, ...], tuple[str, ...]]]:
    """The components that change and those that may, by task."""
    return {key.task: (key.changed, key.possible) for key in found.keys}


def test_a_value_that_becomes_a_secret_is_a_secret_gained() -> None:
    found = difference(('TOKEN = "plain"', 'TOKEN = { secret = "T" }'))
    assert told(found) == [("secret", "added", "tasks.build.env.TOKEN")]
    assert (found.changes[0].before, found.changes[0].after) == ("plain", {"secret": "T"})
    assert keys(found) == {"build": (("env",), ())}


def test_a_secret_that_is_written_down_is_a_secret_lost() -> None:
    found = difference(('{ secret = "KEY" }', '"text"'))
    assert told(found) == [("secret", "removed", "tasks.build.env.KEY")]


def test_another_source_of_a_secret_leaves_the_key() -> None:
    found = difference(('{ secret = "KEY" }', '{ secret = "OTHER" }'))
    assert told(found) == [("secret", "changed", "tasks.build.env.KEY")]
    assert keys(found) == {"build": ((), ())}


def test_what_a_new_job_is_trusted_with_comes_first() -> None:
    job = """
    [tasks.zoo]
    run = { sh = "zoo", env = { Z = { secret = "Z" } } }
    requires = { secrets = ["X"] }
    [jobs.a]
    target = "zoo"
    env = { T = { secret = "T" }, U = "u" }
    environment = "production"
    requires = { provenance = true }
    github = { permissions = { contents = "write", id-token = "write" } }
    """
    assert told(difference(more=job)) == [
        ("permission", "added", "jobs.a.environment"),
        ("permission", "added", "jobs.a.github.permissions.contents"),
        ("permission", "added", "jobs.a.github.permissions.id-token"),
        ("permission", "added", "jobs.a.provenance"),
        ("secret", "added", "jobs.a.env.T"),
        ("secret", "added", "tasks.zoo.requires.secrets"),
        ("secret", "added", "tasks.zoo.steps.0.env.Z"),
        ("job", "added", "jobs.a"),
        ("task", "added", "tasks.zoo"),
    ]


def test_names_of_the_author_are_never_taken_for_fields() -> None:
    more = """
    [tasks.env]
    run = "x"
    [tasks.requires]
    inputs = ["a"]
    run = "x"
    [jobs.env]
    target = "env"
    """
    edited = more.replace('"x"', '"y"').replace('["a"]', '["b"]')
    found = diff(pipeline_of(BASE + more), pipeline_of(BASE + edited))
    assert told(found) == [
        ("input", "removed", "tasks.requires.inputs"),
        ("input", "added", "tasks.requires.inputs"),
        ("step", "changed", "tasks.env.steps.0.command"),
        ("step", "changed", "tasks.requires.steps.0.command"),
    ]


def test_a_step_between_others_is_added_there() -> None:
    found = difference(('"one", "two"', '"one", "more", "two"'))
    assert told(found) == [("step", "added", "tasks.build.steps.1")]
    assert keys(found) == {"build": (("steps", "env"), ())}


def test_a_step_that_is_written_otherwise_is_changed() -> None:
    found = difference(('"two"', '{ sh = "two", timeout = 5 }'))
    assert told(found) == [("step", "added", "tasks.build.steps.1.timeout-ms")]
    assert keys(found) == {"build": ((), ())}


def test_members_of_a_list_come_and_go_one_by_one() -> None:
    found = difference(('["source"]', '["!src/x", "source", "lib/**"]'))
    assert [change.after for change in found.changes] == [
        {"exclude": True, "glob": "src/x"},
        {"glob": "lib/**"},
    ]
    assert keys(found) == {"build": ((), ("inputs",))}


def test_another_order_of_patterns_is_a_change_of_the_list() -> None:
    two = (('["dist/**"]', '["dist/**", "!dist/x"]'), ('["dist/**"]', '["!dist/x", "dist/**"]'))
    before, after = (pipeline_of(BASE.replace(*replacement)) for replacement in two)
    found = diff(before, after)
    assert told(found) == [("output", "changed", "tasks.build.outputs")]
    assert keys(found) == {"build": (("outputs",), ())}


def test_a_named_input_concerns_the_tasks_that_use_it() -> None:
    found = difference(('["src/**"]', '["src/**", "lib/**"]'))
    assert told(found) == [("input", "added", "named-inputs.source")]
    assert keys(found) == {"build": ((), ("inputs",))}


def test_the_environment_of_the_pipeline_concerns_every_task() -> None:
    assert keys(difference(('MODE = "a"', 'MODE = "b"'))) == {
        "build": (("env",), ()),
        "test": (("env",), ()),
    }


def test_the_environment_of_a_job_concerns_what_it_runs() -> None:
    found = difference(('target = "test"', 'target = "test"\nenv = { A = "1" }'))
    assert told(found) == [("env", "added", "jobs.verify.env.A")]
    assert keys(found) == {"build": ((), ("env",)), "test": ((), ("env",))}


def test_what_is_no_part_of_a_key_leaves_it() -> None:
    settings = 'description = "d"\nretry = 2\ntimeout = 5\npriority = 3\nallow-failure = true\n'
    found = difference(("[tasks.test]\n", f"[tasks.test]\n{settings}"))
    assert {change.aspect for change in found.changes} == {"other"}
    assert len(found.changes) == 5
    assert keys(found) == {"test": ((), ())}


def test_a_task_that_is_cached_from_now_on_is_a_change_of_its_cache() -> None:
    found = difference(
        ("[tasks.test]\n", "[tasks.test]\ncache = true\ninputs = []\noutputs = []\n")
    )
    assert told(found) == [("cache", "added", "tasks.test.cache")]


def test_a_salt_changes_the_key_and_a_time_to_live_does_not() -> None:
    found = difference(("cache = true", 'cache = { store = "file", salt = "2", ttl = "1d" }'))
    assert told(found) == [
        ("cache", "added", "tasks.build.cache.salt"),
        ("cache", "added", "tasks.build.cache.ttl-ms"),
    ]
    assert keys(found) == {"build": (("salt",), ())}


def test_renamed_tasks_keep_what_refers_to_them() -> None:
    found = difference(
        ("[tasks.build]", "[tasks.web.make]"),
        ('["build"]', '["web.make"]'),
        ("[tasks.test]", "[tasks.web.try]"),
        ('target = "test"', 'target = "web.try"'),
    )
    assert told(found) == [
        ("task", "renamed", "tasks.web.make"),
        ("task", "renamed", "tasks.web.try"),
    ]
    assert found.renamed == {"build": "web.make", "test": "web.try"}
    assert keys(found) == {"web.make": ((), ()), "web.try": ((), ())}


def test_a_task_with_another_id_and_other_content_came_and_went() -> None:
    found = difference(("[tasks.test]", "[tasks.try]"), ('"test"', '"try"'))
    assert told(found) == [
        ("job", "removed", "jobs.verify.targets"),
        ("job", "added", "jobs.verify.targets"),
        ("task", "removed", "tasks.test"),
        ("task", "added", "tasks.try"),
    ]


def test_another_dependency_counts_by_what_it_makes() -> None:
    more = '[tasks.gen]\nrun = "gen"\n'
    before = pipeline_of(BASE + more)
    swapped = diff(before, pipeline_of(BASE.replace('["build"]', '["gen"]') + more))
    added = diff(before, pipeline_of(BASE.replace('["build"]', '["build", "gen"]') + more))
    assert told(swapped) == [
        ("edge", "removed", "tasks.test.depends-on"),
        ("edge", "added", "tasks.test.depends-on"),
    ]
    assert keys(swapped) == {"test": ((), ("dependencies",))}
    assert keys(added) == {"test": (("dependencies",), ())}
