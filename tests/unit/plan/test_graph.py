"""Pictures of a plan."""

from inline_snapshot import snapshot

from pipec.ir import Job, Pipeline, Task
from pipec.plan.graph import render_dot, render_tree
from pipec.plan.select import select


def pipeline_of(needs, jobs=()):
    return Pipeline(
        name="p",
        tasks={name: Task(id=name, depends_on=tuple(sorted(on))) for name, on in needs.items()},
        jobs={job.id: job for job in jobs},
    )


DIAMOND = pipeline_of(
    {"top": ["left", "right"], "left": ["base"], "right": ["base"], "base": ["x"], "x": []},
    [Job(id="verify", targets=("top", "x"))],
)


def test_a_tree_draws_a_shared_branch_once():
    assert render_tree(DIAMOND, select(DIAMOND, ["verify", "left"])) == snapshot("""\
verify (job)
├── top
│   ├── left
│   │   └── base
│   │       └── x
│   └── right
│       └── base (above)
└── x
""")


def test_an_arrow_of_graphviz_leads_from_a_task_to_what_waits_for_it():
    assert render_dot(DIAMOND, select(DIAMOND, ["verify"])) == snapshot("""\
digraph pipeline {
  rankdir=LR;
  node [shape=box];
  "job verify" [label="verify", shape=oval];
  "top" -> "job verify";
  "x" -> "job verify";
  "x";
  "base";
  "x" -> "base";
  "left";
  "base" -> "left";
  "right";
  "base" -> "right";
  "top";
  "left" -> "top";
  "right" -> "top";
}
""")


def test_a_chain_of_ten_thousand_tasks_is_drawn_in_short_lines():
    names = [f"t{i:05}" for i in range(10_000)]
    chain = pipeline_of({name: [names[i - 1]] if i else [] for i, name in enumerate(names)})
    tree = render_tree(chain, select(chain, [names[-1]]))
    assert max(map(len, tree.splitlines())) < 200
    assert {line.split()[-1] for line in tree.splitlines() if "(" not in line} == set(names)


def test_an_empty_plan_is_an_empty_picture():
    empty = pipeline_of({})
    assert render_tree(empty, select(empty, [])) == ""
