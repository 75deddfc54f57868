import { strict as assert } from "node:assert";
import {
  openProcessLibc,
  type ProcessLibc,
} from "../../../ffi/process/libc.ts";
import { rotateClient } from "../../../src/cli/fleet_rotate.ts";
import type { RotateOptions } from "../../../src/config/fleet.ts";
import { newChain } from "../../../src/daemon/chain_text.ts";
import type { FakeEtcd } from "../../fakes/fake_etcd.ts";
import { storedClients } from "../../fakes/stored_clients.ts";

const KEY = "/fleet/clients/a";
const CHAIN = `${KEY}/chain`;
const TEXT = `mux 1\nkey ${"00".repeat(16)}\nsalt ${"00".repeat(14)}\n`;
const OPTIONS: RotateOptions = {
  ...{ action: "rotate", name: "a", keys: undefined, kdPrf: "aes-ctr-128" },
  ...{ out: undefined, chainFile: undefined },
};

interface Rig {
  readonly rotate: (own: Partial<RotateOptions>) => Promise<void>;
  readonly store: FakeEtcd;
  readonly path: string;
  readonly told: string[];
}

function test(name: string, body: (rig: Rig) => Promise<void>): void {
  Deno.test(name, async () => {
    const libc: ProcessLibc = openProcessLibc();
    const folder = Deno.makeTempDirSync();
    const { store, clients } = storedClients("/fleet");
    const told: string[] = [];
    const host = {
      clients,
      libc,
      tell: (text: string) => void told.push(text),
    };
    const rotate = (own: Partial<RotateOptions>) =>
      rotateClient({ ...OPTIONS, ...own }, host);
    try {
      await body({ rotate, store, path: `${folder}/new.yaml`, told });
    } finally {
      Deno.removeSync(folder, { recursive: true });
      libc.close();
    }
  });
}

test("a chain that forgets older keys makes nothing for --out, and refuses it", async ({ rotate, store, path }) => {
  const hourAgo = Date.now() / 1000 - 3600;
  const chain = newChain(60, hourAgo);
  store.put(KEY, "mux 1\n");
  store.put(CHAIN, chain);
  for (const out of [path, "-"]) {
    await assert.rejects(rotate({ out }), {
      message: "it has a key chain, which forgets older keys and stays: " +
        `nothing is new for --out ${out}; leave that away, or add --chain and ` +
        "--chain-file for another chain",
    });
  }
  assert.equal(store.content[CHAIN], chain);
  assert.throws(() => Deno.statSync(path), Deno.errors.NotFound);
  await rotate({});
  assert.notEqual(store.content[CHAIN], chain);
});

test("of keys that were given --out has the names of their files", async ({ rotate, store, path, told }) => {
  store.put(KEY, TEXT);
  const secrets = {
    ...{ kind: "given", passphrase: undefined },
    key: new Uint8Array(16).fill(7),
    salt: new Uint8Array(14).fill(7),
  } as const;
  const files = { "key-file": "/etc/anytun/a.key" };
  await rotate({ keys: { kind: "given", secrets, files }, out: path });
  assert.match(
    Deno.readTextFileSync(path),
    /^key-file: \/etc\/anytun\/a.key$/m,
  );
  assert.match(store.content[KEY] ?? "", /^key (?:07){16}$/m);
  assert.match(told.join("\n"), /it has the keys that were given/);
});

test("a key that is made is in --out and in the store, or in neither", async ({ rotate, store, path }) => {
  store.put(KEY, TEXT);
  await assert.rejects(rotate({}), /has to get to the client: add --out/);
  assert.equal(store.content[KEY], TEXT);
  await rotate({ out: path });
  const [, key = ""] = /^key: "([0-9a-f]{32})"$/m
    .exec(Deno.readTextFileSync(path)) ?? [];
  assert.match(store.content[KEY] ?? "", new RegExp(`^key ${key}$`, "m"));
});
