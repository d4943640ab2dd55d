"""Settings of all tests."""

import os

from hypothesis import settings

# In CI the same examples are tried every time, so that a change is judged by what it changes.
settings.register_profile("ci", derandomize=True, deadline=None, database=None)
settings.register_profile("local", deadline=None)
settings.load_profile("ci" if os.environ.get("CI") else "local")
