import { strict as assert } from "node:assert";
import { NoSuchClient, UnsureError } from "../../../src/fleet/clients.ts";
import { storedClients } from "../../fakes/stored_clients.ts";

const fleet = () => storedClients("/f");

const named = (name: string, mux?: number, chain?: string) => ({
  ...{ name, mux, chain },
  textFor: (mux: number) => `mux ${mux}\nkey of ${name}\n`,
});

Deno.test("a client is added with its chain and its mux", async () => {
  const { store, clients } = fleet();
  assert.equal(await clients.add(named("a", undefined, "chain of a")), 1);
  assert.deepEqual(store.content, {
    "/f/clients/a": "mux 1\nkey of a\n",
    "/f/muxes/1": "a",
    "/f/clients/a/chain": "chain of a",
  });
});

Deno.test("the lowest mux that is free is taken, and never 0", async () => {
  const { store, clients } = fleet();
  for (const mux of [0, 1, 2, 4]) store.put(`/f/muxes/${mux}`, `c${mux}`);
  assert.equal(await clients.add(named("a")), 3);
});

Deno.test("of two operators that take the same mux the second gets another", async () => {
  const { store, clients } = fleet();
  store.meanwhile = async () => void await clients.add(named("first"));
  assert.equal(await clients.add(named("second")), 2);
  assert.equal(store.content["/f/muxes/1"], "first");
  assert.equal(store.content["/f/muxes/2"], "second");
  assert.equal(store.content["/f/clients/second"], "mux 2\nkey of second\n");
});

Deno.test("of two operators that add one name the second is refused", async () => {
  const { store, clients } = fleet();
  store.meanwhile = async () => void await clients.add(named("a"));
  await assert.rejects(clients.add(named("a")), /there is one of this name/);
  assert.deepEqual(Object.keys(store.content), [
    "/f/clients/a",
    "/f/muxes/1",
  ]);
});

Deno.test("a mux that is asked for and taken is told with its owner", async () => {
  const { clients } = fleet();
  await clients.add(named("a", 7));
  await assert.rejects(
    clients.add(named("b", 7)),
    /mux 7 \(--mux\) is that of 'a'/,
  );
});

Deno.test("the text of a client that is too long for one is not put back", async () => {
  const { store, clients } = fleet();
  store.put("/f/clients/long", "#".repeat(5 << 20));
  await assert.rejects(
    clients.replace("long", ({ text }) => ({ text: `${text}x`, chain: "" })),
    /it has more than 65536 bytes/,
  );
});

Deno.test("a mux that is that of anything but a client is not shown as it is", async () => {
  const { store, clients } = fleet();
  store.put("/f/muxes/7", "\x1b[2J".repeat(1e6));
  await assert.rejects(
    clients.add(named("b", 7)),
    /mux 7 \(--mux\) is that of somebody else: choose/,
  );
});

Deno.test("a chain that is left of an older client is not given to a new one", async () => {
  const { store, clients } = fleet();
  store.put("/f/clients/a/chain", "known to others");
  await assert.rejects(clients.add(named("a")), /a key chain is left/);
  await clients.remove("a");
  assert.deepEqual(store.content, {});
});

Deno.test("where a store does not answer it is not told that nothing was done", async () => {
  const { store, clients } = fleet();
  for (const fault of ["before", "behind"] as const) {
    store.fault = fault;
    await assert.rejects(clients.add(named(fault)), UnsureError);
  }
  assert.deepEqual(Object.keys(store.content), [
    "/f/clients/behind",
    "/f/muxes/1",
  ]);
});

Deno.test("what has no room is told so", async () => {
  const { store, clients } = fleet();
  for (let mux = 1; mux <= 0xffff; mux++) store.put(`/f/muxes/${mux}`, "x");
  await assert.rejects(clients.add(named("a")), /all 65535 muxes are taken/);
});

Deno.test("a client is removed with all that is its own", async () => {
  const { store, clients } = fleet();
  await clients.add(named("a", undefined, "chain"));
  await clients.add(named("b"));
  await clients.remove("a");
  assert.deepEqual(Object.keys(store.content), [
    "/f/clients/b",
    "/f/muxes/2",
  ]);
});

for (const text of ["", "mux", "mux 1\nmux 1\n", "mux 70000\n", "mux 2\n"]) {
  Deno.test(`the mux of a client with the text ${JSON.stringify(text)} is looked for`, async () => {
    const { store, clients } = fleet();
    await clients.add(named("a"));
    store.put("/f/clients/a", text);
    await clients.remove("a");
    assert.deepEqual(store.content, {});
  });
}

Deno.test("a removal does not take the mux of whoever has it by now", async () => {
  const { store, clients } = fleet();
  await clients.add(named("a"));
  store.put("/f/muxes/1", "b");
  await clients.remove("a");
  assert.deepEqual(store.content, { "/f/muxes/1": "b" });
});

Deno.test("a removal sees what was changed meanwhile", async () => {
  const { store, clients } = fleet();
  await clients.add(named("a"));
  store.meanwhile = () => store.put("/f/clients/a/chain", "chain");
  await clients.remove("a");
  store.put("/f/clients/b", "mux 2\n");
  store.meanwhile = () => store.put("/f/clients/b", "mux 2\nnew\n");
  await clients.remove("b");
  assert.equal(store.content["/f/clients/b"], undefined);
});

Deno.test("whoever names no client is told which there are", async () => {
  const { clients } = fleet();
  await clients.add(named("a"));
  const isIt = (error: unknown) =>
    error instanceof NoSuchClient && error.names.join() === "a";
  await assert.rejects(clients.remove("b"), isIt);
  await assert.rejects(clients.replace("b", (client) => client), isIt);
});

Deno.test("a replacement is made again of what somebody else has put meanwhile", async () => {
  const { store, clients } = fleet();
  await clients.add(named("a"));
  store.meanwhile = () => store.put("/f/clients/a", "mux 1\ntheirs\n");
  await clients.replace("a", ({ text }) => ({
    text: `${text}ours\n`,
    chain: "chain",
  }));
  assert.equal(store.content["/f/clients/a"], "mux 1\ntheirs\nours\n");
  assert.equal(store.content["/f/clients/a/chain"], "chain");
});

Deno.test("what stays the same is not put again, and what is gone is deleted", async () => {
  const { store, client, clients } = fleet();
  await clients.add(named("a", 5, "chain"));
  const before = (await client.get("/f/clients/a"))?.modRevision;
  await clients.replace("a", ({ text }) => ({ text, chain: undefined }));
  assert.equal((await client.get("/f/clients/a"))?.modRevision, before);
  assert.equal(store.content["/f/clients/a/chain"], undefined);
});

Deno.test("whoever finds no peace gives up", async () => {
  const { store, clients } = fleet();
  await clients.add(named("a"));
  const disturb = () => {
    store.meanwhile = disturb;
    store.put("/f/clients/a", `mux 1\n${store.revision}\n`);
  };
  store.meanwhile = disturb;
  await assert.rejects(
    clients.replace("a", ({ text }) => ({ text, chain: "new" })),
    /others have changed the same 32 times/,
  );
});

Deno.test("a list has clients by name, and passes over what is none", async () => {
  const { store, clients } = fleet();
  await clients.add(named("b", undefined, "chain"));
  await clients.add(named("a"));
  store.put("/f/clients/c/chain", "left");
  store.put("/f/clients/d/other", "?");
  store.put("/f/clients/\x1b[2J", "mux 9\n");
  assert.deepEqual(await clients.list(), [
    { name: "a", text: "mux 2\nkey of a\n", chain: undefined },
    { name: "b", text: "mux 1\nkey of b\n", chain: "chain" },
    { name: "c", text: undefined, chain: "left" },
  ]);
});
