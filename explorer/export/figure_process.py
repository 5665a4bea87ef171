"""Draw a figure in a child process, so that matplotlib's 50 MB do not stay in an explorer that is open all day."""

from __future__ import annotations

import pickle
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from explorer.views.base import Cursor, DrawOptions
from store import child
from store.errors import BertdynError

if TYPE_CHECKING:
    from explorer.views.base import View

SECONDS = 120
_REFUSED = 2


def save(view: View, path: Path, format: str, cursor: Cursor, options: DrawOptions) -> None:
    """Write a figure as ``figure.save`` does, in a child process.

    Raises:
        BertdynError: as figure.save(), or the child process ends without a figure.
    """
    asked = pickle.dumps((view, path, format, cursor, options))
    command = child.command("explorer.export.figure_process")
    try:
        drawn = subprocess.run(command, input=asked, capture_output=True, timeout=SECONDS, check=False)
    except subprocess.TimeoutExpired:
        raise BertdynError(f"The figure was not drawn within {SECONDS} seconds.") from None
    said = child.last_line(drawn.stderr)
    if drawn.returncode == _REFUSED and said:
        raise BertdynError(said)
    if drawn.returncode:
        how = child.how_ended("The process that draws it", drawn.returncode, said)
        raise BertdynError(f"The figure could not be drawn. {how}")


def main() -> int:
    """Draw the figure that the parent process sends on stdin; the entry of the child process."""
    from explorer.export import figure

    try:
        figure.save(*pickle.loads(sys.stdin.buffer.read()))
    except BertdynError as error:
        print(error, file=sys.stderr)
        return _REFUSED
    return 0


if __name__ == "__main__":
    sys.exit(main())
