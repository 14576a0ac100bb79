package com.example;

import static com.example.Step.check;
import static com.example.Step.step;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Instant;
import java.util.Locale;

/** Runs every step against the server that the environment names; use {@code clients/run}. */
public final class Scenario {
    private interface Verification {
        void run() throws Verify.SignatureException;
    }

    private Scenario() {}

    public static void main(String[] arguments) throws Exception {
        String server = System.getenv("SERVER");
        step("verify: every test vector", () -> checkVectors(Path.of(System.getenv("VECTORS"))));
        new Conduit(server).take();
        new EqualsMoney(server, System.getenv("LIMITED_SERVER")).take();
        new Operator(server).take();
        // The HTTP clients keep threads.
        System.exit(0);
    }

    private static void checkVectors(Path path) throws Exception {
        JsonNode vectors = new ObjectMapper().readTree(path.toFile());
        check(vectors.get("conduit").size() > 0 && vectors.get("equals-money").size() > 0, "there are vectors");
        for (JsonNode one : vectors.get("conduit")) {
            Instant now = Instant.ofEpochSecond(one.get("now").longValue());
            compare(one, () -> Verify.conduit(text(one, "secret"), text(one, "signature"), text(one, "timestamp"), body(one), now));
        }
        for (JsonNode one : vectors.get("equals-money")) {
            compare(one, () -> Verify.equalsMoney(text(one, "secret"), text(one, "signature"), body(one)));
        }
    }

    /** A text, or null. */
    private static String text(JsonNode one, String name) {
        return one.get(name).textValue();
    }

    private static byte[] body(JsonNode one) {
        return text(one, "body").getBytes(StandardCharsets.UTF_8);
    }

    /** Compares how a verification ends with the word of its vector. */
    private static void compare(JsonNode one, Verification verification) {
        String word = "valid";
        try {
            verification.run();
        } catch (Verify.SignatureException refusal) {
            word = refusal.reason().name().toLowerCase(Locale.ROOT);
        }
        check(word.equals(text(one, "expect")), text(one, "name") + ": " + word);
    }
}
