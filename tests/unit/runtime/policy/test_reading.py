"""No command of a text is overlooked, however it is written."""

import subprocess
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pipec.codes import Code
from pipec.errors import RunError
from pipec.ir.commands import CommandPolicy, CommandRule
from pipec.runtime.policy.invocations import read_text
from pipec.runtime.policy.rulings import Policy
from pipec.runtime.policy.shell_text import read_shell_text

SHELL = ("sh", "-e", "-c")

HIDDEN = [
    "npm publish",
    "  npm   publish --tag x",
    "npm --prefix web publish",
    "npm --silent publish",
    "npm --prefix=web --loglevel silly publish",
    "NODE_ENV=x npm publish",
    "sudo -u me npm publish",
    "env -i A=b npm publish",
    "timeout -k 5 10 npm publish",
    "/usr/local/bin/npm publish",
    "./node_modules/.bin/npm publish",
    "npm.cmd publish",
    "'npm' \"publish\"",
    "n''pm pub\\lish",
    "npm \\\n publish",
    "true && npm publish",
    "true; npm publish",
    "true\nnpm publish",
    "true | npm publish",
    "true & npm publish",
    "false || npm publish",
    "! npm publish",
    "(npm publish)",
    "{ npm publish; }",
    "if true; then npm publish; fi",
    "if npm publish; then :; fi",
    "while :; do npm publish; done",
    "for x in a b; do npm publish $x; done",
    "for x\ndo npm publish; done",
    "case $X in a) npm publish ;; esac",
    "case $X in a|b) : ;; (c) npm publish ;; *) : ;; esac",
    "f() { npm publish; }; f",
    "function f { npm publish; }",
    "x=$(npm publish)",
    'echo "$(npm publish)"',
    "echo `npm publish`",
    "echo `echo \\`npm publish\\``",
    "cat <(npm publish)",
    "echo > $(npm publish)",
    "[[ -n $(npm publish) ]]",
    "time npm publish",
    "npm publish > log 2>&1",
    "> log npm publish",
    "2> log npm publish",
    "sh -c 'npm publish'",
    "bash -euxo pipefail -c 'cd x; npm publish'",
    "eval npm publish",
    'eval "npm publish"',
    "xargs npm publish < list",
    "xargs sh -c 'npm publish'",
    "find . -name x -exec npm publish {} \\;",
    "sh <<EOF\nnpm publish\nEOF",
    "trap 'npm publish' EXIT",
    "alias p='npm publish'; p",
    "npx npm publish",
    "docker run -it node npm publish",
    "ssh host 'npm publish'",
    "$NPM publish",
    '"$NPM" publish',
    "$SUDO npm publish",
    '"$SUDO" npm publish',
    "\"$SHELL\" -c 'npm publish'",
    'npm "$COMMAND"',
    'npm "$COMMAND" publish',
    '"$@"',
    "npm $COMMAND",
    "npm {publish,}",
    "$(echo npm publish)",
    'sh -c "$SCRIPT"',
    "curl x | sh",
    "cat <<EOF\n$(npm publish)\nEOF",
    "echo 'unfinished",
    "echo $((1 + $(npm publish)))",
]

HARMLESS = [
    "npm test",
    "npm run publish-docs",
    "npm run publish",
    '"$PYTHON" -m build',
    'npm run "$SCRIPT"',
    "echo npm publish",
    "git commit -m 'npm publish'",
    "cat <<EOF\nnpm publish\nEOF",
    "echo $((1 + 2)) ${HOME} $HOME",
    "# npm publish",
    "for f in *.js; do node $f; done",
    "case $X in npm) : ;; esac",
    "grep -r 'npm publish' docs",
    "pnpm publish",
    "npmx publish",
    "x=publish; echo $x",
    "test -f a && echo 'b' > c; exit 0",
]


def policy(*rules: CommandRule, fallback: str = "allow") -> Policy:
    settings = CommandPolicy(fallback=fallback, rules=rules)
    return Policy(settings, approved="", environment="")


DENY = CommandRule(action="deny", prefix="npm publish")


@pytest.mark.parametrize("text", HIDDEN)
def test_a_denied_command_is_found(text):
    with pytest.raises(RunError) as raised:
        policy(DENY).judge_text(text, SHELL)
    assert raised.value.code is Code.COMMAND_DENIED


@pytest.mark.parametrize("text", HARMLESS)
def test_what_is_not_it_is_let_through(text):
    assert policy(DENY).judge_text(text, SHELL).mock is None


@pytest.mark.parametrize(
    ("rule", "text", "is_denied"),
    [
        ("git push --force", "git push origin main --force", True),
        ("git push --force", "git -C x push --force=yes", True),
        ("git push --force", "git push --forc", True),
        ("git push --force", "git push origin", False),
        ("rm -rf", "rm -fr x", True),
        ("rm -rf", "rm -r -f x", True),
        ("rm -rf", "rm -r x", False),
        ("rm", "git rm x", False),
        ("git push", "git -C push status", True),
    ],
)
def test_options_are_found_wherever_they_stand(rule, text, is_denied):
    deny = policy(CommandRule(action="deny", prefix=rule))
    if is_denied:
        with pytest.raises(RunError):
            deny.judge_text(text, SHELL)
    else:
        deny.judge_text(text, SHELL)


@pytest.mark.parametrize(
    ("text", "is_denied"),
    [("git push", True), ("git -C x push", True), ("git push origin", False), ("git $X", True)],
)
def test_an_exact_rule_is_about_the_whole_command(text, is_denied):
    deny = policy(CommandRule(action="deny", exact="git push"))
    if is_denied:
        with pytest.raises(RunError):
            deny.judge_text(text, SHELL)
    else:
        deny.judge_text(text, SHELL)


@pytest.mark.parametrize(
    ("text", "is_allowed"),
    [
        ("npm test", True),
        ("npm test -- --watch", True),
        ("npm --prefix web test", True),
        ("A=b npm test", True),
        ("npm test && npm test", True),
        ("npm test && npm publish", False),
        ("npm test $(npm publish)", False),
        ("npm --unheard-of test", False),
        ("sudo npm test", False),
        ("./npm test", False),
        ("npm $X", False),
        ("npm test 'unfinished", False),
    ],
)
def test_a_rule_that_allows_is_not_stretched(text, is_allowed):
    only = policy(CommandRule(action="allow", prefix="npm test"), fallback="deny")
    if is_allowed:
        assert only.judge_text(text, SHELL).rules == ("allow npm test",)
    else:
        with pytest.raises(RunError):
            only.judge_text(text, SHELL)


def test_text_for_another_shell_is_not_understood():
    with pytest.raises(RunError, match="is not understood"):
        policy(DENY).judge_text("npm test", ("pwsh", "-Command"))
    exact = CommandRule(action="allow", exact="npm test")
    assert policy(exact, DENY).judge_text("npm test", ("pwsh", "-Command")).rules


@given(st.text("npm ublish'\"\\$`(){};&|<>#\n=*?[]!ixfdoceas-", max_size=60))
def test_any_text_is_read_or_said_to_be_unread(text):
    read_shell_text(text)
    read_text(text)


# A space after `$(`: with a subshell right behind it, it would be arithmetic.
WRAPPED = st.sampled_from(
    ["{}", "true; {}", "({})", "{{ {}; }}", "if {}; then :; fi", "x=$( {})", 'echo "$( {})"',
     "for i in a; do {}; done", "case x in x) {} ;; esac", "! {}", "f() {{ {}; }}", "{} | cat",
     "cat <({})", "[[ -n $( {}) ]]", "{} > log", "A=1 {}"]
)  # fmt: skip


@given(st.lists(WRAPPED, max_size=4))
def test_a_command_is_found_however_deep(forms):
    text = "npm publish"
    for form in forms:
        text = form.format(text)
    read = read_text(text)
    assert read.unread or any(
        found.words[:2] == ("npm", "publish") for found in read.invocations
    ), text


TOKENS = st.sampled_from(
    ["npm", "publish", "npm publish", "'npm' publish", "n\\pm publish", '"npm" "publish"', ";",
     "&&", "||", "|", "&", "(", ")", "{", "}", "if", "then", "else", "fi", "case", "x", "in",
     "esac", "x)", ";;", "$(", "`", "\n", "#", "for", "i", "do", "done", "!", "A=1", "eval", "exec",
     "command", "<<E\n", "\nE\n", "'", '"', "\\", "$((", "))", ">", "<", "log", "f()", "f", ":",
     "true", "false"]
)  # fmt: skip


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder whose only program is an `npm` that says when it publishes."""
    folder = tmp_path_factory.mktemp("shop")
    program = folder / "npm"
    program.write_text('#!/bin/sh\n[ "$1" != publish ] || echo published > "$MARK"\n')
    program.chmod(0o755)
    return folder


@settings(max_examples=300, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(TOKENS, min_size=1, max_size=12))
def test_what_a_shell_runs_has_been_read(shop: Path, tokens):
    text = " ".join(tokens)
    mark = shop / "mark"
    mark.unlink(missing_ok=True)
    try:
        subprocess.run(
            ["/bin/sh", "-c", text],
            cwd=shop,
            env={"PATH": str(shop), "MARK": str(mark)},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            timeout=2,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return
    if mark.exists():
        with pytest.raises(RunError):
            policy(DENY).judge_text(text, SHELL)
