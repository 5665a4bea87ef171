"""Names of folders and files that programs take for something else, each with names that it could be mistaken for."""

import os

FOLDERS = {
    "seed=7": (),
    "task=rte": (),
    "last_modified=3": (),
    "filename=x": (),
    "a&b=c": (),
    "a?b": ("axb", "a"),
    "?": ("x",),
    "a?access_mode=read_only": ("a",),
    "a*b": ("axb", "ab"),
    "**": ("x", "xx"),
    "[1]": ("1",),
    "[!a]": ("b",),
    "a[": ("a",),
    "{a,b}": ("a", "b"),
    "a%20b%s": ("a b",),
    'it\'s "quoted"': (),
    "s3:": (),
    "~": (),
    "new\nline; drop table x --": (),
    "ünï 日本": (),
    "a\\b": ("a/b", "axb", "ab"),
    "a\\[b]?": ("a/[b]x", "abx"),
    os.fsdecode(b"caf\xe9"): ("caf",),
}
"""Names, and those that a pattern, a URL or a backslash read as a slash would find in their place."""


def is_text(name: str) -> bool:
    """Return whether a file name is valid text."""
    try:
        name.encode()
    except UnicodeEncodeError:
        return False
    return True
