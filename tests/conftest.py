"""What every test shares."""

from hypothesis import settings

# Speed is no test's business: it depends on the machine. And a failure must come again.
settings.register_profile("project", deadline=None, derandomize=True)
settings.load_profile("project")
