"""How a shard ends the process when it must not go on, and the exit codes that say why."""

from __future__ import annotations

import logging
import os
from typing import Final, NoReturn

from .journal import JournalWriteFailed

log = logging.getLogger(__name__)

# The numbers of BSD's sysexits: input/output error, and internal software error.
EXIT_JOURNAL_FAILED: Final = 74
EXIT_ENGINE_BROKEN: Final = 70


def end_process(error: BaseException) -> NoReturn:
    """Log why and end at once: no clean-up may run on a state nobody can trust.

    After a failed write nobody knows what is on the disk; the next start reads it and finds out.
    """
    code = EXIT_JOURNAL_FAILED if isinstance(error, JournalWriteFailed) else EXIT_ENGINE_BROKEN
    log.critical("the engine stops with exit code %d: %s", code, error, exc_info=error)
    for handler in logging.getLogger().handlers:
        handler.flush()
    os._exit(code)
