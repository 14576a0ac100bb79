/** The steps of the operator API. */

import assert from "node:assert/strict";
import createClient from "openapi-fetch";
import type { components as Operator, paths as OperatorPaths } from "./generated/operator.js";
import { accepted, altered, refused, step } from "./step.js";

type Problem = Operator["schemas"]["Problem"];

function connect(server: string, key = "sandbox-operator") {
  return createClient<OperatorPaths>({ baseUrl: `${server}/operator/v1`, headers: { Authorization: `Bearer ${key}` } });
}

export async function operator(server: string): Promise<void> {
  const api = connect(server);
  const body = { provider: "equals-money", type: "OrderCreated" } as const;
  const header = { "Idempotency-Key": "scenario" };
  const problem = (error: Problem, status: number) => assert.deepEqual([error.status, error.type], [status, "about:blank"]);

  await step("operator: publish again with the same key, and get the same answer", async () => {
    const first = accepted(await api.POST("/events", { params: { header }, body }));
    const again = accepted(await api.POST("/events", { params: { header }, body }));
    assert.deepEqual(again, first);
    const event = accepted(await api.GET("/events/{id}", { params: { path: { id: first.id } } }));
    assert.deepEqual([event.type, event.accountId, event.deliveries.pending], ["OrderCreated", null, 0]);
  });
  await step("operator: list events with filters, in pages", async () => {
    accepted(await api.POST("/events", { body }));
    let found = 0;
    let cursor: string | null = null;
    do {
      const query = { provider: "equals-money", type: "OrderCreated", limit: 1, ...(cursor === null ? {} : { cursor }) } as const;
      const page: Operator["schemas"]["EventList"] = accepted(await api.GET("/events", { params: { query } }));
      found += page.data.length;
      cursor = page.next;
    } while (cursor !== null);
    assert.equal(found, 2);
  });
  await step("operator: see a delivery and its attempts", async () => {
    const query = { provider: "conduit", limit: 1 } as const;
    const [delivery] = accepted(await api.GET("/deliveries", { params: { query } })).data;
    assert(delivery);
    const path = { id: delivery.id };
    let detail = accepted(await api.GET("/deliveries/{id}", { params: { path } }));
    // The receiver knows before the server has stored it.
    for (let tries = 0; detail.state === "pending" && tries < 600; tries += 1) {
      await new Promise((resolve) => setTimeout(resolve, 100));
      detail = accepted(await api.GET("/deliveries/{id}", { params: { path } }));
    }
    assert.deepEqual([detail.state, detail.attempts.length, detail.attempts[0]?.status], ["delivered", 1, 204]);
  });
  await step("operator: list webhooks with filters, and see one", async () => {
    // Registered by the steps of Conduit.
    const query = { provider: "conduit", enabled: false } as const;
    const webhooks = accepted(await api.GET("/webhooks", { params: { query } })).data;
    assert.deepEqual(webhooks.map((one) => [one.provider, one.types]), [["conduit", ["customer.created"]]]);
    const [webhook] = webhooks;
    assert(webhook);
    const same = accepted(await api.GET("/webhooks/{id}", { params: { path: { id: webhook.id } } }));
    assert.deepEqual([same.url, same.recent.lastFailureError], [webhook.url, null]);
  });
  await step("operator: error 400", async () => {
    const error = refused(await api.GET("/events", { params: { query: { cursor: "no cursor" } } }), 400);
    problem(error, 400);
    assert.equal(error.errors?.[0]?.pointer, "cursor");
  });
  await step("operator: error 401", async () => {
    problem(refused(await connect(server, "wrong").GET("/events"), 401), 401);
  });
  await step("operator: error 404", async () => {
    const path = { id: `evt_${"0".repeat(27)}` };
    problem(refused(await api.GET("/events/{id}", { params: { path } }), 404), 404);
  });
  await step("operator: error 405", async () => {
    problem(refused(await api.GET("/events", { middleware: [altered({ method: "PUT" })] }), 405), 405);
  });
  await step("operator: error 409", async () => {
    const other = { ...body, type: "OrderCompleted" };
    problem(refused(await api.POST("/events", { params: { header }, body: other }), 409), 409);
  });
  await step("operator: error 413", async () => {
    const large = { ...body, data: { text: "x".repeat(300_000) } };
    problem(refused(await api.POST("/events", { body: large }), 413), 413);
  });
  await step("operator: error 415", async () => {
    problem(refused(await api.POST("/events", { body, middleware: [altered({ contentType: "text/plain" })] }), 415), 415);
  });
  await step("operator: error 422", async () => {
    const error = refused(await api.POST("/events", { body: { ...body, type: "NoSuchType" } }), 422);
    problem(error, 422);
    assert.equal(error.errors?.[0]?.pointer, "/type");
  });
}
