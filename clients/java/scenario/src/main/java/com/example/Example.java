package com.example;

import com.example.conduit.ApiClient;
import com.example.conduit.ApiException;
import com.example.conduit.api.WebhooksApi;
import com.example.conduit.model.CreateWebhookRequest;
import com.example.conduit.model.RetrievedWebhook;
import com.example.conduit.model.TransactionNotification;
import com.example.conduit.model.WebhookEvent;
import com.example.conduit.model.WebhookStatus;
import java.io.IOException;
import java.net.URI;
import java.time.Instant;

/** Registers a webhook and receives its deliveries. */
final class Example {
    private Example() {}

    /** Registers the URL at the server, such as http://127.0.0.1:8080; the answer has the secret. */
    static RetrievedWebhook register(String server, URI url) throws ApiException {
        ApiClient client = new ApiClient();
        client.updateBaseUri(server + "/conduit");
        client.setRequestInterceptor(
                request -> request.header("X-API-Key", "sandbox-key").header("X-API-Secret", "sandbox-secret"));
        WebhooksApi webhooks = new WebhooksApi(client);
        CreateWebhookRequest wanted = new CreateWebhookRequest()
                .url(url).status(WebhookStatus.ENABLED).addEventsItem(WebhookEvent.TRANSACTION_COMPLETED);
        return webhooks.getWebhook(webhooks.createWebhook(wanted, null).getId(), null);
    }

    /** What arrives there: two of its headers, and the body as it came. */
    static TransactionNotification receive(String secret, String signature, String timestamp, byte[] body)
            throws Verify.SignatureException, IOException {
        Verify.conduit(secret, signature, timestamp, body, Instant.now());
        return ApiClient.createDefaultObjectMapper().readValue(body, TransactionNotification.class);
    }
}
