"""`pipec github`: the workflow of GitHub Actions, one command a file."""

from pipec.cli.commands.github import check, diff, generate, plan, run, update
from pipec.cli.parameters import command_app

app = command_app(help="Generate the workflow of GitHub Actions, and keep it right.")

generate.add_to(app)
check.add_to(app)
diff.add_to(app)
plan.add_to(app)
run.add_to(app)
update.add_to(app)
