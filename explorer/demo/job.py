"""`python -m explorer.demo.job STORE`: as ``explorer.compute.job``, with the kind of request that makes the demo.

The request is ``{"kind": "demo"}``: fine-tune, extract and compute what the demo's store
lacks (see ``explorer.demo.run``).
"""

from __future__ import annotations

import sys

from explorer.compute.job import main
from explorer.compute.requests import KINDS
from explorer.demo.request import Demo

if __name__ == "__main__":
    KINDS.append(Demo)
    sys.exit(main(sys.argv[1:]))
