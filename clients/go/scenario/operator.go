package main

import (
	"context"
	"slices"
	"strings"
	"time"

	"example.com/truehook-client/generated/operator"
)

func operatorSteps(ctx context.Context, server string) {
	client := must(operator.NewClientWithResponses(server+"/operator/v1",
		operator.WithRequestEditorFn(header("Authorization", "Bearer sandbox-operator"))))
	wanted := operator.PublishRequest{Provider: operator.ProviderEqualsMoney, Type: "OrderCreated"}
	key := "scenario"
	keyed := &operator.PublishEventParams{IdempotencyKey: &key}
	refused := func(problem *operator.Problem, actual int, raw []byte, status int) operator.Problem {
		found := body(problem, actual, raw)
		check(actual == status && found.Status == status && found.Type == "about:blank", "%d in place of %d", actual, status)
		return found
	}

	step("operator: publish again with the same key, and get the same answer", func() {
		publish := func() operator.PublishedEvent {
			answer := must(client.PublishEventWithResponse(ctx, keyed, wanted))
			return body(answer.JSON202, answer.StatusCode(), answer.Body)
		}
		first, again := publish(), publish()
		check(first == again, "%v and %v", first, again)
		answer := must(client.GetEventWithResponse(ctx, first.Id))
		event := body(answer.JSON200, answer.StatusCode(), answer.Body)
		check(event.Type == "OrderCreated" && event.AccountId == nil && event.Deliveries.Pending == 0, "%v", event)
	})
	step("operator: list events with filters, in pages", func() {
		answer := must(client.PublishEventWithResponse(ctx, nil, wanted))
		body(answer.JSON202, answer.StatusCode(), answer.Body)
		provider, limit, found := operator.ProviderEqualsMoney, 1, 0
		var cursor *string
		for found == 0 || cursor != nil {
			params := &operator.ListEventsParams{Provider: &provider, Type: &wanted.Type, Limit: &limit, Cursor: cursor}
			listed := must(client.ListEventsWithResponse(ctx, params))
			page := body(listed.JSON200, listed.StatusCode(), listed.Body)
			found, cursor = found+len(page.Data), page.Next
		}
		check(found == 2, "%d events", found)
	})
	step("operator: see a delivery and its attempts", func() {
		provider, limit := operator.ProviderConduit, 1
		listed := must(client.ListDeliveriesWithResponse(ctx, &operator.ListDeliveriesParams{Provider: &provider, Limit: &limit}))
		delivery := body(listed.JSON200, listed.StatusCode(), listed.Body).Data[0]
		read := func() operator.DeliveryDetail {
			answer := must(client.GetDeliveryWithResponse(ctx, delivery.Id.String()))
			return body(answer.JSON200, answer.StatusCode(), answer.Body)
		}
		detail := read()
		// The receiver knows before the server has stored it.
		for tries := 0; detail.State == operator.DeliveryStatePending && tries < 600; tries++ {
			time.Sleep(100 * time.Millisecond)
			detail = read()
		}
		check(detail.State == operator.DeliveryStateDelivered, "%v", detail.State)
		check(len(detail.Attempts) == 1 && *detail.Attempts[0].Status == 204, "%v", detail.Attempts)
	})
	step("operator: list webhooks with filters, and see one", func() {
		// Registered by the steps of Conduit.
		provider, enabled := operator.ProviderConduit, false
		listed := must(client.ListWebhooksWithResponse(ctx, &operator.ListWebhooksParams{Provider: &provider, Enabled: &enabled}))
		webhooks := body(listed.JSON200, listed.StatusCode(), listed.Body).Data
		check(len(webhooks) == 1 && slices.Equal(webhooks[0].Types, []string{"customer.created"}), "%v", webhooks)
		answer := must(client.GetWebhookWithResponse(ctx, webhooks[0].Id))
		same := body(answer.JSON200, answer.StatusCode(), answer.Body)
		check(same.Url == webhooks[0].Url && same.Recent.LastFailureError == nil, "%v", same)
	})
	step("operator: error 400", func() {
		cursor := "no cursor"
		answer := must(client.ListEventsWithResponse(ctx, &operator.ListEventsParams{Cursor: &cursor}))
		problem := refused(answer.ApplicationproblemJSON400, answer.StatusCode(), answer.Body, 400)
		check((*problem.Errors)[0].Pointer == "cursor", "%v", problem)
	})
	step("operator: error 401", func() {
		answer := must(client.ListEventsWithResponse(ctx, nil, header("Authorization", "Bearer wrong")))
		refused(answer.ApplicationproblemJSON401, answer.StatusCode(), answer.Body, 401)
	})
	step("operator: error 404", func() {
		answer := must(client.GetEventWithResponse(ctx, "evt_"+strings.Repeat("0", 27)))
		refused(answer.ApplicationproblemJSON404, answer.StatusCode(), answer.Body, 404)
	})
	step("operator: error 405", func() {
		answer := must(client.ListEventsWithResponse(ctx, nil, method("PUT")))
		refused(answer.ApplicationproblemJSON405, answer.StatusCode(), answer.Body, 405)
	})
	step("operator: error 409", func() {
		other := wanted
		other.Type = "OrderCompleted"
		answer := must(client.PublishEventWithResponse(ctx, keyed, other))
		refused(answer.ApplicationproblemJSON409, answer.StatusCode(), answer.Body, 409)
	})
	step("operator: error 413", func() {
		large := wanted
		large.Data = &map[string]any{"text": strings.Repeat("x", 300_000)}
		answer := must(client.PublishEventWithResponse(ctx, nil, large))
		refused(answer.ApplicationproblemJSON413, answer.StatusCode(), answer.Body, 413)
	})
	step("operator: error 415", func() {
		answer := must(client.PublishEventWithResponse(ctx, nil, wanted, header("Content-Type", "text/plain")))
		refused(answer.ApplicationproblemJSON415, answer.StatusCode(), answer.Body, 415)
	})
	step("operator: error 422", func() {
		unknown := wanted
		unknown.Type = "NoSuchType"
		answer := must(client.PublishEventWithResponse(ctx, nil, unknown))
		problem := refused(answer.ApplicationproblemJSON422, answer.StatusCode(), answer.Body, 422)
		check((*problem.Errors)[0].Pointer == "/type", "%v", problem)
	})
}
