import assert from "node:assert/strict";
import type { TunTapOptions } from "../../ffi/tuntap/mod.ts";
import { deviceTest as test } from "../../lab/test_case.ts";
import type { Order } from "../../lab/scripts/device.ts";

/** RFC 1071 */
function internetChecksum(bytes: Uint8Array): number {
  let sum = 0;
  bytes.forEach((byte, index) => sum += index % 2 === 0 ? byte << 8 : byte);
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >>> 16);
  return ~sum & 0xffff;
}

/** An ICMP echo request (RFC 792) from 192.0.2.2 to 192.0.2.1. */
function echoRequest(payload: Uint8Array): Uint8Array {
  const icmp = Uint8Array.of(8, 0, 0, 0, 0x47, 0x11, 0, 1, ...payload);
  new DataView(icmp.buffer).setUint16(2, internetChecksum(icmp));
  const ip = Uint8Array.fromHex(
    "4500000000000000400100 00c0000202c0000201".replace(" ", ""),
  );
  const view = new DataView(ip.buffer);
  view.setUint16(2, ip.length + icmp.length);
  view.setUint16(10, internetChecksum(ip));
  return Uint8Array.of(...ip, ...icmp);
}

/** An ARP request (RFC 826) for 192.0.2.1 from 192.0.2.2, in Ethernet. */
const ARP_REQUEST = "ffffffffffff" + "020000000002" + "0806" +
  "0001" + "0800" + "0604" + "0001" +
  "020000000002" + "c0000202" + "000000000000" + "c0000201";

test("a tun device is called as asked, and vanishes at close", async (lab) => {
  const device = lab.start();
  const options = { name: "wanted", type: "tun" } as const;
  const opened = await device.call({ do: "open", options });
  assert.deepEqual(opened, { name: "wanted", type: "tun", mtu: 1500 });
  assert.match(await lab.ip("-d", "link"), /wanted: .*\n.*\n? *tun type tun/);
  await device.call({ do: "close" });
  assert.doesNotMatch(await lab.ip("link"), /wanted/);
});

test("the kernel chooses the number of a pattern and a missing name", async (lab) => {
  const name = async (options: TunTapOptions) => {
    const process = await lab.device(options);
    return await process.call({ do: "describe" });
  };
  assert.deepEqual(await name({ name: "vpn%d" }), {
    name: "vpn0",
    type: "tun",
    mtu: 1500,
  });
  assert.deepEqual(await name({ name: "vpn%d" }), {
    name: "vpn1",
    type: "tun",
    mtu: 1500,
  });
  assert.deepEqual(await name({}), { name: "tun0", type: "tun", mtu: 1500 });
  assert.deepEqual(await name({ type: "tap" }), {
    name: "tap0",
    type: "tap",
    mtu: 1500,
  });
});

test("addresses, MTU and link state arrive at the kernel", async (lab) => {
  const device = await lab.device({ name: "tun0" });
  assert.doesNotMatch(await lab.ip("link"), /tun0: <.*\bUP\b/);
  await device.configure({
    addresses: ["192.0.2.1/25", "198.51.100.7/32", "2001:db8::1/64"],
    mtu: 1400,
    up: true,
  });
  const shown = await lab.ip("addr", "show", "dev", "tun0");
  assert.match(shown, /tun0: <.*\bUP\b.* mtu 1400 /);
  assert.match(shown, /inet 192\.0\.2\.1\/25 scope global/);
  assert.match(shown, /inet 198\.51\.100\.7\/32 scope global/);
  assert.match(shown, /inet6 2001:db8::1\/64 scope global/);
  assert.match(await lab.ip("route"), /192\.0\.2\.0\/25 dev tun0/);
  assert.deepEqual(await device.call({ do: "describe" }), {
    name: "tun0",
    type: "tun",
    mtu: 1400,
  });
});

test("a tap device gets a broadcast address", async (lab) => {
  const device = await lab.device({ name: "tap0", type: "tap" });
  await device.configure({ addresses: ["192.0.2.1/25"], up: true });
  const shown = await lab.ip("addr", "show", "dev", "tap0");
  assert.match(shown, /inet 192\.0\.2\.1\/25 brd 192\.0\.2\.127 /);
});

test("configuring twice changes only what is new", async (lab) => {
  const device = await lab.device({ name: "tun0" });
  await device.configure({ addresses: ["192.0.2.1/24"], mtu: 1400, up: true });
  await device.configure({ addresses: ["192.0.2.1/24"] });
  const shown = await lab.ip("addr", "show", "dev", "tun0");
  assert.equal(shown.match(/inet 192/g)?.length, 1);
  assert.match(shown, /\bUP\b.* mtu 1400 /);
  await device.configure({ up: false });
  assert.doesNotMatch(await lab.ip("link"), /tun0: <.*\bUP\b/);
});

test("a wrong setting changes nothing", async (lab) => {
  const device = await lab.device({ name: "tun0" });
  const wrong = [
    { mtu: 67 },
    { mtu: 65536 },
    { mtu: 1400.5 },
    { mtu: 1279, addresses: ["2001:db8::1/64"] },
    { mtu: 1400, up: true, addresses: ["192.0.2.1/24", "192.0.2.1/33"] },
  ];
  const before = await lab.ip("addr");
  for (const settings of wrong) {
    const answer = await device.try({ do: "configure", settings });
    assert.equal("code" in answer && answer.code, "bad-setting");
  }
  assert.equal(await lab.ip("addr"), before);
});

test("an IPv6 address is refused below the MTU of IPv6", async (lab) => {
  const device = await lab.device({ name: "tun0" });
  await device.configure({ mtu: 1000, up: true });
  const settings = { addresses: ["2001:db8::1/64"] };
  assert.deepEqual(await device.try({ do: "configure", settings }), {
    code: "bad-setting",
    message: "Cannot use the device address 2001:db8::1/64: " +
      "IPv6 needs an MTU of at least 1280, it is 1000",
  });
});

test("an IPv6 address is refused where IPv6 is disabled", async (lab) => {
  const device = await lab.device({ name: "tun0" });
  await lab.set("net/ipv6/conf/tun0/disable_ipv6", "1");
  const settings = { addresses: ["2001:db8::1/64"] };
  const answer = await device.try({ do: "configure", settings });
  assert.ok("message" in answer);
  assert.match(answer.message, /IPv6 is disabled on the device/);
});

for (const size of [0, 1, 56, 1372]) {
  test(`a packet with ${size} bytes of payload passes a tun device unchanged`, async (lab) => {
    const device = await lab.device({ name: "tun0" });
    await device.configure({
      addresses: ["192.0.2.1/24"],
      mtu: 1400,
      up: true,
    });
    const payload = crypto.getRandomValues(new Uint8Array(size));
    const request = echoRequest(payload);
    const packet = request.toHex();
    assert.equal(await device.call({ do: "write", packet }), true);
    const reply = await device.readUntil((packet) => packet[9] === 1);
    assert.equal(reply.length, request.length);
    assert.equal(reply[20], 0, "echo reply");
    assert.deepEqual(reply.subarray(28), payload);
    assert.equal(internetChecksum(reply.subarray(20)), 0);
  });
}

test("a frame passes a tap device unchanged", async (lab) => {
  const device = await lab.device({ name: "tap0", type: "tap" });
  await device.configure({ addresses: ["192.0.2.1/24"], up: true });
  const written = await device.call({ do: "write", packet: ARP_REQUEST });
  assert.equal(written, true);
  const isArp = (frame: Uint8Array) => frame[12] === 8 && frame[13] === 6;
  const isReply = (frame: Uint8Array) => isArp(frame) && frame[21] === 2;
  const reply = await device.readUntil(isReply);
  assert.equal(reply.length, 42);
  assert.equal(reply.subarray(0, 6).toHex(), "020000000002");
  assert.equal(reply.subarray(28, 32).toHex(), "c0000201");
});

test("read() says when nothing is waiting", async (lab) => {
  const device = await lab.device({ name: "tun0" });
  assert.equal(await device.call({ do: "read" }), "");
});

test("write() says what the kernel does not take", async (lab) => {
  const device = await lab.device({ name: "tun0" });
  const good = echoRequest(new Uint8Array(8)).toHex();
  const write = (packet: string) => device.call({ do: "write", packet });
  assert.equal(await write(good), false, "link down");
  await device.configure({ up: true });
  assert.equal(await write(good), true);
  assert.equal(await write(""), false);
  assert.equal(
    await write(`f${good.slice(1)}`),
    false,
    "neither IPv4 nor IPv6",
  );
});

test("a device in use is busy, and one of another type is told", async (lab) => {
  const holder = await lab.device({ name: "tun0" });
  const other = lab.start();
  const busy = await other.try({ do: "open", options: { name: "tun0" } });
  assert.equal("code" in busy && busy.code, "busy");
  for (const name of ["tun0", "lo"]) {
    const options = { name, type: "tap" } as const;
    const wrong = await other.try({ do: "open", options });
    assert.equal("code" in wrong && wrong.code, "wrong-kind");
  }
  await holder.call({ do: "close" });
  await other.call({ do: "open", options: { name: "tun0", type: "tap" } });
});

test("a persistent device is attached to and stays", async (lab) => {
  await lab.ip("tuntap", "add", "stays", "mode", "tun");
  await lab.ip("tuntap", "add", "stayspi", "mode", "tun", "pi");
  for (const name of ["stays", "stayspi"]) {
    const device = await lab.device({ name });
    await device.configure({ addresses: ["192.0.2.1/24"], up: true });
    await device.call({
      do: "write",
      packet: echoRequest(new Uint8Array(8)).toHex(),
    });
    const reply = await device.readUntil((packet) => packet[9] === 1);
    assert.equal(reply.length, 36, "no packet information in front");
    await device.call({ do: "close" });
    assert.match(await lab.ip("link"), new RegExp(`${name}:`));
    await lab.ip("link", "set", name, "down");
  }
});

test("without CAP_NET_ADMIN only a persistent device opens", async (lab) => {
  await lab.ip("tuntap", "add", "owned", "mode", "tun", "user", "root");
  const process = lab.startWithoutRight();
  const made = await process.try({ do: "open", options: {} });
  assert.equal("code" in made && made.code, "not-permitted");
  await process.call({ do: "open", options: { name: "owned" } });
  const order = { do: "configure", settings: { up: true } } as const;
  assert.deepEqual(await process.try(order), {
    code: "not-permitted",
    message: "Cannot set owned up: " +
      "it needs root or the capability CAP_NET_ADMIN",
  });
});

test("a device removed by somebody else is gone", async (lab) => {
  const device = await lab.device({ name: "tun0" });
  await lab.ip("link", "del", "tun0");
  const orders: Order[] = [
    { do: "readAfterWaiting" },
    { do: "write", packet: "45" },
    { do: "describe" },
    { do: "configure", settings: { up: true } },
  ];
  for (const order of orders) {
    const answer = await device.try(order);
    assert.equal("code" in answer && answer.code, "gone", order.do);
  }
});

test("close() ends a wait, and the device vanishes", async (lab) => {
  const device = await lab.device({ name: "tun0" });
  assert.equal(await device.call({ do: "closeWhileWaiting" }), false);
  assert.doesNotMatch(await lab.ip("link"), /tun0/);
  assert.equal(await device.call({ do: "readAfterWaiting" }), "closed");
});
