import { strict as assert } from "node:assert";
import { openProcessLibc } from "../../../ffi/process/libc.ts";
import { addClient } from "../../../src/cli/fleet_add.ts";
import type { AddOptions } from "../../../src/config/fleet.ts";
import { routesOf } from "../../../src/fleet/record_text.ts";
import { formatPrefix, withoutNetwork } from "../../../src/net/prefix.ts";
import { prefixOf } from "../../fakes/announce_rig.ts";
import { storedClients } from "../../fakes/stored_clients.ts";

const OPTIONS: Omit<AddOptions, "name" | "routes" | "out"> = {
  ...{ action: "add", mux: undefined, role: "left", windowSize: 0 },
  ...{ kdPrf: "aes-ctr-128", keys: { kind: "made" }, remotePort: 4444 },
  ...{ remoteHost: undefined, server: undefined, address: undefined },
  chainFile: undefined,
};

Deno.test("a client with the address of another one is not added, and one with the network is, with a warning", async () => {
  const libc = openProcessLibc();
  const folder = Deno.makeTempDirSync();
  const { store, clients } = storedClients("/fleet");
  const told: string[] = [];
  const tell = (text: string) => void told.push(text);
  const add = (name: string, ...routes: readonly string[]) =>
    addClient({
      ...{ ...OPTIONS, name, out: `${folder}/${name}` },
      routes: routes.map(prefixOf),
    }, { clients, libc, tell });
  const addAt = (text: string, name: string, ...routes: string[]) => {
    const address = prefixOf(text);
    return addClient({
      ...{ ...OPTIONS, name, address, out: `${folder}/${name}` },
      routes: [withoutNetwork(address), ...routes.map(prefixOf)],
    }, { clients, libc, tell });
  };
  try {
    await add("a", "10.9.0.7/32", "10.7.0.0/16", "2001:db8::7/128");
    const before = { ...store.content };
    for (const address of ["10.9.0.7/32", "2001:db8::7/128"]) {
      const [within = ""] = address.split("/");
      await assert.rejects(addAt(`${within}/24`, "b", "10.8.0.0/16"), {
        message: `${address} (--address) is that of 'a': choose ` +
          "another address, or remove that client first (anytun fleet remove a)",
      });
    }
    assert.deepEqual(store.content, before);
    assert.throws(() => Deno.statSync(`${folder}/b`), Deno.errors.NotFound);
    Deno.removeSync(`${folder}/a`);
    await assert.rejects(add("a", "10.9.0.7/32"), /there is one of this name/);
    told.length = 0;
    // What is within it leads there, and the rest where it did.
    await add("b", "10.7.5.5/16", "10.9.0.0/24", "10.7.0.1/32", "10.9.0.7/32");
    assert.deepEqual(told, [
      "warning: 10.7.0.0/16 (--route) is that of 'a' as well: it leads to one " +
      "of them, and to the other when that one is removed",
      "warning: 10.9.0.7/32 (--route) is that of 'a' as well: it leads to one " +
      "of them, and to the other when that one is removed",
      "'b' is added, with mux 2",
    ]);
  } finally {
    Deno.removeSync(folder, { recursive: true });
    libc.close();
  }
});

Deno.test("networks of a record are found as people write them", () => {
  const text = "mux 1\n route\t10.7.0.0/16,2001:DB8:0::/32 # both\r\n" +
    "#route 10.1.0.0/16\nroute x\nroute\nroute 10.8.0.0/16\n";
  assert.deepEqual(routesOf(text).map(formatPrefix), [
    ...["10.7.0.0/16", "2001:db8::/32", "10.8.0.0/16"],
  ]);
});
