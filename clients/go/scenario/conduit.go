package main

import (
	"context"
	"slices"
	"strings"

	"example.com/truehook-client/example"
	"example.com/truehook-client/generated/conduit"
	"example.com/truehook-client/generated/operator"
)

func conduitSteps(ctx context.Context, server string) {
	receiver := startReceiver()
	defer receiver.stop()
	webhook := registerConduit(ctx, server, receiver)
	client := must(conduit.NewClientWithResponses(server+"/conduit",
		conduit.WithRequestEditorFn(header("X-API-Key", "sandbox-key")),
		conduit.WithRequestEditorFn(header("X-API-Secret", "sandbox-secret"))))
	wanted := conduit.CreateWebhookRequest{
		Url: receiver.url, Status: conduit.WebhookStatusDisabled, Events: []conduit.WebhookEvent{conduit.WebhookEventCustomerCreated},
	}

	step("conduit: list webhooks in pages", func() {
		created := must(client.CreateWebhookWithResponse(ctx, nil, wanted))
		other := body(created.JSON201, created.StatusCode(), created.Body)
		size, ids := 1, []string{}
		var after *string
		for len(ids) == 0 || after != nil {
			listed := must(client.ListWebhooksWithResponse(ctx, &conduit.ListWebhooksParams{PageSize: &size, PageAfter: after}))
			page := body(listed.JSON200, listed.StatusCode(), listed.Body)
			check(len(page.Data) == 1, "%d webhooks on a page", len(page.Data))
			ids, after = append(ids, page.Data[0].Id), page.Pagination.Next
		}
		check(slices.Equal(ids, []string{webhook.Id, other.Id}), "%v", ids)
	})
	step("conduit: update the webhook", func() {
		status := conduit.WebhookStatusDisabled
		answer := must(client.PatchWebhookWithResponse(ctx, webhook.Id, nil, conduit.PatchWebhookRequest{Status: &status}))
		changed := body(answer.JSON200, answer.StatusCode(), answer.Body)
		check(changed.Status == conduit.WebhookStatusDisabled && slices.Equal(changed.Events, webhook.Events), "%v", changed)
	})
	step("conduit: error 400", func() {
		wrong := wanted
		wrong.Url = "ftp://x"
		answer := must(client.CreateWebhookWithResponse(ctx, nil, wrong))
		refusal := body(answer.JSON400, answer.StatusCode(), answer.Body)
		check(refusal.Errors[0].Pointer == "/url", "%v", refusal)
	})
	step("conduit: error 401", func() {
		answer := must(client.ListWebhooksWithResponse(ctx, nil, header("X-API-Secret", "wrong")))
		check(body(answer.JSON401, answer.StatusCode(), answer.Body).Title != "", "no title")
	})
	step("conduit: error 404", func() {
		answer := must(client.GetWebhookWithResponse(ctx, "whk_"+strings.Repeat("0", 27), nil))
		check(body(answer.JSON404, answer.StatusCode(), answer.Body).Title != "", "no title")
	})
	step("conduit: error 405", func() {
		answer := must(client.GetWebhookWithResponse(ctx, webhook.Id, nil, method("PUT")))
		check(body(answer.JSON405, answer.StatusCode(), answer.Body).Title != "", "no title")
		check(strings.Contains(answer.HTTPResponse.Header.Get("Allow"), "PATCH"), "no Allow")
	})
	step("conduit: error 413", func() {
		large := wanted
		large.Url = "https://example.com/" + strings.Repeat("x", 300_000)
		answer := must(client.CreateWebhookWithResponse(ctx, nil, large))
		check(body(answer.JSON413, answer.StatusCode(), answer.Body).Title != "", "no title")
	})
	step("conduit: error 415", func() {
		answer := must(client.CreateWebhookWithResponse(ctx, nil, wanted, header("Content-Type", "text/plain")))
		check(body(answer.JSON415, answer.StatusCode(), answer.Body).Title != "", "no title")
	})
	step("conduit: delete the webhook", func() {
		answer := must(client.DeleteWebhookWithResponse(ctx, webhook.Id, nil))
		check(answer.StatusCode() == 204, "%d", answer.StatusCode())
		gone := must(client.GetWebhookWithResponse(ctx, webhook.Id, nil))
		body(gone.JSON404, gone.StatusCode(), gone.Body)
	})
}

// Registers a webhook, publishes an event and receives it.
func registerConduit(ctx context.Context, server string, receiver *receiver) *conduit.RetrievedWebhook {
	var webhook *conduit.RetrievedWebhook
	step("conduit: create a webhook, and read it with its secret", func() {
		webhook = must(example.Register(ctx, server, receiver.url))
		check(webhook.Url == receiver.url && webhook.Status == conduit.WebhookStatusEnabled && webhook.Secret != nil, "%v", webhook)
		check(slices.Equal(webhook.Events, []conduit.WebhookEvent{conduit.WebhookEventTransactionCompleted}), "%v", webhook)
	})
	step("conduit: receive an event, and verify its signature", func() {
		client := must(operator.NewClientWithResponses(server+"/operator/v1",
			operator.WithRequestEditorFn(header("Authorization", "Bearer sandbox-operator"))))
		clientID := "client_2ofTA13AD0xBtbEvBl20aEb1hEu"
		event := operator.PublishRequest{Provider: operator.ProviderConduit, Type: "transaction.completed", ClientId: &clientID}
		answer := must(client.PublishEventWithResponse(ctx, nil, event))
		check(body(answer.JSON202, answer.StatusCode(), answer.Body).Deliveries == 1, "not delivered")
		request := receiver.next()
		notification := must(example.Receive(*webhook.Secret, request.header, request.body))
		check(notification.Event == conduit.WebhookEventTransactionCompleted, "%v", notification.Event)
		check(notification.Data.Transaction.Status == conduit.TransactionStatusCOMPLETED, "%v", notification.Data)
	})
	return webhook
}
