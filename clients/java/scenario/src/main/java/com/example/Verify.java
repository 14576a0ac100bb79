package com.example;

import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.security.MessageDigest;
import java.time.Duration;
import java.time.Instant;
import java.util.Base64;
import java.util.HexFormat;
import javax.crypto.Mac;
import javax.crypto.spec.SecretKeySpec;

/**
 * Verifies the signatures of webhooks. Copy this file: it needs nothing but Java 17.
 *
 * <p>Hand over the body as it came, byte for byte. JSON that was parsed and written again is another body.
 */
public final class Verify {
    /**
     * How far the timestamp of a Conduit delivery may be from now, either way. A sandbox with {@code --clock-speed} signs times that run
     * ahead of now, so that its deliveries soon are stale: test at normal speed.
     */
    public static final Duration TOLERANCE = Duration.ofSeconds(300);

    /** What is wrong with a signature. */
    public enum Reason {
        /** A header is missing or is not as documented. */
        MALFORMED,
        /** The timestamp is too far from now. */
        STALE,
        /** The signature was made of another body or with another secret. */
        MISMATCH
    }

    /** Do not trust the delivery; answer 400. */
    public static final class SignatureException extends Exception {
        private static final long serialVersionUID = 1;

        private final Reason reason;

        SignatureException(Reason reason) {
            super("the signature is not valid: " + reason);
            this.reason = reason;
        }

        /** What is wrong. */
        public Reason reason() {
            return reason;
        }
    }

    private Verify() {}

    /**
     * Verifies a delivery of Conduit.
     *
     * @param secret the {@code secret} of {@code GET /webhooks/{id}}
     * @param signature the header {@code conduit-signature}, or null
     * @param timestamp the header {@code conduit-signature-timestamp}, or null
     * @param body the body as it came
     * @param now the time
     * @throws SignatureException when the delivery must not be trusted
     */
    public static void conduit(String secret, String signature, String timestamp, byte[] body, Instant now)
            throws SignatureException {
        if (signature == null || !signature.matches("[0-9a-f]{64}")) {
            throw new SignatureException(Reason.MALFORMED);
        }
        if (timestamp == null || !timestamp.matches("[0-9]{1,11}")) {
            throw new SignatureException(Reason.MALFORMED);
        }
        byte[] start = (timestamp + ".").getBytes(StandardCharsets.UTF_8);
        compare(hmac(secret, start, body), HexFormat.of().parseHex(signature));
        Instant signed = Instant.ofEpochSecond(Long.parseLong(timestamp));
        if (Duration.between(signed, now).abs().compareTo(TOLERANCE) > 0) {
            throw new SignatureException(Reason.STALE);
        }
    }

    /**
     * Verifies a notification of Equals Money. It has no timestamp: tell repeats by their {@code messageId}.
     *
     * @param sharedSecret the {@code sharedSecret} of the webhook
     * @param signature the header {@code x-em-signature}, or null
     * @param body the body as it came
     * @throws SignatureException when the notification must not be trusted
     */
    public static void equalsMoney(String sharedSecret, String signature, byte[] body) throws SignatureException {
        if (signature == null || !signature.matches("[A-Za-z0-9+/]{43}=")) {
            throw new SignatureException(Reason.MALFORMED);
        }
        compare(hmac(sharedSecret, body), Base64.getDecoder().decode(signature));
    }

    /** In constant time. */
    private static void compare(byte[] expected, byte[] given) throws SignatureException {
        if (!MessageDigest.isEqual(expected, given)) {
            throw new SignatureException(Reason.MISMATCH);
        }
    }

    private static byte[] hmac(String secret, byte[]... parts) {
        try {
            Mac mac = Mac.getInstance("HmacSHA256");
            mac.init(new SecretKeySpec(secret.getBytes(StandardCharsets.UTF_8), "HmacSHA256"));
            for (byte[] part : parts) {
                mac.update(part);
            }
            return mac.doFinal();
        } catch (GeneralSecurityException impossible) {
            throw new IllegalStateException(impossible);
        }
    }
}
