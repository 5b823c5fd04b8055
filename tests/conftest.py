"""Settings of the test suite.

By default hypothesis tries few examples, and the same ones each time. For a long search:

    HYPOTHESIS_PROFILE=thorough pytest tests/microgrrepresent
"""

import os

from hypothesis import HealthCheck, settings

quiet = [HealthCheck.too_slow, HealthCheck.data_too_large]
settings.register_profile(
    "fast",
    max_examples=20,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=quiet,
)
settings.register_profile("thorough", max_examples=200, deadline=None, suppress_health_check=quiet)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "fast"))
