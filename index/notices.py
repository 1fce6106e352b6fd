"""Lines that a person should read while a command works, such as that a download begins.

They are log records of their own logger: a program that sets nothing up for it stays silent.
"""

from __future__ import annotations

import logging

NOTICES = logging.getLogger("longshot.notices")
