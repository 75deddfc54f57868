import assert from "node:assert/strict";
import { claimName } from "../../../ffi/net/abstract_claim.ts";
import { unixAddress } from "../../../ffi/net/sockaddr_un.ts";
import { openUnixSocket } from "../../../ffi/net/unix_stream.ts";
import { openProcessLibc } from "../../../ffi/process/libc.ts";

Deno.test("a name is claimed once, and free again when that is let go", () => {
  const libc = openProcessLibc();
  const name = `anytun-test/${crypto.randomUUID()}`;
  const first = claimName(libc, name);
  assert.ok(typeof first !== "number");
  assert.equal(claimName(libc, name), Deno.uid(), "it names who has it");
  first[Symbol.dispose]();
  const again = claimName(libc, name);
  assert.ok(typeof again !== "number");
  again[Symbol.dispose]();
  libc.close();
});

Deno.test("who has a name is known also where strangers wait for an answer", () => {
  const libc = openProcessLibc();
  const name = `anytun-test/${crypto.randomUUID()}`;
  const claim = claimName(libc, name);
  assert.ok(typeof claim !== "number");
  const { bytes, size } = unixAddress(`@${name}`);
  using strangers = new DisposableStack();
  let isFull = false;
  for (let k = 0; k < 64 && !isFull; k++) {
    const fd = openUnixSocket(libc);
    strangers.defer(() => void libc.symbols.close(fd));
    isFull = libc.symbols.connect(fd, bytes, size) !== 0;
  }
  assert.ok(isFull, "nobody accepts them");
  assert.equal(claimName(libc, name), Deno.uid());
  strangers.dispose();
  claim[Symbol.dispose]();
  libc.close();
});
