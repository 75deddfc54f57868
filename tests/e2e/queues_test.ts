import assert from "node:assert/strict";
import { deviceTest as test } from "../../lab/test_case.ts";
import type { QueueReport, QueueTask } from "../../lab/scripts/queues.ts";
import type { DeviceLab } from "../../lab/device_lab.ts";

const TASK: QueueTask = { name: "shared", readers: 3, writers: 3, flows: 40 };

async function look(
  lab: DeviceLab,
  task: Partial<QueueTask> = {},
): Promise<QueueReport> {
  const given = JSON.stringify({ ...TASK, ...task });
  return JSON.parse(await lab.script("queues.ts", given));
}

test("flows are spread over the queues, and none moves when answers are written elsewhere", async (lab) => {
  const { queues, moved, answered } = await look(lab);
  assert.deepEqual(new Set(queues), new Set([0, 1, 2]));
  assert.equal(answered, TASK.flows);
  assert.equal(moved, 0);
  assert.doesNotMatch(await lab.ip("link"), /shared/);
});

test("another program gets no queue of a shared device, and leaves it as it is", async (lab) => {
  const { second, intact } = await look(lab);
  assert.deepEqual(second, { shared: "busy", plain: "busy" });
  assert.equal(intact, true);
});

test("one reader gets everything, however many write", async (lab) => {
  const { queues, answered } = await look(lab, { readers: 1 });
  assert.deepEqual(new Set(queues), new Set([0]));
  assert.equal(answered, TASK.flows);
});

test("a persistent device with several queues is good for one reader as well", async (lab) => {
  await lab.ip("tuntap", "add", "mode", "tun", "name", "many", "multi_queue");
  const device = lab.start();
  const options = { name: "many" };
  const opened = await device.call({ do: "open", options });
  assert.deepEqual(opened, { name: "many", type: "tun", mtu: 1500 });
  const second = await lab.start().try({ do: "open", options });
  assert.equal("code" in second && second.code, "busy");
  await device.call({ do: "close" });
  await lab.start().call({ do: "open", options });
});

test("a persistent device is shared if it has several queues, by one program alone", async (lab) => {
  const add = ["tuntap", "add", "mode", "tun", "name"];
  await lab.ip(...add, "shared", "multi_queue");
  const { queues, second } = await look(lab);
  assert.equal(queues.length, TASK.flows);
  assert.deepEqual(second, { shared: "busy", plain: "busy" });
  assert.match(await lab.ip("link"), /shared/);
  await lab.ip(...add, "plain");
  const refused = look(lab, { name: "plain" });
  await assert.rejects(refused, /belongs to a device of another kind/);
});
