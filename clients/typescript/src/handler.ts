/** Receives webhooks: verified, typed, each once. Copy this file with `verify.ts`; it needs Express. */

import express, { type Request, type Router } from "express";
import type { webhooks as Conduit } from "./generated/conduit.js";
import type { webhooks as EqualsMoney } from "./generated/equals-money.js";
import { SignatureError, verifyConduit, verifyEqualsMoney } from "./verify.js";

/** What a webhook of a document sends. */
type Payload<W> = W extends { post: { requestBody: { content: { "application/json": infer P } } } } ? P : never;

/** An event with its type; `switch (event.type)` tells the types apart, and knows the payload of each. */
export type Typed<Webhooks> = { [Type in keyof Webhooks]: { type: Type; payload: Payload<Webhooks[Type]> } }[keyof Webhooks];

/** An event of a type that is newer than this file. Keep it, and answer 2xx all the same. */
export interface Unknown {
  type: "unknown";
  name: string;
  payload: unknown;
}

export type ConduitEvent = Typed<Conduit> | Unknown;
export type EqualsMoneyEvent = Typed<EqualsMoney> | Unknown;

/** Handles an event unless it did before with the same id: keep the ids in the database, under a unique key, in one transaction. */
export type Once<Event> = (id: string, event: Event) => void | Promise<void>;

/** The names of the events of Conduit that this file knows; a name that the document does not have is an error of the compiler. */
const CONDUIT = /^(counterparty|customer|transaction)\./;

/** Reads an event of Conduit; throws a SyntaxError if the body is none. */
export function parseConduit(body: Uint8Array): ConduitEvent {
  const payload = members(JSON.parse(Buffer.from(body).toString()));
  const name = text(payload["event"]);
  // The signature says that Conduit wrote it, and its document what it wrote.
  if (CONDUIT.test(name)) return { type: name, payload } as unknown as ConduitEvent;
  return { type: "unknown", name, payload };
}

/** Reads an event of Equals Money, and its id; throws a SyntaxError if the body is none. */
export function parseEqualsMoney(body: Uint8Array): { event: EqualsMoneyEvent; id: string } {
  const payload = members(JSON.parse(Buffer.from(body).toString()));
  const inner = members(payload["body"]);
  const event = { type: text(inner["webhookEventTypeName"]), payload } as unknown as EqualsMoneyEvent;
  return { event, id: text(inner["messageId"]) };
}

function members(value: unknown): Record<string, unknown> {
  if (typeof value !== "object" || value === null || Array.isArray(value)) throw new SyntaxError("the body is not an event");
  return value as Record<string, unknown>;
}

function text(value: unknown): string {
  if (typeof value !== "string") throw new SyntaxError("the body is not an event");
  return value;
}

/** The body as it came; none is an empty one. */
function bytes(request: Request): Uint8Array {
  return Buffer.isBuffer(request.body) ? request.body : new Uint8Array();
}

/** Routes for the deliveries of both providers. */
export function handlers(
  secrets: { conduit: string; equalsMoney: string },
  once: { conduit: Once<ConduitEvent>; equalsMoney: Once<EqualsMoneyEvent> },
): Router {
  const router = express.Router();
  router.use(express.raw({ type: () => true, limit: "1mb" }));
  const receive = (path: string, take: (request: Request, body: Uint8Array) => void | Promise<void>) =>
    router.post(path, async (request, response) => {
      try {
        await take(request, bytes(request));
        response.sendStatus(204);
      } catch (error) {
        if (!(error instanceof SignatureError || error instanceof SyntaxError)) throw error;
        response.status(400).send(error.message);
      }
    });
  receive("/conduit", (request, body) => {
    const { headers } = request;
    verifyConduit(secrets.conduit, headers["conduit-signature"], headers["conduit-signature-timestamp"], body);
    return once.conduit(request.get("conduit-webhook-idempotency-key") ?? "", parseConduit(body));
  });
  receive("/equals-money", (request, body) => {
    verifyEqualsMoney(secrets.equalsMoney, request.headers["x-em-signature"], body);
    const { event, id } = parseEqualsMoney(body);
    return once.equalsMoney(id, event);
  });
  return router;
}
