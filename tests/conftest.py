"""What every test shares."""

import signal

from hypothesis import settings

# Speed is no test's business: it depends on the machine. And a failure must come again.
settings.register_profile("project", deadline=None, derandomize=True)
settings.load_profile("project")

# A shell that starts pytest in the background has it ignore Ctrl-C, and so would its children.
signal.signal(signal.SIGINT, signal.default_int_handler)
