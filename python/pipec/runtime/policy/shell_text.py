"""The commands in a text for a POSIX shell, wherever in it they stand.

Read with one aim: that no command is overlooked. What is not understood is said to be unread, and
whoever asks has to expect anything of it. A word that only the shell knows is `UNKNOWN`; None are
words that only the shell knows, however many.
"""

import re
from dataclasses import dataclass, field

Word = str | None
UNKNOWN = "\0"

_ASSIGNMENT = re.compile(r"[A-Za-z_]\w*(\[[^]]*\])?\+?=")
_OPERATORS = (
    ";;&", "&>>", "<<<", "<<-", ";;", ";&", "&&", "&>", "||", "|&", "<<", "<&", "<>", ">>", ">&",
    ">|", ";", "&", "|", "(", ")", "<", ">", "\n",
)  # fmt: skip
_REDIRECTIONS = frozenset({"&>>", "<<<", "<<-", "&>", "<<", "<&", "<>", ">>", ">&", ">|", "<", ">"})
_BEFORE_A_COMMAND = frozenset(
    {"if", "then", "elif", "else", "while", "until", "do", "time", "!", "{", "}", "fi", "done",
     "coproc"}
)  # fmt: skip
_ENDS_A_WORD = frozenset(" \t\n;&|()<>")
_PATTERN = frozenset("*?[~")
_DO = re.compile(r"do(?=\s|$)")
_DEEPEST = 40


@dataclass(slots=True)
class ShellText:
    """What a text holds: the words of each simple command, and why not all of it could be read."""

    commands: list[tuple[Word, ...]] = field(default_factory=list)
    inputs: list[tuple[tuple[Word, ...], str]] = field(default_factory=list)
    """Here-documents, by the words of the command that reads them."""
    unread: str = ""


def read_shell_text(text: str) -> ShellText:
    """The commands of a text. Never raises."""
    found = ShellText()
    try:
        reader = _Reader(text, found, depth=0)
        reader.read_list("")
    except _UnreadError as trouble:
        found.unread = str(trouble)
    return found


class _UnreadError(Exception):
    """Something that this does not understand."""


class _Reader:
    def __init__(self, text: str, found: ShellText, *, depth: int, at: int = 0) -> None:
        if depth > _DEEPEST:
            raise _UnreadError("it is nested too deeply")
        self._text = text
        self._at = at
        self._found = found
        self._depth = depth
        self._documents: list[tuple[str, bool, bool, tuple[Word, ...]]] = []

    def read_list(self, stop: str) -> int:  # noqa: PLR0912, PLR0915 - a case for each operator
        """Reads commands to the end, or past the parenthesis that closes the list; gives where."""
        words: list[Word] = []
        cases: list[bool] = []
        """For each `case` that is open: whether a pattern is next."""
        pending: list[tuple[str, bool, bool]] = []

        def end_command() -> None:
            if words:
                command = tuple(words)
                self._found.commands.append(command)
            for delimiter, strips, is_quoted in pending:
                self._documents.append((delimiter, strips, is_quoted, tuple(words)))
            words.clear()
            pending.clear()

        while True:
            self._skip_blanks()
            if self._at >= len(self._text):
                if stop or cases:
                    raise _UnreadError("it ends too early")
                end_command()
                self._read_documents()
                return self._at
            operator = self._operator()
            if operator == "\n":
                end_command()
                self._at += 1
                self._read_documents()
                continue
            if cases and cases[-1] and not words:
                if operator in ("(", "|"):
                    self._at += 1
                elif operator == ")":
                    self._at += 1
                    cases[-1] = False
                elif operator:
                    raise _UnreadError(f"`{operator}` in a pattern")
                elif self._word()[0] == "esac":
                    cases.pop()
                continue
            if operator in (";;", ";&", ";;&"):
                if not cases:
                    raise _UnreadError(f"`{operator}` outside of `case`")
                end_command()
                self._at += len(operator)
                cases[-1] = True
            elif operator == ")":
                if stop != ")":
                    raise _UnreadError("`)` closes nothing")
                end_command()
                if cases or self._documents:
                    raise _UnreadError("a list ends too early")
                self._at += 1
                return self._at
            elif operator == "(":
                self._open_list(words)
            elif operator in _REDIRECTIONS:
                self._redirect(operator, pending)
            elif operator:
                end_command()
                self._at += len(operator)
            elif not words:
                self._first_word(words, cases)
            else:
                self._add_word(words)

    def _open_list(self, words: list[Word]) -> None:
        if self._text.startswith("((", self._at) and not words:
            raise _UnreadError("it calculates")
        self._at += 1
        if not words:
            self.read_list(")")
            return
        self._skip_blanks()
        if len(words) == 1 and self._text.startswith(")", self._at):
            # A function: what is in it may be called.
            self._at += 1
            words.clear()
            return
        raise _UnreadError("`(` in a command")

    def _first_word(self, words: list[Word], cases: list[bool]) -> None:  # noqa: PLR0912
        start = self._at
        word, raw = self._word()
        if raw in _BEFORE_A_COMMAND:
            return
        if raw == "case":
            self._skip_blanks()
            self._word()
            self._skip_blanks(lines=True)
            if self._word()[1] != "in":
                raise _UnreadError("`case` without `in`")
            cases.append(True)
        elif raw == "esac":
            if not cases:
                raise _UnreadError("`esac` outside of `case`")
            cases.pop()
        elif raw in ("for", "select"):
            self._skip_names()
        elif raw == "function":
            self._skip_blanks()
            self._word()
            self._skip_blanks()
            if self._text.startswith("(", self._at):
                self._at += 1
                self._skip_blanks()
                if not self._text.startswith(")", self._at):
                    raise _UnreadError("`function` with something in parentheses")
                self._at += 1
        elif raw == "[[":
            self._skip_test()
        elif _ASSIGNMENT.match(raw):
            if self._text.startswith("(", self._at):
                raise _UnreadError("it assigns a list")
        elif raw.isdigit() and self._text[self._at : self._at + 1] in ("<", ">"):
            pass
        elif self._at == start:
            raise _UnreadError("it stops where no word is")
        else:
            words.append(word)

    def _add_word(self, words: list[Word]) -> None:
        start = self._at
        word, raw = self._word()
        if self._at == start:
            raise _UnreadError("it stops where no word is")
        if not (raw.isdigit() and self._text[self._at : self._at + 1] in ("<", ">")):
            words.append(word)

    def _skip_names(self) -> None:
        """`for NAME in WORDS`: no command, but words may hold some."""
        while True:
            self._skip_blanks()
            operator = self._operator()
            if operator in (";", "\n"):
                return
            if operator or self._at >= len(self._text):
                raise _UnreadError("a loop that is not understood")
            if _DO.match(self._text, self._at):
                return
            self._word()

    def _skip_test(self) -> None:
        """`[[ … ]]`: no command, but words may hold some."""
        while True:
            self._skip_blanks(lines=True)
            if self._at >= len(self._text):
                raise _UnreadError("`[[` without `]]`")
            operator = self._operator()
            if operator:
                self._at += len(operator)
            elif self._word()[1] == "]]":
                return

    def _redirect(self, operator: str, pending: list[tuple[str, bool, bool]]) -> None:
        if self._text[self._at : self._at + 2] in ("<(", ">("):
            self._at += 2
            self._read_nested()
            return
        self._at += len(operator)
        self._skip_blanks()
        start = self._at
        word, raw = self._word()
        if self._at == start:
            if self._text[self._at : self._at + 2] in ("<(", ">("):
                self._at += 2
                self._read_nested()
                return
            raise _UnreadError("a redirection to nothing")
        if operator in ("<<", "<<-"):
            if word is None or word == UNKNOWN:
                raise _UnreadError("a here-document whose end is not known")
            pending.append((word, operator == "<<-", word != raw))

    def _read_documents(self) -> None:
        for delimiter, strips, is_quoted, words in self._documents:
            lines: list[str] = []
            while True:
                if self._at >= len(self._text):
                    # A shell takes the end of the text for the end of the document.
                    break
                end = self._text.find("\n", self._at)
                end = len(self._text) if end < 0 else end
                line = self._text[self._at : end]
                self._at = end + 1
                line = line.lstrip("\t") if strips else line
                if line == delimiter:
                    break
                lines.append(line)
            body = "\n".join(lines)
            if not is_quoted and ("$(" in body or "`" in body):
                raise _UnreadError("a here-document with commands in it")
            self._found.inputs.append((words, body))
        self._documents.clear()
        self._at = min(self._at, len(self._text))

    def _read_nested(self) -> None:
        """A list inside a word: the same text, further on."""
        inner = _Reader(self._text, self._found, depth=self._depth + 1, at=self._at)
        self._at = inner.read_list(")")

    def _skip_blanks(self, *, lines: bool = False) -> None:
        while self._at < len(self._text):
            character = self._text[self._at]
            if self._text.startswith("\\\n", self._at):
                self._at += 2
            elif character in " \t\r" or (lines and character == "\n"):
                self._at += 1
            elif character == "#":
                end = self._text.find("\n", self._at)
                self._at = len(self._text) if end < 0 else end
            else:
                return

    def _operator(self) -> str:
        return next((one for one in _OPERATORS if self._text.startswith(one, self._at)), "")

    def _word(self) -> tuple[Word, str]:
        """A word as the shell gives it, if that is known, and as it is written."""
        start, value, is_known, is_one = self._at, "", True, True
        text = self._text
        while self._at < len(text) and text[self._at] not in _ENDS_A_WORD:
            character = text[self._at]
            if character == "\\":
                if text.startswith("\\\n", self._at):
                    self._at += 2
                    continue
                value += text[self._at + 1 : self._at + 2]
                self._at += 2
            elif character == "'":
                end = text.find("'", self._at + 1)
                if end < 0:
                    raise _UnreadError("a quote is not closed")
                value += text[self._at + 1 : end]
                self._at = end + 1
            elif character == '"':
                begin = self._at
                inside, was_known = self._double_quoted()
                value += inside
                is_known &= was_known
                # A list in quotes is still several words.
                is_one &= was_known or "@" not in text[begin : self._at]
            elif character in "$`":
                is_dollar = self._expansion()
                is_known &= is_dollar
                is_one &= is_dollar
                value += character if is_dollar else ""
            else:
                is_known &= character not in _PATTERN
                is_one &= character not in _PATTERN
                value += character
                self._at += 1
        raw = text[start : self._at]
        if re.search(r"\{[^{}]*(,|\.\.)[^{}]*\}", raw):
            is_known = is_one = False
        if is_known:
            return value, raw
        return (UNKNOWN if is_one else None), raw

    def _double_quoted(self) -> tuple[str, bool]:
        value, is_known, text = "", True, self._text
        self._at += 1
        while self._at < len(text):
            character = text[self._at]
            if character == '"':
                self._at += 1
                return value, is_known
            if character == "\\" and text[self._at + 1 : self._at + 2] in ("$", "`", '"', "\\"):
                value += text[self._at + 1]
                self._at += 2
            elif text.startswith("\\\n", self._at):
                self._at += 2
            elif character in "$`":
                is_known &= self._expansion(quoted=True)
                value += character if is_known else ""
            else:
                value += character
                self._at += 1
        raise _UnreadError("a quote is not closed")

    def _expansion(self, *, quoted: bool = False) -> bool:
        """Passes over an expansion; the commands in it count. Whether it is only a `$`."""
        text = self._text
        if text[self._at] == "`":
            self._backticks()
            return False
        after = text[self._at + 1 : self._at + 2]
        if text.startswith("$((", self._at):
            self._balanced("((", "))")
        elif after == "(":
            self._at += 2
            self._read_nested()
        elif after == "{":
            self._balanced("{", "}")
        elif after == "'" and not quoted:
            end = re.compile(r"'(?:[^'\\]|\\.)*'", re.DOTALL).match(text, self._at + 1)
            if end is None:
                raise _UnreadError("a quote is not closed")
            self._at = end.end()
        elif after == '"' and not quoted:
            self._at += 1
            self._double_quoted()
        else:
            name = re.compile(r"[A-Za-z_]\w*|[0-9@*#?$!-]").match(text, self._at + 1)
            self._at += 1
            if name is None:
                return True
            self._at = name.end()
        return False

    def _balanced(self, opening: str, closing: str) -> None:
        """Passes over what holds no command, or it is not read."""
        start = self._at + 1
        end = self._text.find(closing, start)
        inside = self._text[start + len(opening) : end]
        if end < 0 or "$(" in inside or "`" in inside or opening[0] in inside or '"' in inside:
            raise _UnreadError(f"`${opening}` is not simple")
        self._at = end + len(closing)

    def _backticks(self) -> None:
        match = re.compile(r"`((?:[^`\\]|\\.)*)`", re.DOTALL).match(self._text, self._at)
        if match is None:
            raise _UnreadError("a backtick is not closed")
        inner = re.sub(r"\\([`\\$])", r"\1", match[1])
        _Reader(inner, self._found, depth=self._depth + 1).read_list("")
        self._at = match.end()
