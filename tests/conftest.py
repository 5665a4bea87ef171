"""What holds for every test, and for the processes that tests start."""

import os

import pytest
from hypothesis import settings

# Tests share the cores with each other: OpenMP threads that spin while they wait make small products 15 times slower.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

# How long one example takes says how busy the machine is, not whether the code is right.
settings.register_profile("shared machine", deadline=None)
settings.load_profile("shared machine")


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with what one worker must do alone: as the last it would keep one core waiting for minutes. Leave out what
    takes long and tells little that other tests do not, unless it is asked for."""
    if not os.environ.get("BERTDYN_LONG"):
        for item in items:
            if item.get_closest_marker("on_demand") is not None:
                item.add_marker(pytest.mark.skip(reason="takes long: set BERTDYN_LONG=1"))
    items.sort(key=lambda item: item.get_closest_marker("xdist_group") is None)
