/** The steps of Equals Money. */

import assert from "node:assert/strict";
import createClient from "openapi-fetch";
import type { components as EqualsMoney, paths as EqualsMoneyPaths } from "./generated/equals-money.js";
import type { paths as OperatorPaths } from "./generated/operator.js";
import { Receiver, accepted, altered, refused, step } from "./step.js";
import { verifyEqualsMoney } from "./verify.js";

type Webhook = EqualsMoney["schemas"]["Webhook"];
type Create = EqualsMoney["schemas"]["CreateWebhookRequest"];

const SECRET = "123e4567-e89b-12d3-a456-426614174000";

function connect(server: string, authorization: string | null = "ApiKey sandbox-key") {
  const headers = authorization === null ? {} : { Authorization: authorization };
  return createClient<EqualsMoneyPaths>({ baseUrl: `${server}/equals-money`, headers });
}

export async function equalsMoney(server: string, limitedServer: string): Promise<void> {
  const api = connect(server);
  const receiver = await Receiver.start();
  const wanted: Create = {
    url: receiver.url,
    enabled: true,
    webhookEventTypeName: "BoxCredited",
    accountId: "F12345",
    sharedSecret: SECRET,
    authorizationHeader: "Basic x",
  };

  await step("equals-money: look event types up", async () => {
    const types = accepted(await api.GET("/v2/webhooks/event-types"));
    const boxCredited = types.find((type) => type.name === "BoxCredited");
    assert(boxCredited?.enabled);
    const path = { webhookEventTypeId: boxCredited.id };
    const one = accepted(await api.GET("/v2/webhooks/event-types/{webhookEventTypeId}", { params: { path } }));
    assert.deepEqual(one, boxCredited);
  });
  let webhook: Webhook | undefined;
  await step("equals-money: create a webhook, and read it", async () => {
    const created = accepted(await api.POST("/v2/webhooks", { body: wanted }));
    webhook = accepted(await api.GET("/v2/webhooks/{webhookId}", { params: { path: { webhookId: created.id } } }));
    assert.deepEqual([webhook.accountId, webhook.sharedSecret, webhook.enabled], ["F12345", SECRET, true]);
  });
  assert(webhook);
  const path = { params: { path: { webhookId: webhook.id } } };
  await step("equals-money: receive an event, and verify its signature", async () => {
    const operator = createClient<OperatorPaths>({
      baseUrl: `${server}/operator/v1`,
      headers: { Authorization: "Bearer sandbox-operator" },
    });
    const event = { provider: "equals-money", type: "BoxCredited", accountId: "F12345", data: { amount: 12.5 } } as const;
    assert.equal(accepted(await operator.POST("/events", { body: event })).deliveries, 1);
    const { headers, body } = await receiver.next();
    verifyEqualsMoney(SECRET, headers["x-em-signature"], body);
    assert.equal(headers.authorization, "Basic x");
    const notification = JSON.parse(body.toString()) as EqualsMoney["schemas"]["Notification"];
    assert.equal(notification.body.webhookEventTypeName, "BoxCredited");
  });
  await step("equals-money: list webhooks with filters, in pages", async () => {
    const more: Create[] = [
      { ...wanted, enabled: false, accountId: null },
      { ...wanted, webhookEventTypeName: "BoxDebited" },
    ];
    for (const body of more) accepted(await api.POST("/v2/webhooks", { body }));
    const list = async (query: NonNullable<EqualsMoneyPaths["/v2/webhooks"]["get"]["parameters"]["query"]>) =>
      accepted(await api.GET("/v2/webhooks", { params: { query } }));
    const first = await list({ limit: 2, offset: 0 });
    const second = await list({ limit: 2, offset: 2 });
    assert.deepEqual([first.count, first.rows.length, second.rows.length], [3, 2, 1]);
    const named = await list({ webhookEventTypeName: "BoxCredited", enabled: "true", accountId: "F12345" });
    assert.deepEqual(named.rows.map((row) => row.id), [webhook?.id]);
  });
  await step("equals-money: update the webhook", async () => {
    const body = { enabled: false, sharedSecret: null };
    const changed = accepted(await api.PATCH("/v2/webhooks/{webhookId}", { ...path, body }));
    assert.deepEqual([changed.enabled, changed.sharedSecret, changed.authorizationHeader], [false, null, "Basic x"]);
  });
  await step("equals-money: error 400", async () => {
    const error = refused(await api.POST("/v2/webhooks", { body: { ...wanted, url: "ftp://x" } }), 400);
    assert.deepEqual([error.statusCode, error.details[0]?.pointer], [400, "/url"]);
  });
  await step("equals-money: error 401", async () => {
    assert.equal(refused(await connect(server, null).GET("/v2/webhooks"), 401).statusCode, 401);
  });
  await step("equals-money: error 403", async () => {
    assert.equal(refused(await connect(server, "ApiKey wrong").GET("/v2/webhooks"), 403).statusCode, 403);
  });
  await step("equals-money: error 404", async () => {
    const unknown = { params: { path: { webhookId: "00000000-0000-4000-8000-000000000000" } } };
    assert.equal(refused(await api.GET("/v2/webhooks/{webhookId}", unknown), 404).statusCode, 404);
  });
  await step("equals-money: error 405", async () => {
    const answer = await api.GET("/v2/webhooks/{webhookId}", { ...path, middleware: [altered({ method: "PUT" })] });
    assert.equal(refused(answer, 405).statusCode, 405);
  });
  await step("equals-money: error 413", async () => {
    const body = { ...wanted, url: `https://example.com/${"x".repeat(300_000)}` };
    assert.equal(refused(await api.POST("/v2/webhooks", { body }), 413).statusCode, 413);
  });
  await step("equals-money: error 415", async () => {
    const middleware = [altered({ contentType: "text/plain" })];
    assert.equal(refused(await api.POST("/v2/webhooks", { body: wanted, middleware }), 415).statusCode, 415);
  });
  await step("equals-money: error 429", async () => {
    const limited = connect(limitedServer);
    let answer = await limited.GET("/v2/webhooks");
    for (let tries = 0; answer.response.status !== 429 && tries < 50; tries += 1) answer = await limited.GET("/v2/webhooks");
    assert.equal(refused(answer, 429).statusCode, 429);
    assert.match(answer.response.headers.get("Retry-After") ?? "", /^[0-9]+$/);
  });
  await step("equals-money: delete the webhook", async () => {
    assert.equal((await api.DELETE("/v2/webhooks/{webhookId}", path)).response.status, 204);
    refused(await api.GET("/v2/webhooks/{webhookId}", path), 404);
  });
  receiver.stop();
}
