/**
 * Verifies the signatures of webhooks. Copy this file: it needs nothing but Node.
 *
 * Hand over the body as it came, byte for byte. JSON that was parsed and written again is another body.
 */

import { createHmac, timingSafeEqual } from "node:crypto";

/**
 * How far the timestamp of a Conduit delivery may be from now, in seconds, either way. A sandbox with `--clock-speed` signs times that
 * run ahead of now, so that its deliveries soon are "stale": test at normal speed.
 */
export const TOLERANCE_SECONDS = 300;

/** What is wrong with a signature: a header is missing or malformed, the time is too far off, or it was made of something else. */
export type Reason = "malformed" | "stale" | "mismatch";

/** Do not trust the delivery; answer 400. */
export class SignatureError extends Error {
  override readonly name = "SignatureError";

  constructor(readonly reason: Reason) {
    super(`the signature is not valid: ${reason}`);
  }
}

/**
 * Verifies a delivery of Conduit, or throws a {@link SignatureError}.
 *
 * @param secret the `secret` of `GET /webhooks/{id}`
 * @param signature the header `conduit-signature`
 * @param timestamp the header `conduit-signature-timestamp`
 * @param body the body as it came
 * @param now Unix seconds
 */
export function verifyConduit(
  secret: string,
  signature: string | string[] | null | undefined,
  timestamp: string | string[] | null | undefined,
  body: Uint8Array,
  now: number = Date.now() / 1000,
): void {
  if (typeof signature !== "string" || !/^[0-9a-f]{64}$/.test(signature)) throw new SignatureError("malformed");
  if (typeof timestamp !== "string" || !/^[0-9]{1,11}$/.test(timestamp)) throw new SignatureError("malformed");
  const expected = createHmac("sha256", secret).update(`${timestamp}.`).update(body).digest();
  if (!timingSafeEqual(expected, Buffer.from(signature, "hex"))) throw new SignatureError("mismatch");
  if (Math.abs(now - Number(timestamp)) > TOLERANCE_SECONDS) throw new SignatureError("stale");
}

/**
 * Verifies a notification of Equals Money, or throws a {@link SignatureError}. It has no timestamp: tell repeats by its `messageId`.
 *
 * @param sharedSecret the `sharedSecret` of the webhook
 * @param signature the header `x-em-signature`
 * @param body the body as it came
 */
export function verifyEqualsMoney(sharedSecret: string, signature: string | string[] | null | undefined, body: Uint8Array): void {
  if (typeof signature !== "string" || !/^[A-Za-z0-9+/]{43}=$/.test(signature)) throw new SignatureError("malformed");
  const expected = createHmac("sha256", sharedSecret).update(body).digest();
  if (!timingSafeEqual(expected, Buffer.from(signature, "base64"))) throw new SignatureError("mismatch");
}
