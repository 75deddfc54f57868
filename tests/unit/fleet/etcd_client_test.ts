import { strict as assert } from "node:assert";
import { StoreError } from "../../../src/fleet/store_error.ts";
import { endOfPrefix, EtcdClient } from "../../../src/fleet/etcd_client.ts";
import { toText } from "../../../src/fleet/etcd_json.ts";
import type { Login } from "../../../src/fleet/etcd_session.ts";

interface Asked {
  readonly url: string;
  readonly body: Record<string, unknown>;
  readonly token: string | undefined;
}

/** A store that gives what it is told to give, in this order. */
function store(
  answers: readonly (Response | Error)[],
  { origins = ["https://a:2379"], login, maxCharacters }: {
    readonly origins?: readonly string[];
    readonly login?: Login;
    readonly maxCharacters?: number;
  } = {},
): { readonly client: EtcdClient; readonly asked: Asked[] } {
  const asked: Asked[] = [];
  const client = new EtcdClient({
    origins,
    login,
    ...(maxCharacters !== undefined && { maxCharacters }),
    timeout: () => new AbortController().signal,
    post: (url, { body, headers: { authorization: token } }) => {
      asked.push({ url, body: JSON.parse(body), token });
      const answer = answers[asked.length - 1];
      if (answer instanceof Response) return Promise.resolve(answer);
      return Promise.reject(answer ?? new Error("asked too often"));
    },
  });
  return { client, asked };
}

const header = { cluster_id: "1", revision: "7" };

function entry(key: string, value: string) {
  return {
    key: toText(key),
    value: toText(value),
    create_revision: "3",
    mod_revision: "5",
  };
}

const refused = (status: number, code: number, message: string) =>
  Response.json({ error: message, message, code }, { status });

Deno.test("a range is read page by page, all of one revision", async () => {
  const { client, asked } = store([
    Response.json({ header, kvs: [entry("/a/1", "one")], more: true }),
    Response.json({
      header: { ...header, revision: "9" },
      kvs: [entry("/a/2", "ü")],
    }),
  ]);
  const { header: { revision }, entries } = await client.range("/a/");
  assert.equal(revision, 7);
  assert.deepEqual(entries.map(({ key, value }) => [key, value]), [
    ["/a/1", "one"],
    ["/a/2", "ü"],
  ]);
  assert.equal(asked[0]?.body.range_end, toText("/a0"));
  assert.equal(asked[0]?.body.revision, undefined);
  assert.equal(asked[1]?.body.key, toText("/a/1\0"));
  assert.equal(asked[1]?.body.revision, "7");
});

Deno.test("a store that has nothing leaves the list of entries out", async () => {
  const { client } = store([Response.json({ header })]);
  const { header: { revision }, entries } = await client.range("/a/");
  assert.deepEqual({ revision, entries }, { revision: 7, entries: [] });
});

/**
 * A store that answers too slowly where it is asked for that many values.
 *
 * @param bytes Of such an answer, that come in time
 */
function slowStore(isSlow: (limit: number) => boolean, bytes = 1) {
  const limits: string[] = [];
  const client = new EtcdClient({
    origins: ["https://a:2379"],
    login: undefined,
    timeout: () => AbortSignal.timeout(50),
    post: (_url, { body, signal }) => {
      const { limit, keys_only } = JSON.parse(body);
      limits.push(limit);
      const kvs = [entry("/a/1", keys_only ? "" : "one")];
      return Promise.resolve(
        isSlow(Number(limit)) && !keys_only
          ? dripping(bytes, signal)
          : Response.json({ header, kvs }),
      );
    },
  });
  return { client, limits };
}

Deno.test("a page that does not come in time is asked for in parts", async () => {
  const { client, limits } = slowStore((limit) => limit > 1);
  const { entries } = await client.range("/a/");
  assert.deepEqual(limits, ["500", "125", "32", "8", "2", "1"]);
  assert.deepEqual(entries.map(({ value }) => value), ["one"]);
});

Deno.test("a value that only comes too slowly is not taken for one that is too long", async () => {
  const { client } = slowStore(() => true);
  for (const read of [() => client.range("/a/"), () => client.get("/a/1")]) {
    await assert.rejects(read, (error) => {
      assert.ok(error instanceof StoreError && error.isUnreachable);
      return /no whole answer within 5 s/.test(error.message);
    });
  }
});

Deno.test("a value that is too long by what has come of it in time holds up no other", async () => {
  const { client } = slowStore(() => true, 400_000);
  const { entries: [first] } = await client.range("/a/");
  assert.ok(first && first.key === "/a/1" && first.value.length > 65536);
});

Deno.test("a page that says that there is more, and has nothing, is no end", async () => {
  const { client } = store([Response.json({ header, more: true })]);
  await assert.rejects(client.range("/a/"), { name: "StoreError" });
});

Deno.test("pages of two stores are not taken for one", async () => {
  const { client } = store([
    Response.json({ header, kvs: [entry("/a/1", "one")], more: true }),
    Response.json({ header: { ...header, cluster_id: "2" } }),
  ]);
  await assert.rejects(client.range("/a/"), { name: "StoreError" });
});

Deno.test("a store that goes on for ever is left", async () => {
  const kvs = Array.from({ length: 500 }, () => entry("/a/1", "one"));
  const page = JSON.stringify({ header, kvs, more: true });
  const { client } = store(
    Array.from({ length: 500 }, () => new Response(page)),
  );
  await assert.rejects(client.range("/a/"), {
    message: "there are more than 196608 keys",
  });
});

Deno.test("a store that fills memory with its keys is left", async () => {
  const page = { header, kvs: [entry("k".repeat(600), "")], more: true };
  const { client } = store(
    [Response.json(page), Response.json(page)],
    { maxCharacters: 1000 },
  );
  await assert.rejects(client.range("/a/"), {
    message: "keys and values have over 1000 characters",
  });
});

Deno.test("the end of a prefix is the first key behind it", () => {
  assert.equal(endOfPrefix("/anytun/clients/"), "/anytun/clients0");
});

Deno.test("a transaction compares first, and says whether that held", async () => {
  const { client, asked } = store([
    Response.json({ header, succeeded: true }),
    Response.json({ header }),
  ]);
  const put = { put: "/a/1", value: "one" };
  const isMissing = { key: "/a/1", isMissing: true } as const;
  assert.equal(await client.transact([isMissing], [put]), true);
  const isSame = { key: "/a/1", modRevision: 5 };
  assert.equal(await client.transact([isSame], [{ delete: "/a/1" }]), false);
  const key = toText("/a/1");
  assert.deepEqual(asked.map(({ body }) => body), [
    {
      compare: [{ key, target: "CREATE", create_revision: "0" }],
      success: [{ request_put: { key, value: toText("one") } }],
    },
    {
      compare: [{ key, target: "MOD", mod_revision: "5" }],
      success: [{ request_delete_range: { key } }],
    },
  ]);
});

const login = { name: "operator", password: "secret" };
const token = (text: string) => Response.json({ header, token: text });

Deno.test("whoever has a login shows its token, and gets a new one when that has ended", async () => {
  const { client, asked } = store([
    token("first"),
    Response.json({ header }),
    refused(401, 16, "etcdserver: invalid auth token"),
    token("second"),
    Response.json({ header, kvs: [entry("/a/1", "one")] }),
  ], { login });
  assert.equal(await client.get("/a/1"), undefined);
  assert.equal((await client.get("/a/1"))?.modRevision, 5);
  assert.deepEqual(asked.map(({ token }) => token), [
    undefined,
    "first",
    "first",
    undefined,
    "second",
  ]);
  assert.deepEqual(asked[0]?.body, login);
});

Deno.test("a token that is refused at once is not asked for again", async () => {
  const { client, asked } = store([
    token("first"),
    refused(401, 16, "etcdserver: invalid auth token"),
  ], { login });
  await assert.rejects(client.get("/a/1"), {
    name: "StoreError",
    message: "etcdserver: invalid auth token",
  });
  assert.equal(asked.length, 2);
});

Deno.test("where one member does not answer a read, the others are asked", async () => {
  const origins = ["https://a:2379", "https://b:2379"];
  const { client, asked } = store([
    new TypeError("fetch failed", { cause: new Error("refused") }),
    Response.json({ header }),
    new TypeError("fetch failed", { cause: new Error("reset") }),
  ], { origins });
  assert.equal(await client.get("/a/1"), undefined);
  await assert.rejects(
    client.transact([], [{ delete: "/a/1" }]),
    (error) => error instanceof StoreError && error.isUnreachable,
  );
  assert.deepEqual(asked.map(({ url }) => url), [
    "https://a:2379/v3/kv/range",
    "https://b:2379/v3/kv/range",
    "https://b:2379/v3/kv/txn",
  ]);
});

for (
  const [what, answer] of [
    ["no JSON", new Response("<html>")],
    ["no object", Response.json(null)],
    ["no list", Response.json({ header, kvs: {} })],
    ["no key", Response.json({ header, kvs: [{ mod_revision: "1" }] })],
    ["no base64", Response.json({ header, kvs: [{ key: "?" }] })],
    ["no UTF-8", new Response(Uint8Array.of(0xff))],
    ["no revision", Response.json({ header: { ...header, revision: "-1" } })],
    ["no cluster", Response.json({ header: { revision: "1" } })],
    ["bytes without end", new Response(endless())],
  ] as const
) {
  Deno.test(`an answer with ${what} is refused`, async () => {
    const { client } = store([answer]);
    await assert.rejects(client.range("/a/"), { name: "StoreError" });
  });
}

Deno.test("what a store says of its refusal is shown without acting on a terminal", async () => {
  const { client } = store([new Response("\x1b[2Jno", { status: 400 })]);
  await assert.rejects(client.get("/a"), {
    message: "HTTP status 400: \\u001b[2Jno",
  });
});

function endless(): ReadableStream<Uint8Array> {
  const chunk = new Uint8Array(1 << 20).fill(0x20);
  return new ReadableStream({ pull: (to) => to.enqueue(chunk) });
}

/** So many bytes, and no more. */
function dripping(bytes: number, signal: AbortSignal): Response {
  return new Response(
    new ReadableStream({
      start(to) {
        to.enqueue(new Uint8Array(bytes).fill(0x20));
        signal.addEventListener("abort", () => to.error(signal.reason));
      },
    }),
  );
}
