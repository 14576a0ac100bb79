package com.example;

import static com.example.Step.check;
import static com.example.Step.step;

import com.example.equalsmoney.ApiClient;
import com.example.equalsmoney.ApiException;
import com.example.equalsmoney.api.WebhooksApi;
import com.example.equalsmoney.model.CreateWebhookRequest;
import com.example.equalsmoney.model.ErrorResponse;
import com.example.equalsmoney.model.Notification;
import com.example.equalsmoney.model.UpdateWebhookRequest;
import com.example.equalsmoney.model.Webhook;
import com.example.equalsmoney.model.WebhookEventTypeName;
import com.example.operator.api.EventsApi;
import com.example.operator.model.Provider;
import com.example.operator.model.PublishRequest;
import java.net.URI;
import java.net.http.HttpRequest;
import java.util.List;
import java.util.UUID;
import java.util.function.Consumer;

/** The steps of Equals Money. */
final class EqualsMoney {
    private static final String SECRET = "123e4567-e89b-12d3-a456-426614174000";

    private final String server;
    private final String limitedServer;
    private final Receiver receiver = new Receiver();
    private Webhook webhook;

    EqualsMoney(String server, String limitedServer) throws Exception {
        this.server = server;
        this.limitedServer = limitedServer;
    }

    private static WebhooksApi connect(String server, String authorization, Consumer<HttpRequest.Builder> change) {
        ApiClient client = new ApiClient();
        client.updateBaseUri(server + "/equals-money");
        Consumer<HttpRequest.Builder> authorize = request -> {
            if (authorization != null) {
                request.setHeader("Authorization", authorization);
            }
        };
        client.setRequestInterceptor(authorize.andThen(change));
        return new WebhooksApi(client);
    }

    private CreateWebhookRequest wanted() {
        return new CreateWebhookRequest()
                .url(URI.create(receiver.url()))
                .enabled(true)
                .webhookEventTypeName(WebhookEventTypeName.BOX_CREDITED)
                .accountId("F12345")
                .sharedSecret(SECRET)
                .authorizationHeader("Basic x");
    }

    private static void refused(int status, Step.Source<?> call) throws Exception {
        check(error(status, call).getStatusCode() == status, status);
    }

    private static ErrorResponse error(int status, Step.Source<?> call) throws Exception {
        try {
            throw new AssertionError("not refused: " + call.get());
        } catch (ApiException refusal) {
            var mapper = ApiClient.createDefaultObjectMapper();
            return Step.typed(ErrorResponse.class, status, refusal.getCode(), refusal.getResponseBody(), mapper);
        }
    }

    void take() {
        try (receiver) {
            WebhooksApi api = connect(server, "ApiKey sandbox-key", request -> {});
            step("equals-money: look event types up", () -> {
                var types = api.findAllWebhookEventTypes(null);
                var one = types.stream().filter(type -> type.getName().equals("BoxCredited")).findFirst().orElseThrow();
                check(api.findOneWebhookEventType(one.getId(), null).equals(one) && one.getEnabled(), one);
            });
            step("equals-money: create a webhook, and read it", () -> {
                webhook = api.findOneWebhook(api.createWebhook(wanted()).getId(), null);
                boolean same = webhook.getAccountId().equals("F12345") && webhook.getSharedSecret().equals(SECRET);
                check(same && webhook.getEnabled(), webhook);
            });
            step("equals-money: receive an event, and verify its signature", this::receive);
            step("equals-money: list webhooks with filters, in pages", () -> pages(api));
            step("equals-money: update the webhook", () -> {
                UpdateWebhookRequest changes = new UpdateWebhookRequest().enabled(false).sharedSecret(null);
                Webhook changed = api.updateWebhook(webhook.getId(), changes, null);
                check(!changed.getEnabled() && changed.getSharedSecret() == null, changed);
                check(changed.getAuthorizationHeader().equals("Basic x"), changed);
            });
            errors(api);
            step("equals-money: delete the webhook", () -> {
                api.deleteWebhook(webhook.getId(), null);
                refused(404, () -> api.findOneWebhook(webhook.getId(), null));
            });
        }
    }

    private void receive() throws Exception {
        EventsApi operator = new EventsApi(Operator.connect(server, "sandbox-operator", request -> {}));
        PublishRequest event = new PublishRequest()
                .provider(Provider.EQUALS_MONEY).type("BoxCredited").accountId("F12345").putDataItem("amount", 12.5);
        check(operator.publishEvent(event, null).getDeliveries() == 1, "not delivered");
        Receiver.Received request = receiver.next();
        Verify.equalsMoney(SECRET, request.header("x-em-signature"), request.body());
        check("Basic x".equals(request.header("Authorization")), "no Authorization");
        Notification notification = ApiClient.createDefaultObjectMapper().readValue(request.body(), Notification.class);
        check(notification.getBody().getWebhookEventTypeName().equals("BoxCredited"), notification);
    }

    private void pages(WebhooksApi api) throws Exception {
        api.createWebhook(wanted().enabled(false).accountId(null));
        api.createWebhook(wanted().webhookEventTypeName(WebhookEventTypeName.BOX_DEBITED));
        var first = api.findAllWebhooks(2, 0, null, null, null, null);
        var second = api.findAllWebhooks(2, 2, null, null, null, null);
        check(first.getCount() == 3 && first.getRows().size() == 2 && second.getRows().size() == 1, first);
        var named = api.findAllWebhooks(null, null, null, "true", "BoxCredited", "F12345");
        check(named.getRows().stream().map(Webhook::getId).toList().equals(List.of(webhook.getId())), named);
    }

    private void errors(WebhooksApi api) {
        step("equals-money: error 400", () -> {
            ErrorResponse error = error(400, () -> api.createWebhook(wanted().url(URI.create("ftp://x"))));
            check(error.getStatusCode() == 400 && error.getDetails().get(0).getPointer().equals("/url"), error);
        });
        step("equals-money: error 401", () -> refused(401, () -> list(connect(server, null, request -> {}))));
        step("equals-money: error 403", () -> refused(403, () -> list(connect(server, "ApiKey wrong", request -> {}))));
        UUID unknown = UUID.fromString("00000000-0000-4000-8000-000000000000");
        step("equals-money: error 404", () -> refused(404, () -> api.findOneWebhook(unknown, null)));
        WebhooksApi put = connect(server, "ApiKey sandbox-key", Operator::put);
        step("equals-money: error 405", () -> refused(405, () -> put.findOneWebhook(webhook.getId(), null)));
        URI large = URI.create("https://example.com/" + "x".repeat(300_000));
        step("equals-money: error 413", () -> refused(413, () -> api.createWebhook(wanted().url(large))));
        WebhooksApi text = connect(server, "ApiKey sandbox-key", Operator::plainText);
        step("equals-money: error 415", () -> refused(415, () -> text.createWebhook(wanted())));
        WebhooksApi limited = connect(limitedServer, "ApiKey sandbox-key", request -> {});
        step("equals-money: error 429", () -> refused(429, () -> {
            for (int tries = 0; tries < 50; tries++) {
                list(limited);
            }
            return "never";
        }));
    }

    private static Object list(WebhooksApi api) throws ApiException {
        return api.findAllWebhooks(null, null, null, null, null, null);
    }
}
