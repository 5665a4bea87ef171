"""What holds for every test, and for the processes that tests start."""

import os

# Tests share the cores with each other: OpenMP threads that spin while they wait make small products 15 times slower.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
