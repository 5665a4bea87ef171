"""Run the commands that a test sends, in a process that has measures of its own."""

from __future__ import annotations

import io
import json
import sys
from contextlib import redirect_stderr, redirect_stdout

from explorer.cli import main


def run(arguments: list[str]) -> tuple[int, str, str]:
    """Exit code of a command, and what it printed to both streams."""
    out, errors = io.StringIO(), io.StringIO()
    with redirect_stdout(out), redirect_stderr(errors):
        try:
            main(arguments)
            code: object = 0
        except SystemExit as ended:
            code = ended.code
    return int(str(code or 0)), out.getvalue(), errors.getvalue()


if __name__ == "__main__":
    answers = sys.stdout
    for line in sys.stdin:
        print(json.dumps(run(json.loads(line))), file=answers, flush=True)
