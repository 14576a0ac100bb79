/** Steps of the scenario, and what each needs. */

import assert from "node:assert/strict";
import { createServer, type IncomingHttpHeaders, type Server } from "node:http";
import { type AddressInfo } from "node:net";
import type { Middleware } from "openapi-fetch";

/** Takes a step and says so; a step that throws ends the scenario. */
export async function step(name: string, take: () => Promise<void> | void): Promise<void> {
  try {
    await take();
  } catch (error) {
    throw new Error(`failed: ${name}`, { cause: error });
  }
  console.log(`ok ${name}`);
}

/** The error of an answer with this status. The document says which statuses there are and what each has as body. */
export function refused<E>(answer: { error?: E; response: Response }, status: number): E {
  assert.equal(answer.response.status, status);
  assert(answer.error !== undefined);
  return answer.error;
}

/** The body of a successful answer. */
export function accepted<D, E>(answer: { data?: D; error?: E; response: Response }): D {
  assert(answer.data !== undefined, `${answer.response.status}: ${JSON.stringify(answer.error)}`);
  return answer.data;
}

/** Sends what no typed call can: another method, or another content type. */
export function altered(change: { method?: string; contentType?: string }): Middleware {
  return {
    async onRequest({ request }) {
      const headers = new Headers(request.headers);
      if (change.contentType !== undefined) headers.set("Content-Type", change.contentType);
      const body = await request.text();
      const method = change.method ?? request.method;
      return new Request(request.url, { method, headers, ...(body === "" ? {} : { body }) });
    },
  };
}

export interface Received {
  headers: IncomingHttpHeaders;
  body: Buffer;
}

/** A real receiver: gives what it is sent, byte for byte. */
export class Receiver {
  private readonly waiting: ((received: Received) => void)[] = [];
  private readonly kept: Received[] = [];

  private constructor(private readonly server: Server) {}

  static async start(): Promise<Receiver> {
    const server = createServer((request, response) => {
      const parts: Buffer[] = [];
      request.on("data", (part: Buffer) => parts.push(part));
      request.on("end", () => {
        response.writeHead(204).end();
        const received = { headers: request.headers, body: Buffer.concat(parts) };
        const next = receiver.waiting.shift();
        if (next) next(received);
        else receiver.kept.push(received);
      });
    });
    const receiver = new Receiver(server);
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    return receiver;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}/hook`;
  }

  /** What comes next, or came and was not asked for; fails after a minute. */
  async next(): Promise<Received> {
    const kept = this.kept.shift();
    if (kept) return kept;
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => reject(new Error("nothing was received")), 60_000);
      this.waiting.push((received) => {
        clearTimeout(timer);
        resolve(received);
      });
    });
  }

  stop(): void {
    this.server.close();
    this.server.closeAllConnections();
  }
}
