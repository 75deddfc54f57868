/**
 * A cluster member without a data plane. Runs on a host of a lab, as a script:
 *
 * - `serve <address> <port>` is a sync server. Each line of standard input is
 *   one or more records: they are kept for new clients and sent to those that
 *   are there.
 * - `follow <address> <port>` is a sync client, which prints every record that
 *   it takes.
 *
 * Both print what they log.
 */
import { createInterface } from "node:readline";
import process from "node:process";
import { setTimeout as delay } from "node:timers/promises";
import type { Logger } from "../../src/log/logger.ts";
import { RateLimitedLog } from "../../src/log/rate_limited_log.ts";
import type { Delay } from "../../src/net/delay.ts";
import { every } from "../../src/net/every.ts";
import { announceSync, bindSync } from "../../src/sync/bind.ts";
import { SyncClient } from "../../src/sync/client.ts";
import { encodeRecord } from "../../src/sync/encode.ts";
import { SyncServer } from "../../src/sync/server.ts";
import { connectPlain, listenPlain } from "../plain_sync.ts";
import { say } from "./say.ts";

const log: Logger = {
  error: (text) => say(`ERROR: ${text}`),
  warning: (text) => say(`WARNING: ${text}`),
  notice: (text) => say(`NOTICE: ${text}`),
  info: (text) => say(`INFO: ${text}`),
  debug: (text) => say(`DEBUG: ${text}`),
};

/** More than a test makes. */
const LIMIT = { burst: 1000, perSecond: 1000 };

const forever = new AbortController().signal;

const pause: Delay = (ms, signal) =>
  delay(ms, undefined, signal ? { signal } : {});

/** Labs have no name server. */
function noName(): Promise<never> {
  return Promise.reject(new Error("no name server"));
}

async function serve(host: string, port: number): Promise<void> {
  const kept: string[] = [];
  const listeners = await bindSync({ host, port }, listenPlain, noName);
  for (const listener of listeners) announceSync(listener, log);
  const server = new SyncServer({
    listeners,
    snapshot: () => [...kept],
    delay: pause,
    every,
    log: new RateLimitedLog(log, LIMIT, () => performance.now()),
  });
  server.run(forever);
  for await (const records of createInterface({ input: process.stdin })) {
    kept.push(records);
    server.push(records);
    say("sent");
  }
}

async function follow(host: string, port: number): Promise<void> {
  const client = new SyncClient({
    server: { host, port },
    apply: (record) => say(encodeRecord(record)),
    connect: connectPlain,
    lookup: noName,
    delay: pause,
    now: () => performance.now(),
    log,
  });
  await client.run(forever);
}

if (import.meta.main) {
  const [mode, host = "", port] = Deno.args;
  await (mode === "serve" ? serve : follow)(host, Number(port));
}
