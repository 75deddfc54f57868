/**
 * How much members of a cluster tell each other, and for how long: a mesh
 * without data planes, in one process, and a control daemon beside it.
 *
 *     deno run -A bench/sync/main.ts --members 10 --connections 1000
 */
import { parseArgs } from "node:util";
import { encodeRecord } from "../../src/sync/encode.ts";
import { parseAddress } from "../../src/net/address.ts";
import { LabProcess } from "../../lab/process.ts";
import { BenchMember, type Traffic } from "./member.ts";
import { delay } from "../../src/net/delay.ts";

const { values } = parseArgs({
  options: {
    members: { type: "string", default: "10" },
    connections: { type: "string", default: "1000" },
    port: { type: "string", default: "23230" },
    main: { type: "string", default: "src/cli/main.ts" },
  },
});
const count = Number(values.members);
const connections = Number(values.connections);
const basePort = Number(values.port);
/** When nothing has come for so long, in ms, all has. */
const QUIET_MS = 3000;

const traffic: Traffic = { bytes: 0, last: 0 };

function recordsOf(mux: number, keyByte: number): string {
  const key = new Uint8Array(16).fill(keyByte);
  key[1] = mux & 255;
  key[2] = mux >> 8;
  const address = parseAddress("0.0.0.0");
  const network = parseAddress(`10.${mux >> 8}.${mux & 255}.0`);
  if (address === undefined || network === undefined) throw new Error("bad");
  return encodeRecord({
    command: "connection",
    mux,
    role: "left",
    secrets: { key, salt: new Uint8Array(14).fill(200) },
    ...{ windowSize: 0, seq: 0, endpoint: { address, port: 4444 } },
  }) + "\n" + encodeRecord({
    command: "route",
    ...{ network, prefixLength: 24, mux },
  }) + "\n";
}

function write(file: string, changed: number, left: number): void {
  let text = "";
  for (let mux = 1; mux <= connections; mux++) {
    if (mux !== left) text += recordsOf(mux, mux === changed ? 99 : 7);
  }
  Deno.writeTextFileSync(file, text, { mode: 0o600 });
}

async function until(what: string, holds: () => boolean): Promise<number> {
  const begin = performance.now();
  while (!holds()) {
    if (performance.now() - begin > (what === "removal" ? 8000 : 300_000)) {
      throw new Error(`never: ${what}`);
    }
    await delay(2);
  }
  return performance.now() - begin;
}

/** Seconds of processor that all members have taken, whatever else runs. */
function processor(): number {
  const [, text = ""] = Deno.readTextFileSync("/proc/self/stat").split(") ");
  const [user, system] = text.split(" ").slice(11, 13).map(Number);
  return ((user ?? 0) + (system ?? 0)) / 100;
}

/** Until nothing more comes: how long it took, and how much came. */
async function settled(
  begin: number,
  bytes: number,
  cpu = processor(),
): Promise<string> {
  const all = count * count;
  const open = () => members.reduce((sum, { links }) => sum + links, 0);
  await until("links", () => open() === all);
  traffic.last = performance.now();
  while (performance.now() - traffic.last < QUIET_MS) await delay(50);
  const ms = Math.max(0, traffic.last - begin);
  const much = (traffic.bytes - bytes) / 1e6;
  return `${much.toFixed(2)} MB, ${(ms / 1000).toFixed(2)} s, ` +
    `${(processor() - cpu).toFixed(1)} s of processor`;
}

const file = await Deno.makeTempFile();
write(file, 0, 0);
const control = new LabProcess({
  title: "controld",
  program: Deno.execPath(),
  args: [
    ...["run", "-A", "--no-check", values.main, "controld", "-D"],
    ...["-f", file, "-X", `127.0.0.1:${basePort}`, "--sync-any-user"],
    ...["-L", "stderr:3"],
  ],
});
await control.line(/sync server listening/, 60);
const ports = Array.from({ length: count }, (_, k) => basePort + 1 + k);
const newMember = (port: number) =>
  new BenchMember(
    port,
    [basePort, ...ports.filter((other) => other !== port)],
    traffic,
  );
const members = ports.map(newMember);
const say = (what: string, text: string) =>
  void Deno.stdout.write(
    new TextEncoder().encode(`${count} x ${connections}: ${what}: ${text}\n`),
  );

let begin = performance.now();
const idle = processor();
await Promise.all(members.map((member) => member.start()));
await until(
  "load",
  () =>
    members.every(({ state, table }) =>
      table.exists(connections) && state.routes().length === connections
    ),
);
say(
  "all load from controld",
  `${((performance.now() - begin) / 1000).toFixed(2)} s`,
);
say("all start at once", await settled(begin, 0, idle));

for (const changed of [3, 4, 5]) {
  const before = members.map(({ table }) => table.epoch(changed));
  write(file, changed, 0);
  Deno.kill(control.pid, "SIGHUP");
  const ms = await until(
    "change",
    () => members.every(({ table }, k) => table.epoch(changed) !== before[k]),
  );
  say("a changed key reaches all", `${ms.toFixed(0)} ms`);
  // The one before is as it was, which is a change, too.
  await delay(500);
}
members[0]?.move(7, "192.0.2.77");
begin = performance.now();
const moved = await until(
  "move",
  () => members.slice(1).every(({ state }) => state.peerOf(7) !== undefined),
);
say("a moved endpoint reaches all", `${moved.toFixed(0)} ms`);
await delay(500);

let bytes = traffic.bytes;
begin = performance.now();
const [first] = members;
await first?.stop();
const again = newMember(ports[0] ?? 0);
members[0] = again;
const stopped = performance.now();
await again.start();
say("a member restarts", await settled(stopped, bytes));

bytes = traffic.bytes;
begin = performance.now();
for (const member of members) member.breakLinks();
say("all links break", await settled(begin, bytes));

write(file, 5, 9);
Deno.kill(control.pid, "SIGHUP");
const gone = await until(
  "removal",
  () => members.every(({ table }) => !table.exists(9)),
).catch((error) => String(error));
say("a removal reaches all", `${gone} ms`);
say(
  "memory",
  `${(Deno.memoryUsage().rss / 1e6 / count).toFixed(0)} MB a member`,
);
await control.stop();
Deno.exit();
