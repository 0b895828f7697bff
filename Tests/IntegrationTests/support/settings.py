"""The tests' settings, which come from the environment; conftest.py explains each variable.

The variables are taken out of it: the program knows its own only, and is not to meet these.
"""

import os
import pathlib
import random

REPOSITORY = pathlib.Path(__file__).resolve().parents[3]

PROGRAM = os.path.abspath(os.environ.get("LOOPBRIDGE_PROGRAM", REPOSITORY / ".build/debug/loopbridge"))
IS_RELEASE = os.environ.get("LOOPBRIDGE_RELEASE") == "1"
IS_SANITIZED = os.environ.get("LOOPBRIDGE_SANITIZED") == "1"
CHAOS_SECONDS = float(os.environ.get("LOOPBRIDGE_CHAOS_SECONDS", "8"))
STREAM_GIB = float(os.environ.get("LOOPBRIDGE_STREAM_GIB", "2"))
DNS_QUERIES = int(os.environ.get("LOOPBRIDGE_DNS_QUERIES", "10000"))
BODY_GIB = float(os.environ.get("LOOPBRIDGE_BODY_GIB", "0.5"))
PICTURES = os.environ.get("LOOPBRIDGE_PICTURES")
SCRAPE_SECONDS = float(os.environ.get("LOOPBRIDGE_SCRAPE_SECONDS", "12"))
RESTARTS = int(os.environ.get("LOOPBRIDGE_RESTARTS", "5"))
LOG_SLEEP = float(os.environ.get("LOOPBRIDGE_LOG_SLEEP", "3"))
UPLOADS = int(os.environ.get("LOOPBRIDGE_UPLOADS", "400"))
SEQUENCES = int(os.environ.get("LOOPBRIDGE_SEQUENCES", "0"))
SEED = int(os.environ.get("LOOPBRIDGE_SEED", random.randrange(1 << 32)))
CERTIFICATE_SWAPS = int(os.environ.get("LOOPBRIDGE_CERTIFICATE_SWAPS", "4"))

for _name in [name for name in os.environ if name.startswith("LOOPBRIDGE_")]:
    del os.environ[_name]

os.environ["SWIFT_BACKTRACE"] = "interactive=no,color=no"
# The thread sanitizer waits a second at a program's end, in which a second SIGTERM would kill it.
if IS_SANITIZED:
    os.environ.setdefault("TSAN_OPTIONS", "atexit_sleep_ms=0")
