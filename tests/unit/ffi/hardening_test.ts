import assert from "node:assert/strict";
import { Errno } from "../../../ffi/errno.ts";
import { forbidExecution } from "../../../ffi/process/hardening.ts";
import { openProcessLibc } from "../../../ffi/process/libc.ts";
import { scriptCommand } from "../../../lab/host.ts";

/** What the hardened process says of itself, with two descriptors too many. */
async function hardened(): Promise<Record<string, unknown>> {
  const run = scriptCommand("hardened.ts", ["-A"]);
  const shell = 'exec 7</dev/zero 8>/dev/full; exec "$@"';
  const { stdout, stderr } = await new Deno.Command("/bin/sh", {
    args: ["-c", shell, "sh", ...run],
  }).output();
  const text = new TextDecoder();
  const said = text.decode(stdout);
  assert.notEqual(said, "", text.decode(stderr));
  return JSON.parse(said);
}

Deno.test("a hardened process executes nothing, in any thread, and leaves no core", async () => {
  const { before, after, refusal, threads, dumpable, bounded } =
    await hardened();
  assert.equal(before, "started");
  assert.equal(after, "EPERM");
  assert.equal(refusal, undefined);
  assert.deepEqual(threads, ["1,2"], "NoNewPrivs and Seccomp of all threads");
  assert.equal(dumpable, 0);
  assert.equal(bounded, true);
});

Deno.test("a hardened process has nothing open of its caller's, and nothing to write to", async () => {
  const { inherited, writable } = await hardened();
  assert.deepEqual(inherited, []);
  assert.deepEqual(writable, []);
});

Deno.test("what the runtime has mapped of its files is empty, and there when another process cuts them", async () => {
  const [command = "", ...args] = scriptCommand("cut_mapping.ts", ["-A"]);
  const { code, signal, stdout, stderr } = await new Deno.Command(command, {
    args,
  }).output();
  const text = new TextDecoder();
  assert.deepEqual(
    { code, signal },
    { code: 0, signal: null },
    text.decode(stderr),
  );
  assert.deepEqual(JSON.parse(text.decode(stdout)), [0, 0]);
});

Deno.test("what the runtime finds in the places of its files can be locked, so that it does not wait", async () => {
  const { replaced } = await hardened();
  assert.ok(Array.isArray(replaced) && replaced.length > 0);
  // fcntl(2) refuses to lock for writing what cannot be written to.
  assert.ok(replaced.every((isWritable) => isWritable === true));
});

Deno.test("forbidExecution() says which call the kernel refuses", () => {
  const libc = openProcessLibc();
  const refusing = {
    ...libc,
    errno: () => Errno.EINVAL,
    process: { ...libc.process, prctlNumber: () => 0, syscall: () => -1 },
  };
  assert.equal(forbidExecution(refusing), "seccomp() failed with EINVAL");
  refusing.process.syscall = () => 77;
  assert.equal(forbidExecution(refusing), "thread 77 has a filter of its own");
  refusing.process.prctlNumber = () => -1;
  assert.equal(forbidExecution(refusing), "prctl() failed with EINVAL");
  libc.close();
});
