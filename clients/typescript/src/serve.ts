/** Serves the handlers with secrets of the environment, and shows at /effect how many events they handled; use clients/run. */

import assert from "node:assert/strict";
import type { AddressInfo } from "node:net";
import express from "express";
import { handlers } from "./handler.js";

function environment(name: string): string {
  const value = process.env[name];
  assert(value, `${name} is not set; use clients/run`);
  return value;
}

/** A map stands for a table with a unique key. */
const done = new Map<string, unknown>();
const once = (id: string, event: unknown): void => {
  if (!done.has(id)) done.set(id, event);
};

const app = express();
app.get("/effect", (_, response) => void response.send(String(done.size)));
app.use(
  handlers(
    { conduit: environment("CONDUIT_SECRET"), equalsMoney: environment("EQUALS_MONEY_SECRET") },
    { conduit: once, equalsMoney: once },
  ),
);
const server = app.listen(0, "127.0.0.1", () => {
  console.log(`listening on http://127.0.0.1:${(server.address() as AddressInfo).port}`);
});
