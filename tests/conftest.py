"""Settings of the test suite.

By default hypothesis tries few examples, and the same ones each time. For a long search:

    HYPOTHESIS_PROFILE=thorough pytest tests/microgrrepresent

Where ``CI`` is set, every optional package is installed, so that a test that is skipped there is
one that nobody runs: it counts as failed.
"""

import os

import pytest
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


def _no_skips(report):
    if os.environ.get("CI") and report.skipped and not hasattr(report, "wasxfail"):
        report.outcome = "failed"
        report.longrepr = f"skipped, where nothing may be: {report.longrepr}"
    return report


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport():
    return _no_skips((yield))


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report():
    return _no_skips((yield))
