"""Settings for every test: how hypothesis searches.

The profile is `ci` unless HYPOTHESIS_PROFILE names another: the same examples every time, so that a red run
is red again. `search` looks further and at random: HYPOTHESIS_PROFILE=search make test ARGS=tests/compiler
"""

from __future__ import annotations

import os

from hypothesis import HealthCheck, settings

# No deadlines and no health check on speed: tests run on shared machines, whose clocks prove nothing.
_UNTIMED = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])

settings.register_profile("ci", _UNTIMED, derandomize=True)
settings.register_profile("search", _UNTIMED, max_examples=2000)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "ci"))
