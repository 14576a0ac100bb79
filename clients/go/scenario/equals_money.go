package main

import (
	"context"
	"encoding/json"
	"strconv"
	"strings"

	"example.com/truehook-client/generated/equalsmoney"
	"example.com/truehook-client/generated/operator"
	"example.com/truehook-client/verify"
	"github.com/google/uuid"
)

const sharedSecret = "123e4567-e89b-12d3-a456-426614174000"

func connectEqualsMoney(server string) *equalsmoney.ClientWithResponses {
	return must(equalsmoney.NewClientWithResponses(server+"/equals-money",
		equalsmoney.WithRequestEditorFn(header("Authorization", "ApiKey sandbox-key"))))
}

func equalsMoneySteps(ctx context.Context, server, limitedServer string) {
	client := connectEqualsMoney(server)
	receiver := startReceiver()
	defer receiver.stop()
	name, account, secret, authorization := equalsmoney.WebhookEventTypeNameBoxCredited, "F12345", sharedSecret, "Basic x"
	wanted := equalsmoney.CreateWebhookRequest{
		Url: receiver.url, Enabled: true, WebhookEventTypeName: &name, AccountId: &account,
		SharedSecret: &secret, AuthorizationHeader: &authorization,
	}
	// The typed error of an answer with this status.
	refused := func(refusal *equalsmoney.ErrorResponse, actual int, raw []byte, status int) equalsmoney.ErrorResponse {
		found := body(refusal, actual, raw)
		check(actual == status && found.StatusCode == status, "%d in place of %d", actual, status)
		return found
	}

	step("equals-money: look event types up", func() {
		answer := must(client.FindAllWebhookEventTypesWithResponse(ctx, nil))
		for _, one := range body(answer.JSON200, answer.StatusCode(), answer.Body) {
			if one.Name == "BoxCredited" {
				found := must(client.FindOneWebhookEventTypeWithResponse(ctx, one.Id, nil))
				check(body(found.JSON200, found.StatusCode(), found.Body) == one, "another event type")
				return
			}
		}
		panic("no BoxCredited")
	})
	var webhook equalsmoney.Webhook
	step("equals-money: create a webhook, and read it", func() {
		created := must(client.CreateWebhookWithResponse(ctx, wanted))
		id := body(created.JSON201, created.StatusCode(), created.Body).Id
		read := must(client.FindOneWebhookWithResponse(ctx, id, nil))
		webhook = body(read.JSON200, read.StatusCode(), read.Body)
		check(*webhook.AccountId == account && *webhook.SharedSecret == secret && webhook.Enabled, "%v", webhook)
	})
	step("equals-money: receive an event, and verify its signature", func() {
		publisher := must(operator.NewClientWithResponses(server+"/operator/v1",
			operator.WithRequestEditorFn(header("Authorization", "Bearer sandbox-operator"))))
		data := map[string]any{"amount": 12.5}
		event := operator.PublishRequest{Provider: operator.ProviderEqualsMoney, Type: "BoxCredited", AccountId: &account, Data: &data}
		answer := must(publisher.PublishEventWithResponse(ctx, nil, event))
		check(body(answer.JSON202, answer.StatusCode(), answer.Body).Deliveries == 1, "not delivered")
		request := receiver.next()
		must(0, verify.EqualsMoney(secret, request.header.Get("x-em-signature"), request.body))
		check(request.header.Get("Authorization") == authorization, "no Authorization")
		var notification equalsmoney.Notification
		must(0, json.Unmarshal(request.body, &notification))
		check(notification.Body.WebhookEventTypeName == "BoxCredited", "%v", notification)
	})
	step("equals-money: list webhooks with filters, in pages", func() {
		global, debited := wanted, wanted
		global.Enabled, global.AccountId = false, nil
		other := equalsmoney.WebhookEventTypeNameBoxDebited
		debited.WebhookEventTypeName = &other
		for _, one := range []equalsmoney.CreateWebhookRequest{global, debited} {
			created := must(client.CreateWebhookWithResponse(ctx, one))
			body(created.JSON201, created.StatusCode(), created.Body)
		}
		list := func(params equalsmoney.FindAllWebhooksParams) equalsmoney.WebhookList {
			listed := must(client.FindAllWebhooksWithResponse(ctx, &params))
			return body(listed.JSON200, listed.StatusCode(), listed.Body)
		}
		limit, from, next := 2, 0, 2
		first := list(equalsmoney.FindAllWebhooksParams{Limit: &limit, Offset: &from})
		second := list(equalsmoney.FindAllWebhooksParams{Limit: &limit, Offset: &next})
		check(first.Count == 3 && len(first.Rows) == 2 && len(second.Rows) == 1, "%v %v", first, second)
		enabled, wantedName := equalsmoney.FindAllWebhooksParamsEnabledTrue, string(name)
		named := list(equalsmoney.FindAllWebhooksParams{WebhookEventTypeName: &wantedName, Enabled: &enabled, AccountId: &account})
		check(len(named.Rows) == 1 && named.Rows[0].Id == webhook.Id, "%v", named)
	})
	step("equals-money: update the webhook", func() {
		changes := equalsmoney.UpdateWebhookRequest{Enabled: false}
		answer := must(client.UpdateWebhookWithResponse(ctx, webhook.Id, nil, changes))
		changed := body(answer.JSON200, answer.StatusCode(), answer.Body)
		check(!changed.Enabled && *changed.AuthorizationHeader == authorization, "%v", changed)
	})
	step("equals-money: error 400", func() {
		wrong := wanted
		wrong.Url = "ftp://x"
		answer := must(client.CreateWebhookWithResponse(ctx, wrong))
		refusal := refused(answer.JSON400, answer.StatusCode(), answer.Body, 400)
		check(refusal.Details[0].Pointer == "/url", "%v", refusal)
	})
	step("equals-money: error 401", func() {
		answer := must(client.FindAllWebhooksWithResponse(ctx, nil, header("Authorization", "")))
		refused(answer.JSON401, answer.StatusCode(), answer.Body, 401)
	})
	step("equals-money: error 403", func() {
		answer := must(client.FindAllWebhooksWithResponse(ctx, nil, header("Authorization", "ApiKey wrong")))
		refused(answer.JSON403, answer.StatusCode(), answer.Body, 403)
	})
	step("equals-money: error 404", func() {
		unknown := uuid.MustParse("00000000-0000-4000-8000-000000000000")
		answer := must(client.FindOneWebhookWithResponse(ctx, unknown, nil))
		refused(answer.JSON404, answer.StatusCode(), answer.Body, 404)
	})
	step("equals-money: error 405", func() {
		answer := must(client.FindOneWebhookWithResponse(ctx, webhook.Id, nil, method("PUT")))
		refused(answer.JSON405, answer.StatusCode(), answer.Body, 405)
	})
	step("equals-money: error 413", func() {
		large := wanted
		large.Url = "https://example.com/" + strings.Repeat("x", 300_000)
		answer := must(client.CreateWebhookWithResponse(ctx, large))
		refused(answer.JSON413, answer.StatusCode(), answer.Body, 413)
	})
	step("equals-money: error 415", func() {
		answer := must(client.CreateWebhookWithResponse(ctx, wanted, header("Content-Type", "text/plain")))
		refused(answer.JSON415, answer.StatusCode(), answer.Body, 415)
	})
	step("equals-money: error 429", func() {
		limited := connectEqualsMoney(limitedServer)
		answer := must(limited.FindAllWebhooksWithResponse(ctx, nil))
		for tries := 0; answer.StatusCode() != 429 && tries < 50; tries++ {
			answer = must(limited.FindAllWebhooksWithResponse(ctx, nil))
		}
		refused(answer.JSON429, answer.StatusCode(), answer.Body, 429)
		must(strconv.Atoi(answer.HTTPResponse.Header.Get("Retry-After")))
	})
	step("equals-money: delete the webhook", func() {
		answer := must(client.DeleteWebhookWithResponse(ctx, webhook.Id, nil))
		check(answer.StatusCode() == 204, "%d", answer.StatusCode())
		gone := must(client.FindOneWebhookWithResponse(ctx, webhook.Id, nil))
		refused(gone.JSON404, gone.StatusCode(), gone.Body, 404)
	})
}
