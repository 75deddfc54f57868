import assert from "node:assert/strict";
import { readControldCommandLine } from "../../../src/config/controld.ts";
import { digestWith } from "../../../src/crypto/webcrypto.ts";
import { ClientFolder } from "../../../src/daemon/client_folder.ts";
import type { IpAddress } from "../../../src/net/address.ts";
import { fakeHostFiles } from "../../fakes/host_files.ts";
import { ManualClock } from "../../fakes/manual_clock.ts";
import { recordingLog } from "../../fakes/recording_log.ts";
import { reloadDuringStart } from "../../fakes/services.ts";

const SERVER = "/etc/anytun/server";

/** What the control daemon of a tunnel with one client is told. */
function optionsOf(mux: number, more = "") {
  const line = readControldCommandLine(
    ["-D", "--config", "server"],
    { deno: "2.9.6", v8: "15.0" },
    fakeHostFiles({
      [`${SERVER}/config`]: { text: "control-host 127.0.0.1:4444\n" },
      [`${SERVER}/conf.d`]: { text: "" },
      [`${SERVER}/conf.d/a`]: {
        text: `role server\nmux ${mux}\npassphrase x\nkd-prf null\n${more}`,
      },
    }),
  );
  assert.equal(line.kind, "run", JSON.stringify(line));
  return line.options;
}

Deno.test("clients that were read again are served once all services agree", async () => {
  const [before, after] = [optionsOf(1), optionsOf(2)];
  assert.ok(before.clients);
  const folder = new ClientFolder(before.clients, {
    delay: new ManualClock().delay,
    digest: digestWith(crypto.subtle),
    lookup: () => Promise.reject(new Error("there are no names")),
  }, recordingLog());
  const served = () => new TextDecoder().decode(folder.read().bytes);
  const signal = new AbortController().signal;
  await folder.start({ stop: signal, waiting: () => {}, fail: () => {} });
  const first = served();
  folder.read().bytes.fill(0);
  assert.equal(served(), first, "each reader has a copy to overwrite");
  const undo = new DisposableStack();
  await folder.check(after, undo);
  undo.dispose();
  folder.reload();
  assert.equal(served(), first, "another service was at fault");
  await folder.check(after, new DisposableStack());
  folder.reload();
  assert.notEqual(served(), first);
});

Deno.test("clients of a HUP during the start are served, not those of the start", async () => {
  const before = optionsOf(1, "remote-host peer.example\n");
  const found = Promise.withResolvers<readonly [IpAddress]>();
  assert.ok(before.clients);
  const folder = new ClientFolder(before.clients, {
    delay: new ManualClock().delay,
    digest: digestWith(crypto.subtle),
    lookup: () => found.promise,
  }, recordingLog());
  const end = await reloadDuringStart(folder, {
    before,
    after: optionsOf(2),
    goOn: () =>
      found.resolve([{ family: 4, bytes: Uint8Array.of(192, 0, 2, 1) }]),
  });
  await end();
  const served = folder.read().bytes;
  const other = new ClientFolder(optionsOf(2).clients ?? assert.fail(), {
    delay: new ManualClock().delay,
    digest: digestWith(crypto.subtle),
    lookup: () => assert.fail("it has no name"),
  }, recordingLog());
  const signal = new AbortController().signal;
  await other.start({ stop: signal, waiting: () => {}, fail: () => {} });
  assert.deepEqual(served, other.read().bytes);
});
