"""`python -m explorer.ui.answer STORE`: one statement, answered in a process of its own.

A statement may sort millions of rows: its memory is no part of an explorer that is open all day, and a kill ends it at
once wherever it is. The statement is one JSON object on stdin; the answer, a pickled ``Table``, goes to the explorer
that asked and to nobody else. Who asked and went away needs no answer: a closed stdin ends it.

Exit codes: 0 answered, 2 refused, with the reason as the last line on stderr.
"""

from __future__ import annotations

import json
import os
import pickle
import sys
import threading
from pathlib import Path

from store.errors import BertdynError

REFUSED = 2


def request(sql: str, most: int | None) -> bytes:
    """What the child reads: a statement, and the most rows to give (one more tells that there are more)."""
    return json.dumps({"sql": sql, "most": most}).encode() + b"\n"


def main(arguments: list[str]) -> int:
    """Answer the statement on stdin from the store named by the only argument; returns the exit code."""
    os.nice(5)  # the program that asked paints on the same cores
    asked = json.loads(sys.stdin.buffer.readline())
    threading.Thread(target=_end_with_who_asked, daemon=True).start()
    from explorer.measures.registry import all_measures
    from store.store import Store

    try:
        table = Store.open(Path(arguments[0])).query(asked["sql"], asked["most"], [m.name for m in all_measures()])
    except BertdynError as error:
        print(json.dumps(str(error)), file=sys.stderr)
        return REFUSED
    pickle.dump(table, sys.stdout.buffer)
    sys.stdout.buffer.flush()
    return 0


def _end_with_who_asked() -> None:
    os.read(sys.stdin.fileno(), 1)
    os._exit(1)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
