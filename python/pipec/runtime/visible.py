"""Text that comes from outside, such as the name of a file, made fit to be looked at."""


def visible(text: str) -> str:
    """The text on one line, without anything that a terminal would obey."""
    return text if text.isprintable() else "".join(map(_visible_character, text))


def _visible_character(character: str) -> str:
    if character.isprintable():
        return character
    if "\udc80" <= character <= "\udcff":  # a byte of a file name that is not UTF-8
        return f"\\x{ord(character) - 0xDC00:02x}"
    return character.encode("unicode_escape", "backslashreplace").decode()
