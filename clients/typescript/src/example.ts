import type { IncomingHttpHeaders } from "node:http";
import createClient from "openapi-fetch";
import type { components, paths } from "./generated/conduit.js";
import { verifyConduit } from "./verify.js";

/** Registers `url` at `server`, such as http://127.0.0.1:8080; the answer has the secret. */
export async function register(server: string, url: string) {
  const headers = { "X-API-Key": "sandbox-key", "X-API-Secret": "sandbox-secret" };
  const conduit = createClient<paths>({ baseUrl: `${server}/conduit`, headers });
  const created = await conduit.POST("/webhooks", { body: { url, status: "enabled", events: ["transaction.completed"] } });
  if (created.error) throw new Error(JSON.stringify(created.error));
  const read = await conduit.GET("/webhooks/{id}", { params: { path: { id: created.data.id } } });
  if (read.error) throw new Error(JSON.stringify(read.error));
  return read.data;
}

/** What arrives there, with the body as it came; throws a SignatureError. */
export function receive(secret: string, headers: IncomingHttpHeaders, body: Buffer) {
  verifyConduit(secret, headers["conduit-signature"], headers["conduit-signature-timestamp"], body);
  return JSON.parse(body.toString()) as components["schemas"]["TransactionNotification"];
}
