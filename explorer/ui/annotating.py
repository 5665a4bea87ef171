"""Read the line that is typed to add labels: arguments of `bertdyn annotate`, without the store and the corpus."""

from __future__ import annotations

import os
import shlex

from explorer.compute.requests import Annotate
from store.errors import BertdynError

HINT = "FILE  or  FILE topic,genre  or  FILE topic --name subject --replace"
_VALUES = ("--text", "--label", "--name", "--limit")
_ON = "--replace"


def annotate_request(corpus: str, typed: str) -> Annotate:
    """Return the request that adds the labels of a file to a corpus.

    Args:
        typed: the path of a file, columns with labels, and options of `bertdyn annotate`, quoted as in a shell.

    Raises:
        BertdynError: there is no file, an option is unknown or has no value, or a quote is not closed.
    """
    try:
        words = shlex.split(typed)
    except ValueError as error:
        raise BertdynError(f"{typed}: {str(error).lower()}; put names with blanks in quotes.") from None
    plain: list[str] = []
    given: dict[str, str] = {}
    rest = iter(words)
    for word in rest:
        option, equals, value = word.partition("=")
        if option in _VALUES:
            given[option] = value if equals else next(rest, "")
            if not given[option]:
                raise BertdynError(f"{option} needs a value.")
        elif word.startswith("--") and word != _ON:
            raise BertdynError(f"There is no option {word}, only {', '.join((*_VALUES, _ON))}.")
        elif word != _ON:
            plain.append(word)
    if not plain:
        raise BertdynError("Which file? Type its path, then the columns with labels.")
    limit = given.get("--limit")
    if limit is not None and not (limit.isdecimal() and int(limit)):
        raise BertdynError(f"--limit {limit}: a number of sentences from 1 on is needed.")
    labels = [*plain[1:], *([given["--label"]] if "--label" in given else [])]
    return Annotate(
        corpus,
        os.path.expanduser(plain[0]),
        text=given.get("--text"),
        label=",".join(labels) or None,
        name=given.get("--name"),
        limit=None if limit is None else int(limit),
        replace=_ON in words,
    )
