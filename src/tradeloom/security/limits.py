"""Every size, time and count the security room bounds itself by, each with its reason."""

from __future__ import annotations

from typing import Final

# ---- passwords -------------------------------------------------------------------------------

# RFC 9106, second recommended set: 64 MiB, three passes, four lanes: a quarter second here, and
# too much memory for a cracker's graphics card. Raising them rehashes each password at sign-in.
ARGON2_MEMORY_KIB: Final = 64 << 10
ARGON2_PASSES: Final = 3
ARGON2_LANES: Final = 4
# Hashes computed at once: two cores' worth, and 128 MiB at the very most.
HASHES_AT_ONCE: Final = 2
# Sign-ins waiting for a hash; past it the answer is "busy" instead of minutes of queue.
HASHES_WAITING_MAX: Final = 64
# When to come back then: that queue is served in about ten seconds.
BUSY_RETRY_S: Final = 5.0
# NIST SP 800-63B: length is what counts. The upper bound keeps hashing cheap on hostile text.
PASSWORD_LENGTH_MIN: Final = 10
PASSWORD_LENGTH_MAX: Final = 128
LOGIN_LENGTH_MIN: Final = 2
LOGIN_LENGTH_MAX: Final = 64
NAME_LENGTH_MAX: Final = 128
# Characters of a generated password, of 56 unmistakable ones: 116 bits.
GENERATED_PASSWORD_LENGTH: Final = 20

# ---- tokens ----------------------------------------------------------------------------------

# Short, so that a stolen access token dies by itself; long enough that a browser refreshes rarely.
ACCESS_TOKEN_S: Final = 600
# Clocks of two of our machines may differ by this much.
CLOCK_LEEWAY_S: Final = 5
# A session ends when it was not refreshed for two weeks, and after a quarter year in any case.
SESSION_IDLE_S: Final = 14 * 86_400
SESSION_MAX_S: Final = 90 * 86_400
# Sessions of one user; the oldest ends when one more begins. Nobody has so many devices.
SESSIONS_MAX: Final = 20
# Ended sessions are kept for questions ("who was that?") this long.
ENDED_SESSION_KEPT_S: Final = 30 * 86_400
# A token longer than this is not one of ours; checked before anything is computed from it.
TOKEN_CHARACTERS_MAX: Final = 1_024
# Old signing keys that still verify: one is enough, as access tokens live for minutes.
OLD_KEYS_KEPT: Final = 1
AGENT_LENGTH_MAX: Final = 256
ADDRESS_LENGTH_MAX: Final = 64

# ---- API keys --------------------------------------------------------------------------------

API_KEYS_MAX: Final = 50
# When a key was last used is worth one write a minute, not one per request.
KEY_USED_EVERY_S: Final = 60

# ---- second factor ---------------------------------------------------------------------------

# RFC 6238: one step of 30 s either way for slow clocks and slow fingers.
TOTP_STEP_S: Final = 30
TOTP_WINDOW: Final = 1
RECOVERY_CODES: Final = 10

# ---- guessing --------------------------------------------------------------------------------

# Failures that cost nothing, then each doubles the wait: 1 s, 2 s, 4 s … to a quarter of an hour.
# Per address more are free, because an office shares one.
LOCKOUT_FREE_LOGIN: Final = 4
LOCKOUT_FREE_ADDRESS: Final = 20
LOCKOUT_FIRST_S: Final = 1.0
LOCKOUT_MAX_S: Final = 900.0
# Failures are forgotten after this long without another.
LOCKOUT_FORGET_S: Final = 3_600.0
# Logins and addresses remembered at once; the longest untouched is forgotten first.
LOCKOUT_ENTRIES_MAX: Final = 100_000

# Attempts, whatever their outcome, in the notation of the `limits` library.
SIGN_IN_PER_ADDRESS: Final = "60/minute"
SIGN_IN_PER_LOGIN: Final = "20/minute"
SIGN_UP_PER_ADDRESS: Final = "20/hour"
REFRESH_PER_ADDRESS: Final = "240/minute"
# One part of a venue's key: an EC or RSA private key in PEM is below 4 kB.
VAULT_VALUE_LENGTH_MAX: Final = 8_192
