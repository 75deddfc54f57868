import assert from "node:assert/strict";
import { tellingUsers } from "../../../src/daemon/telling_users.ts";
import type { OwnerOf } from "../../../src/sync/streams.ts";
import { ManualListener, ManualStream } from "../../fakes/sync_streams.ts";

async function userOf(
  address: string,
  openOwners: () => OwnerOf,
): Promise<number | undefined> {
  const plain = new ManualListener<ManualStream>();
  const listener = tellingUsers(plain, openOwners);
  const stream = new ManualStream(address);
  plain.offer(stream);
  const accepted = await listener.accept();
  assert.equal(accepted.remote, stream.remote);
  accepted.close();
  assert.ok(stream.isClosed);
  listener.close();
  assert.ok(plain.isClosed);
  return accepted.uid;
}

Deno.test("users of this host are told apart, others by their address", async () => {
  const asked: number[] = [];
  const owners = (): OwnerOf => ({ port }) => {
    asked.push(port);
    return 1000;
  };
  assert.equal(await userOf("127.0.0.1", owners), 1000);
  assert.equal(await userOf("::1", owners), 1000);
  assert.equal(await userOf("192.0.2.9", owners), undefined);
  assert.deepEqual(asked, [9, 9], "of the other end");
});

Deno.test("where the kernel does not tell, nobody is known and all are served", async () => {
  const silent = () => {
    throw new Error("it knows nothing of sockets");
  };
  assert.equal(await userOf("127.0.0.1", silent), undefined);
  assert.equal(await userOf("127.0.0.1", () => () => undefined), undefined);
});
