/** Runs every step against the server that the environment names. */

import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { conduit } from "./conduit.js";
import { equalsMoney } from "./equals-money.js";
import { operator } from "./operator.js";
import { step } from "./step.js";
import { SignatureError, verifyConduit, verifyEqualsMoney } from "./verify.js";

interface Vector {
  name: string;
  secret: string;
  signature: string | null;
  timestamp: string | null;
  body: string;
  now: number;
  expect: string;
}

function environment(name: string): string {
  const value = process.env[name];
  assert(value, `${name} is not set; use clients/run`);
  return value;
}

/** How a verification ends, in the words of the vectors. */
function outcome(verify: () => void): string {
  try {
    verify();
    return "valid";
  } catch (error) {
    assert(error instanceof SignatureError);
    return error.reason;
  }
}

await step("verify: every test vector", async () => {
  const vectors = JSON.parse(await readFile(environment("VECTORS"), "utf8")) as Record<"conduit" | "equals-money", Vector[]>;
  for (const { name, secret, signature, timestamp, body, now, expect } of vectors.conduit) {
    assert.equal(outcome(() => verifyConduit(secret, signature, timestamp, Buffer.from(body), now)), expect, name);
  }
  for (const { name, secret, signature, body, expect } of vectors["equals-money"]) {
    assert.equal(outcome(() => verifyEqualsMoney(secret, signature, Buffer.from(body))), expect, name);
  }
});
await conduit(environment("SERVER"));
await equalsMoney(environment("SERVER"), environment("LIMITED_SERVER"));
await operator(environment("SERVER"));
