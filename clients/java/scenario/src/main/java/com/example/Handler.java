package com.example;

import com.example.conduit.model.CounterpartyNotification;
import com.example.conduit.model.CustomerNotification;
import com.example.conduit.model.TransactionNotification;
import com.example.equalsmoney.model.Notification;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.sun.net.httpserver.Headers;
import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpHandler;
import java.io.IOException;
import java.time.Instant;
import java.util.function.BiConsumer;

/** Receives webhooks: verified, typed, each once. Copy this file with {@code Verify}; it needs the JDK and Jackson. */
public final class Handler {
    /** An event; tell the kinds apart with {@code instanceof}. */
    public sealed interface Event {}

    /** An event of Conduit, such as {@code counterparty.active}. */
    public record Counterparty(CounterpartyNotification notification) implements Event {}

    /** An event of Conduit, such as {@code customer.created}. */
    public record Customer(CustomerNotification notification) implements Event {}

    /** An event of Conduit, such as {@code transaction.completed}. */
    public record Transaction(TransactionNotification notification) implements Event {}

    /** An event of Equals Money; {@code webhookEventTypeName} of its body is its type. */
    public record EqualsMoney(Notification notification) implements Event {}

    /**
     * An event of a type that is newer than this file, or that does not fit its type. Keep it, and answer 2xx all the same.
     *
     * @param type the type
     * @param body the whole
     */
    public record Unknown(String type, JsonNode body) implements Event {}

    /** An event with its id. */
    record Received(String id, Event event) {}

    private interface Read {
        Received read(Headers headers, byte[] body) throws Verify.SignatureException, IOException;
    }

    private static final int MAX_BODY = 1 << 20;

    private Handler() {}

    /**
     * Handles deliveries of Conduit.
     *
     * @param secret the secret of the webhook
     * @param mapper reads JSON as the generated client does
     * @param once handles an event unless it did before with the same id: keep the ids in the database, under a unique key, in the
     *     transaction that does the work
     * @return the handler
     */
    public static HttpHandler conduit(String secret, ObjectMapper mapper, BiConsumer<String, Event> once) {
        return exchange -> receive(exchange, once, (headers, body) -> {
            String timestamp = headers.getFirst("conduit-signature-timestamp");
            Verify.conduit(secret, headers.getFirst("conduit-signature"), timestamp, body, Instant.now());
            String id = headers.getFirst("conduit-webhook-idempotency-key");
            return new Received(id == null ? "" : id, parseConduit(mapper, body));
        });
    }

    /**
     * Handles notifications of Equals Money.
     *
     * @param secret the shared secret of the webhook
     * @param mapper reads JSON as the generated client does
     * @param once as for Conduit
     * @return the handler
     */
    public static HttpHandler equalsMoney(String secret, ObjectMapper mapper, BiConsumer<String, Event> once) {
        return exchange -> receive(exchange, once, (headers, body) -> {
            Verify.equalsMoney(secret, headers.getFirst("x-em-signature"), body);
            JsonNode whole = mapper.readTree(body);
            JsonNode inner = whole.path("body");
            Event event = typed(mapper, text(inner, "webhookEventTypeName"), whole, Notification.class);
            return new Received(text(inner, "messageId"), event);
        });
    }

    /**
     * Reads an event of Conduit.
     *
     * @param mapper reads JSON as the generated client does
     * @param body the body as it came
     * @return the event
     * @throws IOException when the body is none
     */
    public static Event parseConduit(ObjectMapper mapper, byte[] body) throws IOException {
        JsonNode whole = mapper.readTree(body);
        String type = text(whole, "event");
        return switch (type.split("\\.", 2)[0]) {
            case "counterparty" -> typed(mapper, type, whole, CounterpartyNotification.class);
            case "customer" -> typed(mapper, type, whole, CustomerNotification.class);
            case "transaction" -> typed(mapper, type, whole, TransactionNotification.class);
            default -> new Unknown(type, whole);
        };
    }

    private static Event typed(ObjectMapper mapper, String type, JsonNode whole, Class<?> kind) {
        try {
            Object one = mapper.treeToValue(whole, kind);
            if (one instanceof CounterpartyNotification notification) {
                return new Counterparty(notification);
            } else if (one instanceof CustomerNotification notification) {
                return new Customer(notification);
            } else if (one instanceof TransactionNotification notification) {
                return new Transaction(notification);
            } else if (one instanceof Notification notification) {
                return new EqualsMoney(notification);
            }
        } catch (IOException | IllegalArgumentException misfit) {
            // It is kept as it is.
        }
        return new Unknown(type, whole);
    }

    private static String text(JsonNode node, String name) throws IOException {
        JsonNode value = node == null ? null : node.get(name);
        if (value == null || !value.isTextual()) {
            throw new IOException("the body is not an event");
        }
        return value.textValue();
    }

    private static void receive(HttpExchange exchange, BiConsumer<String, Event> once, Read read) throws IOException {
        try (exchange) {
            byte[] body = exchange.getRequestBody().readNBytes(MAX_BODY);
            try {
                Received received = read.read(exchange.getRequestHeaders(), body);
                once.accept(received.id(), received.event());
                exchange.sendResponseHeaders(204, -1);
            } catch (Verify.SignatureException | IOException refusal) {
                exchange.sendResponseHeaders(400, -1);
            }
        }
    }
}
