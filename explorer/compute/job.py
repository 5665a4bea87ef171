"""`python -m explorer.compute.job STORE`: one request as a child process of a program that must not stall.

The request is one line of JSON on stdin (``requests.request_line``), an object with the kind of a request and its
fields; those that are left out take their defaults:

    {"kind": "compute", "selection": {"measure": "svcca", "corpus": "test", "tasks": ["sst2"], "steps": "0,20,100-500",
                   "against": "previous", "parameters": [["variance", 0.9]]}, "workers": 2, "device": "cpu"}
    {"kind": "annotate", "corpus": "test", "file": "topics.tsv", "label": "topic"}

Progress is lines of JSON on stdout (``protocol.read_message``), each an object with a ``kind``:

    {"kind": "update", "done": 4, "total": 13, "known": 26, "current": "layer 3 of sst2/1/20 against pretrained/0/0"}
    {"kind": "outcome", "computed": 13, "known": 26, "failures": [{"where": ..., "message": ...}], "notes": [...],
     "cancelled": false, "said": [...]}
    {"kind": "refused", "message": "--corpus: the store has no 'tset', only test."}

Updates come at most four times a second, the first as soon as it is known what is to be done. The last line is an
outcome or a refusal. ``done`` counts in the units of the request; a computed value is in the store half a second after
its task has ended, and all of what the outcome counts is there before it.

SIGTERM, SIGINT and a closed stdout cancel: what was finished is kept, no child is left, the outcome says ``cancelled``.

Exit codes: 0 all is done, 1 in part (failures), 2 refused, 143 cancelled. A traceback on stderr is a bug.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable
from pathlib import Path

from explorer.compute.pool import termination_interrupts
from explorer.compute.protocol import Message, Outcome, Refused, Update, message_line
from explorer.compute.requests import read_request
from store.errors import BertdynError
from store.memory import shortage

SECONDS_BETWEEN_UPDATES = 0.25
CANCELLED = 143


def main(arguments: list[str]) -> int:
    """Answer the request on stdin for the store named by the only argument; returns the exit code."""
    if len(arguments) != 1:
        print("usage: python -m explorer.compute.job STORE < request.json", file=sys.stderr)
        return 2
    os.nice(5)  # the program that asked paints on the same cores
    try:
        with termination_interrupts():
            outcome = read_request(sys.stdin.readline()).run(Path(arguments[0]), throttled(_say))
    except BertdynError as error:
        _say(Refused(str(error)))
        return 2
    except Exception as error:
        if not (told := shortage(error)):
            raise
        _say(Refused(told))
        return 2
    except KeyboardInterrupt:  # before anything was done, or of a request that counts nothing by itself
        outcome = Outcome(0, 0, cancelled=True)
    _say(outcome)
    return CANCELLED if outcome.cancelled else 1 if outcome.failures else 0


def throttled(say: Callable[[Update], None], seconds: float = SECONDS_BETWEEN_UPDATES) -> Callable[[Update], None]:
    """Let the first update through, the one that completes, and of the others at most one per ``seconds``."""
    last = -seconds

    def maybe(update: Update) -> None:
        nonlocal last
        now = time.monotonic()
        if now - last >= seconds or update.done == update.total:
            last = now
            say(update)

    return maybe


def _say(message: Message) -> None:
    try:
        print(message_line(message), flush=True)
    except BrokenPipeError:  # nobody listens any more
        sys.stdout = open(os.devnull, "w")  # noqa: SIM115  (else the interpreter complains when it flushes at exit)
        if isinstance(message, Update):
            raise KeyboardInterrupt from None


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
