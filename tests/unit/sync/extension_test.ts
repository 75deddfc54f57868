import { strict as assert } from "node:assert";
import { encodeRecord } from "../../../src/sync/encode.ts";
import { SyncError } from "../../../src/sync/error.ts";
import {
  formatHello,
  formatMessage,
  instanceId,
  isWelcome,
  parseHello,
  parseMessage,
  type ServerMessage,
  subjectOf,
} from "../../../src/sync/extension.ts";
import { instanceOf, MeshLink, MeshMember } from "../../fakes/sync_mesh.ts";
import { connectionRecord, routeRecord } from "../../samples/sync_records.ts";

const A = instanceOf("a");
const STAMP = { version: 1_700_000_000_000, origin: A };
const encoder = new TextEncoder();

Deno.test("every message is read as it was written", () => {
  const records = [
    connectionRecord({ mux: 65535, host: "2001:db8::1" }),
    routeRecord("10.0.0.1/8", 5),
    routeRecord("fd00::/8", 5),
    {
      command: "route" as const,
      network: { family: "ethernet" as const, value: 2n ** 64n - 1n },
      ...{ prefixLength: 48, mux: 7 },
    },
  ];
  const messages: ServerMessage[] = [
    { word: "welcome", instance: A, since: 0, version: STAMP.version },
    ...records.flatMap((record): ServerMessage[] => [
      { word: "put", revision: 7, stamp: STAMP, record },
      { word: "put", revision: 8, stamp: undefined, record },
      { word: "gone", revision: 9, stamp: STAMP, subject: subjectOf(record) },
    ]),
    ...(["at", "all", "some"] as const)
      .map((word) => ({ word, revision: 2 ** 53 - 1 })),
    { word: "say", kind: "floors", body: "5 1:7 2:9  " },
    { word: "say", kind: "nothing", body: "" },
  ];
  for (const message of messages) {
    const frame = formatMessage(message);
    const text = encoder.encode(frame.slice(6));
    assert.equal(Number(frame.slice(0, 5)), text.length);
    assert.deepEqual(parseMessage(text), message);
    assert.equal(isWelcome(text), message.word === "welcome");
  }
});

Deno.test("no record of an original is a welcome", () => {
  const text = encodeRecord(connectionRecord()).slice(6);
  assert.equal(isWelcome(encoder.encode(text)), false);
});

Deno.test("a hello is read as it was written, and one of a later version as well", () => {
  const hello = { from: A, known: instanceOf("b"), revision: 12 };
  for (const one of [hello, { from: A, known: undefined, revision: 0 }]) {
    assert.deepEqual(parseHello(formatHello(one).slice(6)), one);
  }
  const later = formatHello(hello).slice(6).replace("hello 1", "hello 2");
  assert.deepEqual(parseHello(`${later} and more`), hello);
});

Deno.test("what is no hello is what an original may say", () => {
  for (
    const text of [
      ...["", "hello", "GET / HTTP/1.1", `hello 0 ${A} - 0`],
      ...[`hello 1 ${A} - -1`, `hello 1 ${A} - 9007199254740993`],
      ...[`hello 1 ${A} x 0`, `hello 1 ${A.toUpperCase()} - 0`],
      ...[`hello 1 ${A} -`, "hello 1 - - 0", `hello 1e3 ${A} - 0`],
    ]
  ) assert.equal(parseHello(text), undefined, text);
});

Deno.test("what holds what cannot be is refused whole", () => {
  const record = encodeRecord(connectionRecord()).slice(6);
  for (
    const text of [
      ...["", " ", "\x00", "22 serialization::archive", "put"],
      ...[`put 1 2 ${A}`, `put -1 2 ${A} ${record}`, `put 1 2 x ${record}`],
      ...[`put 1 99999999999999999999 ${A} ${record}`, `put 1 2 - ${record}`],
      ...[`gone 1 0 - connection 5`, `gone 1 2 ${A} connection 65536`],
      ...[`gone 1 2 ${A} connection 5 6`, `gone 1 2 ${A} tunnel 5`],
      ...[`gone 1 2 ${A} route 4 10.0.0.0 256`],
      ...[`gone 1 2 ${A} route 6 10.0.0.0 8`],
      ...[`gone 1 2 ${A} route 4 10.0.0.0`],
      ...[`gone 1 2 ${A} route ethernet 18446744073709551616 48`],
      ...[`gone 1 2 ${A} route 6 fe80::1%eth0 64`, "at", "at x", "all 1e5"],
      ...["say", "say x \n", "say x \u00e4", "welcome 1 x 0 0"],
    ]
  ) {
    assert.throws(() => parseMessage(encoder.encode(text)), SyncError, text);
  }
});

Deno.test("words of later versions are passed over", () => {
  assert.equal(parseMessage(encoder.encode("tomorrow 1 2 3")), undefined);
  const unknown = "put 1 0 - 22 serialization::archive 18 0 0 5 other";
  assert.equal(parseMessage(encoder.encode(unknown)), undefined);
});

Deno.test("an instance has a name of its own", () => {
  const name = instanceId((words) => words.set([1, 0xffffffff]));
  assert.equal(name, "00000001ffffffff");
});

Deno.test("a server that speaks out of turn is not followed", () => {
  const clock = { now: 1000 };
  const link = () =>
    new MeshLink(new MeshMember("a", clock), new MeshMember("b", clock))
      .following;
  const take = (following: ReturnType<typeof link>, text: string) =>
    following.take(encoder.encode(text));
  const hello = `welcome 1 ${A} 0 5`;
  assert.throws(() => take(link(), "at 7"), SyncError);
  const twice = link();
  take(twice, hello);
  assert.throws(() => take(twice, hello), SyncError);
  assert.throws(() => take(link(), `welcome 1 ${A} 7 5`), {
    message: "Cannot follow a server: it goes on where nothing was heard",
  });
});
