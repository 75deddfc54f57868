import assert from "node:assert/strict";
import { Errno } from "../../../ffi/errno.ts";
import type { Libc } from "../../../ffi/libc.ts";
import { Arena } from "../../../ffi/memory.ts";
import {
  EventFd,
  FOREVER,
  POLLIN,
  POLLOUT,
  PollSet,
} from "../../../ffi/poll.ts";
import { fakeLibc } from "../../fakes/fake_libc.ts";
import { libcTest as test } from "../../fakes/with_libc.ts";

/** Two eventfds in one set. */
function eventFds(libc: Libc, waiting = libc) {
  const first = EventFd.open(libc);
  const second = EventFd.open(libc);
  const set = new PollSet(waiting, new Arena(1), 2);
  const indices = [set.add(first.fd), set.add(second.fd)] as const;
  return {
    first,
    second,
    set,
    ready: () => indices.map((index) => set.ready(index)),
    close: () => [first, second].forEach((wakeup) => wakeup.close()),
  };
}

test("wait() tells which descriptor is ready", (libc) => {
  const { first, second, set, ready, close } = eventFds(libc);
  assert.equal(set.wait(0), 0);
  assert.deepEqual(ready(), [0, 0]);
  second.signal();
  assert.equal(set.wait(FOREVER), 1);
  assert.deepEqual(ready(), [0, POLLIN]);
  first.signal();
  assert.equal(set.wait(FOREVER), 2);
  close();
});

test("an eventfd is ready until it is drained, however often it was signalled", (libc) => {
  const { first, set, close } = eventFds(libc);
  for (let i = 0; i < 3; i++) first.signal();
  assert.equal(set.wait(0), 1);
  assert.equal(set.wait(0), 1);
  first.drain();
  assert.equal(set.wait(0), 0);
  first.drain();
  first.signal();
  assert.equal(set.wait(0), 1);
  close();
});

test("an eventfd made of the number of another is the same one", (libc) => {
  const { first, set, close } = eventFds(libc);
  new EventFd(libc, first.fd).signal();
  assert.equal(set.wait(0), 1);
  close();
});

test("watch() changes what is waited for", (libc) => {
  const wakeup = EventFd.open(libc);
  const set = new PollSet(libc, new Arena(1), 1);
  const index = set.add(wakeup.fd, POLLOUT);
  assert.equal(set.wait(0), 1);
  assert.equal(set.ready(index), POLLOUT);
  set.watch(index, POLLIN);
  assert.equal(set.wait(0), 0);
  wakeup.close();
});

test("a set takes no more descriptors than it was made for", (libc) => {
  const { set, close } = eventFds(libc);
  assert.throws(() => set.add(0), { name: "RangeError" });
  close();
});

test("wait() starts again when a signal interrupts it", (libc) => {
  let calls = 0;
  const interrupted = fakeLibc(libc, {
    poll: () => ++calls < 3 ? -1 : 1,
  }, Errno.EINTR);
  const { set, close } = eventFds(libc, interrupted);
  assert.equal(set.wait(FOREVER), 1);
  assert.equal(calls, 3);
  close();
});

test("wait() fails when the kernel refuses", (libc) => {
  const failing = fakeLibc(libc, { poll: () => -1 }, Errno.ENOMEM);
  const { set, close } = eventFds(libc, failing);
  assert.throws(() => set.wait(0), { syscall: "poll", code: "ENOMEM" });
  close();
});

test("waitInBackground() leaves the thread free until an eventfd is signalled", async (libc) => {
  const { first, set, close } = eventFds(libc);
  const wait = set.waitInBackground(FOREVER);
  first.signal();
  assert.equal(await wait, 1);
  assert.equal(await set.waitInBackground(0), 1);
  first.drain();
  assert.equal(await set.waitInBackground(0), 0);
  close();
});

test("wait() ends though signals interrupt it all the time", (libc) => {
  const waits: number[] = [];
  const interrupted = fakeLibc(libc, {
    poll(_set: unknown, _count: number, timeout: number) {
      waits.push(timeout);
      return timeout === 0 ? 0 : -1;
    },
  }, Errno.EINTR);
  const { set, close } = eventFds(libc, interrupted);
  assert.equal(set.wait(100), 0);
  assert.deepEqual(waits, [100, 50, 25, 12, 6, 3, 1, 0]);
  close();
});

test("waitInBackground() ends though signals interrupt it all the time", async (libc) => {
  const waits: number[] = [];
  const interrupted = fakeLibc(libc, {
    pollInBackground(_set: unknown, _count: number, timeout: number) {
      waits.push(timeout);
      assert.ok(waits.length < 20, "it begins anew each time");
      return Promise.resolve(timeout === 0 ? 0 : -1);
    },
  }, Errno.EINTR);
  const { set, close } = eventFds(libc, interrupted);
  assert.equal(await set.waitInBackground(100), 0);
  assert.deepEqual(waits, [100, 50, 25, 12, 6, 3, 1, 0]);
  close();
});

test("waitInBackground() goes on after an interruption, not after an error", async (libc) => {
  let calls = 0;
  const interrupted = fakeLibc(libc, {
    pollInBackground: () => Promise.resolve(++calls < 3 ? -1 : 1),
  }, 0);
  const { set, close } = eventFds(libc, interrupted);
  assert.equal(await set.waitInBackground(FOREVER), 1);
  assert.equal(calls, 3);
  close();
  const failing = fakeLibc(libc, {
    poll: () => -1,
    pollInBackground: () => Promise.resolve(-1),
  }, Errno.EINVAL);
  const broken = eventFds(libc, failing);
  await assert.rejects(broken.set.waitInBackground(FOREVER), {
    code: "EINVAL",
  });
  broken.close();
});

test("an eventfd wakes a worker that is blocked in wait()", async (libc) => {
  const wakeup = EventFd.open(libc);
  const url = new URL("../../fakes/poll_worker.ts", import.meta.url);
  const worker = new Worker(url, { type: "module" });
  const said = () =>
    new Promise((resolve) => {
      worker.onmessage = ({ data }) => resolve(data);
    });
  worker.postMessage(wakeup.fd);
  assert.equal(await said(), "waiting");
  wakeup.signal();
  assert.equal(await said(), "woken");
  worker.terminate();
  wakeup.close();
});
