"""Verifies the signatures of webhooks. Copy this file: it needs nothing but the standard library.

Hand over the body as it came, byte for byte. JSON that was parsed and written again is another body.
"""

import base64
import hashlib
import hmac
import re
import time

TOLERANCE_SECONDS = 300
"""How far the timestamp of a Conduit delivery may be from now, either way.

A sandbox with `--clock-speed` signs times that run ahead of now, so that its deliveries soon are "stale": test at normal speed.
"""


class SignatureError(Exception):
    """Do not trust the delivery; answer 400.

    `reason` is `malformed` (a header is missing or is not as documented), `stale` (the time is too far off), or `mismatch`.
    """

    def __init__(self, reason: str) -> None:
        super().__init__(f"the signature is not valid: {reason}")
        self.reason = reason


def verify_conduit(
    secret: str, signature: str | None, timestamp: str | None, body: bytes, now: float | None = None
) -> None:
    """Verifies a delivery of Conduit, or raises a `SignatureError`.

    `secret` is that of `GET /webhooks/{id}`, `signature` the header `conduit-signature`, `timestamp` the header
    `conduit-signature-timestamp`, and `now` Unix seconds.
    """
    if signature is None or not re.fullmatch("[0-9a-f]{64}", signature):
        raise SignatureError("malformed")
    if timestamp is None or not re.fullmatch("[0-9]{1,11}", timestamp):
        raise SignatureError("malformed")
    expected = hmac.new(secret.encode(), timestamp.encode() + b"." + body, hashlib.sha256).hexdigest()
    if not hmac.compare_digest(expected, signature):
        raise SignatureError("mismatch")
    if abs((time.time() if now is None else now) - int(timestamp)) > TOLERANCE_SECONDS:
        raise SignatureError("stale")


def verify_equals_money(shared_secret: str, signature: str | None, body: bytes) -> None:
    """Verifies a notification of Equals Money, or raises a `SignatureError`. It has no timestamp: tell repeats by `messageId`.

    `shared_secret` is that of the webhook, and `signature` the header `x-em-signature`.
    """
    if signature is None or not re.fullmatch("[A-Za-z0-9+/]{43}=", signature):
        raise SignatureError("malformed")
    digest = hmac.new(shared_secret.encode(), body, hashlib.sha256).digest()
    if not hmac.compare_digest(base64.b64encode(digest), signature.encode()):
        raise SignatureError("mismatch")
