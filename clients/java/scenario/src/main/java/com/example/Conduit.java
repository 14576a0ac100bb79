package com.example;

import static com.example.Step.check;
import static com.example.Step.step;

import com.example.conduit.ApiClient;
import com.example.conduit.ApiException;
import com.example.conduit.api.WebhooksApi;
import com.example.conduit.model.BadRequestErrorResponse;
import com.example.conduit.model.CreateWebhookRequest;
import com.example.conduit.model.ErrorResponse;
import com.example.conduit.model.PatchWebhookRequest;
import com.example.conduit.model.RetrievedWebhook;
import com.example.conduit.model.TransactionNotification;
import com.example.conduit.model.TransactionStatus;
import com.example.conduit.model.Webhook;
import com.example.conduit.model.WebhookEvent;
import com.example.conduit.model.WebhookStatus;
import com.example.operator.api.EventsApi;
import com.example.operator.model.Provider;
import com.example.operator.model.PublishRequest;
import java.net.URI;
import java.net.http.HttpRequest;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;

/** The steps of Conduit. */
final class Conduit {
    private final String server;
    private final Receiver receiver = new Receiver();
    private RetrievedWebhook webhook;

    Conduit(String server) throws Exception {
        this.server = server;
    }

    private static WebhooksApi connect(String server, String secret, Consumer<HttpRequest.Builder> change) {
        ApiClient client = new ApiClient();
        client.updateBaseUri(server + "/conduit");
        Consumer<HttpRequest.Builder> authorize =
                request -> request.setHeader("X-API-Key", "sandbox-key").setHeader("X-API-Secret", secret);
        client.setRequestInterceptor(authorize.andThen(change));
        return new WebhooksApi(client);
    }

    private CreateWebhookRequest wanted(String url) {
        return new CreateWebhookRequest()
                .url(URI.create(url))
                .status(WebhookStatus.DISABLED)
                .addEventsItem(WebhookEvent.CUSTOMER_CREATED);
    }

    private static <T> T refused(Class<T> type, int status, Step.Source<?> call) throws Exception {
        try {
            throw new AssertionError("not refused: " + call.get());
        } catch (ApiException refusal) {
            return Step.typed(type, status, refusal.getCode(), refusal.getResponseBody(), ApiClient.createDefaultObjectMapper());
        }
    }

    void take() {
        try (receiver) {
            step("conduit: create a webhook, and read it with its secret", this::create);
            step("conduit: receive an event, and verify its signature", this::receive);
            WebhooksApi api = connect(server, "sandbox-secret", request -> {});
            step("conduit: list webhooks in pages", () -> pages(api));
            step("conduit: update the webhook", () -> {
                PatchWebhookRequest changes = new PatchWebhookRequest().status(WebhookStatus.DISABLED);
                Webhook changed = api.patchWebhook(webhook.getId(), changes, null);
                check(changed.getStatus() == WebhookStatus.DISABLED && changed.getEvents().equals(webhook.getEvents()), changed);
            });
            errors(api);
            step("conduit: delete the webhook", () -> {
                api.deleteWebhook(webhook.getId(), null);
                refused(ErrorResponse.class, 404, () -> api.getWebhook(webhook.getId(), null));
            });
        }
    }

    private void create() throws Exception {
        URI url = URI.create(receiver.url());
        webhook = Example.register(server, url);
        check(webhook.getUrl().equals(url) && webhook.getStatus() == WebhookStatus.ENABLED, webhook);
        check(webhook.getEvents().equals(List.of(WebhookEvent.TRANSACTION_COMPLETED)), webhook);
    }

    private void receive() throws Exception {
        EventsApi operator = new EventsApi(Operator.connect(server, "sandbox-operator", request -> {}));
        PublishRequest event = new PublishRequest()
                .provider(Provider.CONDUIT).type("transaction.completed").clientId("client_2ofTA13AD0xBtbEvBl20aEb1hEu");
        check(operator.publishEvent(event, null).getDeliveries() == 1, "not delivered");
        Receiver.Received request = receiver.next();
        String signature = request.header("conduit-signature");
        String timestamp = request.header("conduit-signature-timestamp");
        TransactionNotification notification = Example.receive(webhook.getSecret(), signature, timestamp, request.body());
        check(notification.getEvent() == WebhookEvent.TRANSACTION_COMPLETED, notification);
        check(notification.getData().getTransaction().getStatus() == TransactionStatus.COMPLETED, notification);
    }

    private void pages(WebhooksApi api) throws Exception {
        Webhook other = api.createWebhook(wanted(receiver.url()), null);
        List<String> ids = new ArrayList<>();
        String after = null;
        do {
            var page = api.listWebhooks(null, 1, after);
            check(page.getData().size() == 1, page);
            page.getData().forEach(one -> ids.add(one.getId()));
            after = page.getPagination().getNext();
        } while (after != null);
        check(ids.equals(List.of(webhook.getId(), other.getId())), ids);
    }

    private void errors(WebhooksApi api) {
        step("conduit: error 400", () -> {
            var error = refused(BadRequestErrorResponse.class, 400, () -> api.createWebhook(wanted("ftp://x"), null));
            check(error.getErrors().get(0).getPointer().equals("/url"), error);
        });
        step("conduit: error 401", () -> {
            WebhooksApi wrong = connect(server, "wrong", request -> {});
            titled(refused(ErrorResponse.class, 401, () -> wrong.listWebhooks(null, null, null)));
        });
        step("conduit: error 404", () ->
                titled(refused(ErrorResponse.class, 404, () -> api.getWebhook("whk_" + "0".repeat(27), null))));
        step("conduit: error 405", () -> {
            WebhooksApi put = connect(server, "sandbox-secret", Operator::put);
            titled(refused(ErrorResponse.class, 405, () -> put.getWebhook(webhook.getId(), null)));
        });
        step("conduit: error 413", () -> {
            CreateWebhookRequest large = wanted("https://example.com/" + "x".repeat(300_000));
            titled(refused(ErrorResponse.class, 413, () -> api.createWebhook(large, null)));
        });
        step("conduit: error 415", () -> {
            WebhooksApi text = connect(server, "sandbox-secret", Operator::plainText);
            titled(refused(ErrorResponse.class, 415, () -> text.createWebhook(wanted(receiver.url()), null)));
        });
    }

    private static void titled(ErrorResponse error) {
        check(error.getTitle() != null && !error.getTitle().isEmpty(), error);
    }
}
