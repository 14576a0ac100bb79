/** The steps of Conduit. */

import assert from "node:assert/strict";
import createClient from "openapi-fetch";
import { receive, register } from "./example.js";
import type { components as Conduit, paths as ConduitPaths } from "./generated/conduit.js";
import type { paths as OperatorPaths } from "./generated/operator.js";
import { Receiver, accepted, altered, refused, step } from "./step.js";

type Webhook = Conduit["schemas"]["RetrievedWebhook"];

export async function conduit(server: string): Promise<void> {
  const receiver = await Receiver.start();
  const webhook = await registerAndReceive(server, receiver);
  const id = webhook.id;
  const path = { params: { path: { id } } };
  const api = createClient<ConduitPaths>({
    baseUrl: `${server}/conduit`,
    headers: { "X-API-Key": "sandbox-key", "X-API-Secret": "sandbox-secret" },
  });
  const body = { url: receiver.url, status: "disabled", events: ["customer.created"] } as const;

  await step("conduit: list webhooks in pages", async () => {
    const other = accepted(await api.POST("/webhooks", { body: { ...body, events: [...body.events] } }));
    const ids: string[] = [];
    let after: string | null = null;
    do {
      const query: { "page[size]": number; "page[after]"?: string } = { "page[size]": 1 };
      if (after !== null) query["page[after]"] = after;
      const page: Conduit["schemas"]["WebhookList"] = accepted(await api.GET("/webhooks", { params: { query } }));
      assert.equal(page.data.length, 1);
      ids.push(...page.data.map((one) => one.id));
      after = page.pagination.next;
    } while (after !== null);
    assert.deepEqual(ids, [id, other.id]);
  });
  await step("conduit: update the webhook", async () => {
    const changed = accepted(await api.PATCH("/webhooks/{id}", { ...path, body: { status: "disabled" } }));
    assert.deepEqual([changed.id, changed.status, changed.events], [id, "disabled", webhook.events]);
  });
  await step("conduit: error 400", async () => {
    const error = refused(await api.POST("/webhooks", { body: { ...body, events: [...body.events], url: "ftp://x" } }), 400);
    assert("errors" in error);
    assert.equal(error.errors[0]?.pointer, "/url");
  });
  await step("conduit: error 401", async () => {
    const headers = { "X-API-Key": "sandbox-key", "X-API-Secret": "wrong" };
    const error = refused(await api.GET("/webhooks", { headers }), 401);
    assert("message" in error && error.title !== "");
  });
  await step("conduit: error 404", async () => {
    const unknown = { params: { path: { id: `whk_${"0".repeat(27)}` } } };
    assert.notEqual(refused(await api.GET("/webhooks/{id}", unknown), 404).title, "");
  });
  await step("conduit: error 405", async () => {
    const answer = await api.GET("/webhooks/{id}", { ...path, middleware: [altered({ method: "PUT" })] });
    assert.notEqual(refused(answer, 405).title, "");
    assert(answer.response.headers.get("Allow")?.includes("PATCH"));
  });
  await step("conduit: error 413", async () => {
    const url = `https://example.com/${"x".repeat(300_000)}`;
    const error = refused(await api.POST("/webhooks", { body: { ...body, events: [...body.events], url } }), 413);
    assert.notEqual(error.title, "");
  });
  await step("conduit: error 415", async () => {
    const middleware = [altered({ contentType: "text/plain" })];
    const error = refused(await api.POST("/webhooks", { body: { ...body, events: [...body.events] }, middleware }), 415);
    assert.notEqual(error.title, "");
  });
  await step("conduit: delete the webhook", async () => {
    assert.equal((await api.DELETE("/webhooks/{id}", path)).response.status, 204);
    refused(await api.GET("/webhooks/{id}", path), 404);
  });
  receiver.stop();
}

/** Registers a webhook, publishes an event and receives it. */
async function registerAndReceive(server: string, receiver: Receiver): Promise<Webhook> {
  const webhook = await register(server, receiver.url);
  const { secret } = webhook;
  await step("conduit: create a webhook, and read it with its secret", () => {
    assert.deepEqual([webhook.url, webhook.status, webhook.events], [receiver.url, "enabled", ["transaction.completed"]]);
    assert(secret !== undefined);
  });
  await step("conduit: receive an event, and verify its signature", async () => {
    const operator = createClient<OperatorPaths>({
      baseUrl: `${server}/operator/v1`,
      headers: { Authorization: "Bearer sandbox-operator" },
    });
    const clientId = "client_2ofTA13AD0xBtbEvBl20aEb1hEu";
    const event = { provider: "conduit", type: "transaction.completed", clientId } as const;
    assert.equal(accepted(await operator.POST("/events", { body: event })).deliveries, 1);
    const { headers, body } = await receiver.next();
    const notification = receive(secret ?? "", headers, body);
    assert.equal(notification.event, "transaction.completed");
    assert.equal(notification.data.transaction.status, "COMPLETED");
  });
  return webhook;
}
