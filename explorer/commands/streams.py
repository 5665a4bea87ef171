"""Print on standard output and standard error, whatever they are: a terminal, a full disk, a closed stream, latin-1.

Everything that a command prints goes through ``say`` or ``put``. Text is made safe for terminals (``printable``). Only
a picture with colours, and data that goes to a pipe or a file, are written as they are.
"""

from __future__ import annotations

import codecs
import errno
import io
import os
import sys
from contextlib import suppress

from explorer.render.printable import printable
from store.errors import BertdynError

_ESCAPED = "bertdyn.escaped"
_LOST = (errno.ENOSPC, errno.EDQUOT, errno.EIO, errno.EBADF, errno.EFBIG)
"""Errors of a stream that takes no more text. A reader that closed its pipe is no error."""


def settle_streams() -> None:
    """Prepare the streams of this process. A character that a stream cannot encode is written as ``\\uXXXX``.

    Raises:
        BertdynError: standard output is closed.
    """
    if sys.stderr is None:
        sys.stderr = open(os.devnull, "w")  # noqa: SIM115  (messages are lost, and print() must not use stdout instead)
    if sys.stdout is None:
        raise BertdynError("Standard output is closed. Redirect it to a file, or to /dev/null.")
    codecs.register_error(_ESCAPED, _escaped)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors=_ESCAPED)


def encodes(text: str) -> bool:
    """Return whether standard output can show these characters."""
    try:
        text.encode(sys.stdout.encoding or "utf-8")
    except (UnicodeEncodeError, LookupError):
        return False
    return True


def say(text: str, error: bool = False) -> None:
    """Print lines for people on standard output, or on standard error.

    Raises:
        BertdynError: standard output takes no more text.
    """
    if error:
        with suppress(OSError):  # there is no other place to say so
            print(printable(text), file=sys.stderr, flush=True)
    else:
        put(f"{printable(text)}\n", raw=True)


def put(text: str, raw: bool = False) -> None:
    """Write text on standard output.

    Args:
        raw: write it as it is also on a terminal: it is safe, or has colours on purpose.

    Raises:
        BertdynError: standard output takes no more text.
    """
    shown = text if raw or not sys.stdout.isatty() else printable(text)
    try:
        sys.stdout.write(shown)
        sys.stdout.flush()
    except OSError as error:
        if not is_lost(error):
            raise
        raise lost(error) from None


def said_in_full() -> None:
    """Write what standard output still holds.

    Raises:
        BertdynError: it takes no more text.
    """
    put("", raw=True)


def is_lost(error: OSError) -> bool:
    """Return whether an error is that of a stream which takes no more text."""
    return error.filename is None and error.errno in _LOST


def lost(error: OSError) -> BertdynError:
    """Return the error of a stream as one sentence. What the stream still holds is dropped."""
    with suppress(OSError, ValueError):
        # Else the interpreter tries again at its end, and complains.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return BertdynError(f"Standard output cannot be written: {error.strerror or error}.")


def _escaped(error: UnicodeError) -> tuple[str, int]:
    """Replace characters by escapes of JSON, so that JSON stays JSON."""
    if not isinstance(error, UnicodeEncodeError):
        raise error
    units = error.object[error.start : error.end].encode("utf-16-be", "surrogatepass").hex()
    return "".join(f"\\u{units[at : at + 4]}" for at in range(0, len(units), 4)), error.end
