package com.example;

import static com.example.Step.check;
import static com.example.Step.step;

import com.example.operator.ApiClient;
import com.example.operator.ApiException;
import com.example.operator.api.DeliveriesApi;
import com.example.operator.api.EventsApi;
import com.example.operator.api.WebhooksApi;
import com.example.operator.model.DeliveryDetail;
import com.example.operator.model.DeliveryState;
import com.example.operator.model.Event;
import com.example.operator.model.Problem;
import com.example.operator.model.Provider;
import com.example.operator.model.PublishRequest;
import com.example.operator.model.PublishedEvent;
import com.example.operator.model.Webhook;
import java.net.http.HttpRequest;
import java.util.List;
import java.util.function.Consumer;

/** The steps of the operator API. */
final class Operator {
    private final String server;

    Operator(String server) {
        this.server = server;
    }

    static ApiClient connect(String server, String key, Consumer<HttpRequest.Builder> change) {
        ApiClient client = new ApiClient();
        client.updateBaseUri(server + "/operator/v1");
        Consumer<HttpRequest.Builder> authorize = request -> request.setHeader("Authorization", "Bearer " + key);
        client.setRequestInterceptor(authorize.andThen(change));
        return client;
    }

    /** Sends another method than a typed call can. */
    static void put(HttpRequest.Builder request) {
        request.method("PUT", HttpRequest.BodyPublishers.noBody());
    }

    /** Sends another content type than a typed call can. */
    static void plainText(HttpRequest.Builder request) {
        request.setHeader("Content-Type", "text/plain");
    }

    private EventsApi events(String key, Consumer<HttpRequest.Builder> change) {
        return new EventsApi(connect(server, key, change));
    }

    private static PublishRequest publication(String type) {
        return new PublishRequest().provider(Provider.EQUALS_MONEY).type(type);
    }

    private static Problem refused(int status, Step.Source<?> call) throws Exception {
        try {
            throw new AssertionError("not refused: " + call.get());
        } catch (ApiException refusal) {
            var mapper = ApiClient.createDefaultObjectMapper();
            Problem problem = Step.typed(Problem.class, status, refusal.getCode(), refusal.getResponseBody(), mapper);
            check(problem.getStatus() == status && problem.getType().toString().equals("about:blank"), problem);
            return problem;
        }
    }

    void take() {
        EventsApi api = events("sandbox-operator", request -> {});
        step("operator: publish again with the same key, and get the same answer", () -> {
            PublishedEvent first = api.publishEvent(publication("OrderCreated"), "scenario");
            check(api.publishEvent(publication("OrderCreated"), "scenario").equals(first), first);
            Event event = api.getEvent(first.getId());
            check(event.getType().equals("OrderCreated") && event.getAccountId() == null, event);
            check(event.getDeliveries().getPending() == 0, event);
        });
        step("operator: list events with filters, in pages", () -> {
            api.publishEvent(publication("OrderCreated"), null);
            int found = 0;
            String cursor = null;
            do {
                var page = api.listEvents(Provider.EQUALS_MONEY, "OrderCreated", null, 1, cursor);
                found += page.getData().size();
                cursor = page.getNext();
            } while (cursor != null);
            check(found == 2, found);
        });
        step("operator: see a delivery and its attempts", this::attempts);
        step("operator: list webhooks with filters, and see one", this::webhooks);
        errors(api);
    }

    private void attempts() throws Exception {
        DeliveriesApi api = new DeliveriesApi(connect(server, "sandbox-operator", request -> {}));
        var delivery = api.listDeliveries(Provider.CONDUIT, null, null, null, null, null, null, null, 1, null).getData().get(0);
        DeliveryDetail detail = api.getDelivery(delivery.getId().toString());
        // The receiver knows before the server has stored it.
        for (int tries = 0; detail.getState() == DeliveryState.PENDING && tries < 600; tries++) {
            Thread.sleep(100);
            detail = api.getDelivery(delivery.getId().toString());
        }
        check(detail.getState() == DeliveryState.DELIVERED && detail.getNextAttemptAt() == null, detail);
        check(detail.getAttempts().size() == 1 && detail.getAttempts().get(0).getStatus() == 204, detail);
    }

    private void webhooks() throws Exception {
        WebhooksApi api = new WebhooksApi(connect(server, "sandbox-operator", request -> {}));
        // Registered by the steps of Conduit.
        List<Webhook> webhooks = api.listWebhooks(Provider.CONDUIT, null, null, null, false, null, null).getData();
        check(webhooks.size() == 1 && webhooks.get(0).getTypes().equals(List.of("customer.created")), webhooks);
        Webhook same = api.getWebhook(webhooks.get(0).getId());
        check(same.getUrl().equals(webhooks.get(0).getUrl()) && same.getRecent().getLastFailureError() == null, same);
    }

    private void errors(EventsApi api) {
        step("operator: error 400", () -> {
            Problem problem = refused(400, () -> api.listEvents(null, null, null, null, "no cursor"));
            check(problem.getErrors().get(0).getPointer().equals("cursor"), problem);
        });
        EventsApi stranger = events("wrong", request -> {});
        step("operator: error 401", () -> refused(401, () -> stranger.listEvents(null, null, null, null, null)));
        step("operator: error 404", () -> refused(404, () -> api.getEvent("evt_" + "0".repeat(27))));
        EventsApi put = events("sandbox-operator", Operator::put);
        step("operator: error 405", () -> refused(405, () -> put.listEvents(null, null, null, null, null)));
        step("operator: error 409", () -> refused(409, () -> api.publishEvent(publication("OrderCompleted"), "scenario")));
        PublishRequest large = publication("OrderCreated").putDataItem("text", "x".repeat(300_000));
        step("operator: error 413", () -> refused(413, () -> api.publishEvent(large, null)));
        EventsApi text = events("sandbox-operator", Operator::plainText);
        step("operator: error 415", () -> refused(415, () -> text.publishEvent(publication("OrderCreated"), null)));
        step("operator: error 422", () -> {
            Problem problem = refused(422, () -> api.publishEvent(publication("NoSuchType"), null));
            check(problem.getErrors().get(0).getPointer().equals("/type"), problem);
        });
    }
}
