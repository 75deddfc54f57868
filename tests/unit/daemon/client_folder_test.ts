import assert from "node:assert/strict";
import { readControldCommandLine } from "../../../src/config/controld.ts";
import { digestWith } from "../../../src/crypto/webcrypto.ts";
import { ClientFolder } from "../../../src/daemon/client_folder.ts";
import { fakeSecretFiles } from "../../fakes/secret_files.ts";
import { ManualClock } from "../../fakes/manual_clock.ts";
import { recordingLog } from "../../fakes/recording_log.ts";

const SERVER = "/etc/anytun/server";

/** What the control daemon of a tunnel with one client is told. */
function optionsOf(mux: number) {
  const line = readControldCommandLine(
    ["-D", "--config", "server"],
    { deno: "2.9.6", v8: "15.0" },
    fakeSecretFiles({
      [`${SERVER}/config`]: { text: "control-host 127.0.0.1:4444\n" },
      [`${SERVER}/conf.d`]: { text: "" },
      [`${SERVER}/conf.d/a`]: {
        text: `role server\nmux ${mux}\npassphrase x\nkd-prf null\n`,
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
  const undo = new DisposableStack();
  await folder.check(after, undo);
  undo.dispose();
  folder.reload();
  assert.equal(served(), first, "another service was at fault");
  await folder.check(after, new DisposableStack());
  folder.reload();
  assert.notEqual(served(), first);
});
