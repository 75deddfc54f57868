import assert from "node:assert/strict";
import type { DeviceSettings, TunTapOptions } from "../../ffi/tuntap.ts";
import { whyNoLab } from "../support/lab_missing.ts";
import type { Answer, Order } from "../support/tuntap_process.ts";

const PROCESS = new URL("../support/tuntap_process.ts", import.meta.url);

/** A network namespace with nothing in it but what a test opens there. */
class Namespace implements AsyncDisposable {
  readonly #name = `at-ffi-${Deno.pid}`;
  readonly #processes: DeviceProcess[] = [];

  static async open(): Promise<Namespace> {
    const namespace = new Namespace();
    await run("ip", "netns", "add", namespace.#name);
    return namespace;
  }

  ip(...args: string[]): Promise<string> {
    return run("ip", "-n", this.#name, ...args);
  }

  /** Sets a value under /proc/sys. */
  set(name: string, value: string): Promise<string> {
    const script = `echo ${value} > /proc/sys/${name}`;
    return run("ip", "netns", "exec", this.#name, "sh", "-c", script);
  }

  start(): DeviceProcess {
    return this.#start([]);
  }

  /** Starts a process of root's that may not administer the network. */
  startWithoutRight(): DeviceProcess {
    return this.#start(["setpriv", "--bounding-set=-net_admin"]);
  }

  #start(before: readonly string[]): DeviceProcess {
    const process = new DeviceProcess(this.#name, before);
    this.#processes.push(process);
    return process;
  }

  /** Starts a process and opens a device there. */
  async device(options: TunTapOptions): Promise<DeviceProcess> {
    const process = this.start();
    await process.call({ do: "open", options });
    return process;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const process of this.#processes) await process.end();
    await run("ip", "netns", "del", this.#name);
  }
}

/** A process that opens one device; see tests/support/tuntap_process.ts. */
class DeviceProcess {
  readonly #child: Deno.ChildProcess;
  readonly #orders: WritableStreamDefaultWriter<Uint8Array<ArrayBuffer>>;
  readonly #answers: ReadableStreamDefaultReader<string>;
  #rest = "";
  #hasEnded = false;

  /** @param before A command that starts the process in its own way. */
  constructor(namespace: string, before: readonly string[]) {
    const flags = ["--quiet", "--no-prompt", "--no-lock", "--allow-ffi"];
    const deno = [Deno.execPath(), "run", ...flags, PROCESS.pathname];
    const args = ["netns", "exec", namespace, ...before, ...deno];
    this.#child = new Deno.Command("ip", {
      args,
      stdin: "piped",
      stdout: "piped",
    }).spawn();
    this.#orders = this.#child.stdin.getWriter();
    this.#answers = this.#child.stdout
      .pipeThrough(new TextDecoderStream()).getReader();
  }

  /** @throws {assert.AssertionError} When the order failed. */
  async call(order: Order): Promise<unknown> {
    const answer = await this.try(order);
    if ("result" in answer) return answer.result;
    assert.fail(`${answer.code}: ${answer.message}`);
  }

  async try(order: Order): Promise<Answer> {
    await this.#orders.write(
      new TextEncoder().encode(`${JSON.stringify(order)}\n`),
    );
    while (!this.#rest.includes("\n")) {
      const { value, done } = await this.#answers.read();
      if (done) assert.fail("the process ended without an answer");
      this.#rest += value;
    }
    const [line = "", ...rest] = this.#rest.split("\n");
    this.#rest = rest.join("\n");
    return JSON.parse(line);
  }

  configure(settings: DeviceSettings): Promise<unknown> {
    return this.call({ do: "configure", settings });
  }

  /** Reads until a packet comes that the test is about. */
  async readUntil(
    wanted: (packet: Uint8Array) => boolean,
  ): Promise<Uint8Array> {
    for (;;) {
      const read = await this.call({ do: "readAfterWaiting" });
      const packet = Uint8Array.fromHex(String(read));
      if (wanted(packet)) return packet;
    }
  }

  async end(): Promise<void> {
    if (this.#hasEnded) return;
    this.#hasEnded = true;
    await this.#orders.close();
    await this.#answers.cancel();
    await this.#child.status;
  }
}

async function run(program: string, ...args: string[]): Promise<string> {
  const { success, stdout, stderr } = await new Deno.Command(program, { args })
    .output();
  const text = new TextDecoder();
  if (!success) assert.fail(`${args.join(" ")}: ${text.decode(stderr)}`);
  return text.decode(stdout);
}

function test(
  name: string,
  body: (namespace: Namespace) => Promise<void>,
): void {
  const reason = whyNoLab();
  Deno.test({
    name: reason === null ? name : `${name} (skipped: ${reason})`,
    ignore: reason !== null,
    async fn() {
      await using namespace = await Namespace.open();
      await body(namespace);
    },
  });
}

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

test("a tun device is called as asked, and vanishes at close", async (ns) => {
  const device = ns.start();
  const options = { name: "wanted", type: "tun" } as const;
  const opened = await device.call({ do: "open", options });
  assert.deepEqual(opened, { name: "wanted", type: "tun", mtu: 1500 });
  assert.match(await ns.ip("-d", "link"), /wanted: .*\n.*\n? *tun type tun/);
  await device.call({ do: "close" });
  assert.doesNotMatch(await ns.ip("link"), /wanted/);
});

test("the kernel chooses the number of a pattern and a missing name", async (ns) => {
  const name = async (options: TunTapOptions) => {
    const process = await ns.device(options);
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

test("addresses, MTU and link state arrive at the kernel", async (ns) => {
  const device = await ns.device({ name: "tun0" });
  assert.doesNotMatch(await ns.ip("link"), /tun0: <.*\bUP\b/);
  await device.configure({
    addresses: ["192.0.2.1/25", "198.51.100.7/32", "2001:db8::1/64"],
    mtu: 1400,
    up: true,
  });
  const shown = await ns.ip("addr", "show", "dev", "tun0");
  assert.match(shown, /tun0: <.*\bUP\b.* mtu 1400 /);
  assert.match(shown, /inet 192\.0\.2\.1\/25 scope global/);
  assert.match(shown, /inet 198\.51\.100\.7\/32 scope global/);
  assert.match(shown, /inet6 2001:db8::1\/64 scope global/);
  assert.match(await ns.ip("route"), /192\.0\.2\.0\/25 dev tun0/);
  assert.deepEqual(await device.call({ do: "describe" }), {
    name: "tun0",
    type: "tun",
    mtu: 1400,
  });
});

test("a tap device gets a broadcast address", async (ns) => {
  const device = await ns.device({ name: "tap0", type: "tap" });
  await device.configure({ addresses: ["192.0.2.1/25"], up: true });
  const shown = await ns.ip("addr", "show", "dev", "tap0");
  assert.match(shown, /inet 192\.0\.2\.1\/25 brd 192\.0\.2\.127 /);
});

test("configuring twice changes only what is new", async (ns) => {
  const device = await ns.device({ name: "tun0" });
  await device.configure({ addresses: ["192.0.2.1/24"], mtu: 1400, up: true });
  await device.configure({ addresses: ["192.0.2.1/24"] });
  const shown = await ns.ip("addr", "show", "dev", "tun0");
  assert.equal(shown.match(/inet 192/g)?.length, 1);
  assert.match(shown, /\bUP\b.* mtu 1400 /);
  await device.configure({ up: false });
  assert.doesNotMatch(await ns.ip("link"), /tun0: <.*\bUP\b/);
});

test("a wrong setting changes nothing", async (ns) => {
  const device = await ns.device({ name: "tun0" });
  const wrong = [
    { mtu: 67 },
    { mtu: 65536 },
    { mtu: 1400.5 },
    { mtu: 1279, addresses: ["2001:db8::1/64"] },
    { mtu: 1400, up: true, addresses: ["192.0.2.1/24", "192.0.2.1/33"] },
  ];
  const before = await ns.ip("addr");
  for (const settings of wrong) {
    const answer = await device.try({ do: "configure", settings });
    assert.equal("code" in answer && answer.code, "bad-setting");
  }
  assert.equal(await ns.ip("addr"), before);
});

test("an IPv6 address is refused below the MTU of IPv6", async (ns) => {
  const device = await ns.device({ name: "tun0" });
  await device.configure({ mtu: 1000, up: true });
  const settings = { addresses: ["2001:db8::1/64"] };
  assert.deepEqual(await device.try({ do: "configure", settings }), {
    code: "bad-setting",
    message: "Cannot use the device address 2001:db8::1/64: " +
      "IPv6 needs an MTU of at least 1280, it is 1000",
  });
});

test("an IPv6 address is refused where IPv6 is disabled", async (ns) => {
  const device = await ns.device({ name: "tun0" });
  await ns.set("net/ipv6/conf/tun0/disable_ipv6", "1");
  const settings = { addresses: ["2001:db8::1/64"] };
  const answer = await device.try({ do: "configure", settings });
  assert.ok("message" in answer);
  assert.match(answer.message, /IPv6 is disabled on the device/);
});

for (const size of [0, 1, 56, 1372]) {
  test(`a packet with ${size} bytes of payload passes a tun device unchanged`, async (ns) => {
    const device = await ns.device({ name: "tun0" });
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

test("a frame passes a tap device unchanged", async (ns) => {
  const device = await ns.device({ name: "tap0", type: "tap" });
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

test("read() says when nothing is waiting", async (ns) => {
  const device = await ns.device({ name: "tun0" });
  assert.equal(await device.call({ do: "read" }), "");
});

test("write() says what the kernel does not take", async (ns) => {
  const device = await ns.device({ name: "tun0" });
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

test("a device in use is busy, and one of another type is told", async (ns) => {
  const holder = await ns.device({ name: "tun0" });
  const other = ns.start();
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

test("a persistent device is attached to and stays", async (ns) => {
  await ns.ip("tuntap", "add", "stays", "mode", "tun");
  await ns.ip("tuntap", "add", "stayspi", "mode", "tun", "pi");
  for (const name of ["stays", "stayspi"]) {
    const device = await ns.device({ name });
    await device.configure({ addresses: ["192.0.2.1/24"], up: true });
    await device.call({
      do: "write",
      packet: echoRequest(new Uint8Array(8)).toHex(),
    });
    const reply = await device.readUntil((packet) => packet[9] === 1);
    assert.equal(reply.length, 36, "no packet information in front");
    await device.call({ do: "close" });
    assert.match(await ns.ip("link"), new RegExp(`${name}:`));
    await ns.ip("link", "set", name, "down");
  }
});

test("without CAP_NET_ADMIN only a persistent device opens", async (ns) => {
  await ns.ip("tuntap", "add", "owned", "mode", "tun", "user", "root");
  const process = ns.startWithoutRight();
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

test("a device removed by somebody else is gone", async (ns) => {
  const device = await ns.device({ name: "tun0" });
  await ns.ip("link", "del", "tun0");
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

test("close() ends a wait, and the device vanishes", async (ns) => {
  const device = await ns.device({ name: "tun0" });
  assert.equal(await device.call({ do: "closeWhileWaiting" }), false);
  assert.doesNotMatch(await ns.ip("link"), /tun0/);
  assert.equal(await device.call({ do: "readAfterWaiting" }), "closed");
});
