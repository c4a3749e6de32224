"""What GitHub knows of each event that can start a workflow: its activities, and its filters.

After "Events that trigger workflows" and "Workflow syntax" of GitHub's documentation.
"""

from collections.abc import Mapping
from typing import Literal

Event = Literal[
    "branch_protection_rule",
    "check_run",
    "check_suite",
    "create",
    "delete",
    "deployment",
    "deployment_status",
    "discussion",
    "discussion_comment",
    "fork",
    "gollum",
    "issue_comment",
    "issues",
    "label",
    "merge_group",
    "milestone",
    "page_build",
    "public",
    "pull_request",
    "pull_request_review",
    "pull_request_review_comment",
    "pull_request_target",
    "push",
    "registry_package",
    "release",
    "repository_dispatch",
    "status",
    "watch",
    "workflow_run",
]
"""The events that a trigger can name."""

_CHANGES = ("created", "edited", "deleted")
_PULL_REQUEST = (
    *("assigned", "unassigned", "labeled", "unlabeled", "opened", "edited", "closed", "reopened"),
    *("synchronize", "converted_to_draft", "locked", "unlocked", "enqueued", "dequeued"),
    *("milestoned", "demilestoned", "ready_for_review", "review_requested"),
    *("review_request_removed", "auto_merge_enabled", "auto_merge_disabled"),
)

ACTIVITIES: Mapping[str, tuple[str, ...]] = {
    "branch_protection_rule": _CHANGES,
    "check_run": ("created", "rerequested", "completed", "requested_action"),
    "check_suite": ("completed",),
    "discussion": (
        *("created", "edited", "deleted", "transferred", "pinned", "unpinned", "labeled"),
        *("unlabeled", "locked", "unlocked", "category_changed", "answered", "unanswered"),
    ),
    "discussion_comment": _CHANGES,
    "issue_comment": _CHANGES,
    "issues": (
        *("opened", "edited", "deleted", "transferred", "pinned", "unpinned", "closed"),
        *("reopened", "assigned", "unassigned", "labeled", "unlabeled", "locked", "unlocked"),
        *("milestoned", "demilestoned"),
    ),
    "label": _CHANGES,
    "merge_group": ("checks_requested",),
    "milestone": ("created", "closed", "opened", "edited", "deleted"),
    "pull_request": _PULL_REQUEST,
    "pull_request_review": ("submitted", "edited", "dismissed"),
    "pull_request_review_comment": _CHANGES,
    "pull_request_target": _PULL_REQUEST,
    "registry_package": ("published", "updated"),
    "release": (
        *("published", "unpublished", "created", "edited", "deleted", "prereleased", "released"),
    ),
    "watch": ("started",),
    "workflow_run": ("completed", "requested", "in_progress"),
}
"""The activities of the events that have any. Those of `repository_dispatch` anybody makes up."""

USUAL_ACTIVITIES: Mapping[str, tuple[str, ...]] = {
    "pull_request": ("opened", "reopened", "synchronize"),
    "pull_request_target": ("opened", "reopened", "synchronize"),
}
"""What an event without `types` means, where that is not all of its activities."""

WITH_BRANCHES = frozenset(
    {"push", "pull_request", "pull_request_target", "merge_group", "workflow_run"}
)
WITH_TAGS = frozenset({"push"})
WITH_PATHS = frozenset({"push", "pull_request", "pull_request_target"})
