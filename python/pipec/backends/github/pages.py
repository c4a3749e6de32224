"""A site that a job builds, published on GitHub Pages by a job of its own."""

from pipec.backends.github.expression import All, Equal, Expression, Name, Not, Template, Text
from pipec.backends.github.model import Action, Environment, Job, Permission, Step
from pipec.ir.job import GithubPages


def upload(path: str) -> Step:
    """The last step of the job that builds the site. The path is from the top of the repository."""
    return Step(
        name="Hand over the site",
        uses=Action("actions/upload-pages-artifact"),
        inputs={"path": path},
    )


def deployment(job_id: str, pages: GithubPages) -> Job:
    """The job that publishes what the other one built; what is not merged yet is not published."""
    parts: tuple[Expression, ...] = tuple(
        Not(Equal(Name("github.event_name"), Text(event)))
        for event in ("pull_request", "merge_group")
    )
    return Job(
        id=deployment_id(job_id),
        name=deployment_id(job_id),
        condition=All(parts),
        needs=(job_id,),
        runs_on=("ubuntu-24.04",),
        timeout_minutes=10,
        environment=Environment(
            name=pages.environment, url=Template("${{ steps.deployment.outputs.page_url }}")
        ),
        permissions=(
            Permission(scope="id-token", level="write", reason="proves to Pages who deploys"),
            Permission(scope="pages", level="write", reason="publishes the site"),
        ),
        steps=(
            Step(name="Publish the site", id="deployment", uses=Action("actions/deploy-pages")),
        ),
    )


def deployment_id(job_id: str) -> str:
    """The id of the job that publishes the site of another."""
    return f"{job_id}-deploy"
