import assert from "node:assert/strict";
import { checkDeviceName } from "../../../ffi/tuntap/device_name.ts";
import { Errno } from "../../../ffi/errno.ts";
import { parseInterfacePrefix } from "../../../ffi/tuntap/interface_prefix.ts";
import { Ifreq } from "../../../ffi/tuntap/ifreq.ts";
import {
  acknowledged,
  addressMessage,
  linkStateMessage,
  mtuMessage,
} from "../../../ffi/tuntap/rtnetlink.ts";
import { AF } from "../../../ffi/flags.ts";
import { openDevice } from "../../../ffi/tuntap/open_device.ts";
import { openTunTap } from "../../../ffi/tuntap/mod.ts";
import { negotiateOffloads, Offload } from "../../../ffi/tuntap/vnet.ts";
import { fakeLibc } from "../../fakes/fake_libc.ts";
import { libcTest as test } from "../../fakes/with_libc.ts";

const hex = (bytes: Uint8Array) => bytes.toHex();

Deno.test("checkDeviceName() accepts what the kernel accepts", () => {
  for (const name of ["t", "tun0", "tap%d", "a%db", "fifteen-letters", "a.b"]) {
    checkDeviceName(name);
  }
});

Deno.test("checkDeviceName() refuses what the kernel refuses", () => {
  const wrong = {
    "": "it is empty",
    "sixteen-letters.": "it has 16 characters, at most 15 are allowed",
    ".": "it is the name of a folder",
    "..": "it is the name of a folder",
    "a/b": "it must not contain '/' or ':'",
    "a:b": "it must not contain '/' or ':'",
    "a b": "it must be printable ASCII without spaces",
    "a\0b": "it must be printable ASCII without spaces",
    "tün": "it must be printable ASCII without spaces",
    "%s": "'%' is allowed only once, as '%d', the place of the number",
    "%d%d": "'%' is allowed only once, as '%d', the place of the number",
  };
  for (const [name, reason] of Object.entries(wrong)) {
    assert.throws(() => checkDeviceName(name), {
      name: "TunTapError",
      code: "bad-name",
      message: `Cannot use the device name ${JSON.stringify(name)}: ${reason}`,
    });
  }
});

Deno.test("openTunTap() refuses a bad name before it touches the system", () => {
  assert.throws(() => openTunTap({ name: "much-too-long-name" }), {
    code: "bad-name",
  });
});

test("a name, address and prefix are read from text", (libc) => {
  assert.deepEqual(parseInterfacePrefix(libc, "192.0.2.1/24"), {
    family: AF.INET,
    address: Uint8Array.of(192, 0, 2, 1),
    length: 24,
    text: "192.0.2.1/24",
  });
  const { family, address, length } = parseInterfacePrefix(
    libc,
    "2001:db8::1/128",
  );
  assert.equal(family, AF.INET6);
  assert.equal(hex(address), "20010db8000000000000000000000001");
  assert.equal(length, 128);
});

test("what is no address with a prefix is refused", (libc) => {
  const wrong = [
    "192.0.2.1",
    "192.0.2.1/",
    "192.0.2.1/33",
    "192.0.2.1/-1",
    "192.0.2.1/2 4",
    "192.0.2/24",
    "192.0.2.1/24/24",
    "::1/129",
    ":::/64",
    "fe80::1%lo/64",
    "192.0.2.1\0/24",
    "",
  ];
  for (const text of wrong) {
    assert.throws(() => parseInterfacePrefix(libc, text), {
      code: "bad-setting",
    }, text);
  }
});

Deno.test("struct ifreq has the name at 0 and the flags at 16", () => {
  const ifreq = new Ifreq("tun7");
  ifreq.flags = 0x1001;
  assert.equal(ifreq.bytes.length, 40);
  assert.equal(
    hex(ifreq.bytes.subarray(0, 20)),
    "74756e3700000000000000000000000001100000",
  );
  assert.equal(ifreq.name, "tun7");
});

Deno.test("the message for the MTU has the layout of rtnetlink", () => {
  assert.equal(
    hex(mtuMessage(5, 1400)),
    "28000000" + "1000" + "0500" + "00000000" + "00000000" + // nlmsghdr
      "00000000" + "05000000" + "00000000" + "00000000" + // ifinfomsg
      "0800" + "0400" + "78050000", // IFLA_MTU
  );
});

Deno.test("the message for the link state changes IFF_UP only", () => {
  assert.equal(
    hex(linkStateMessage(5, true)),
    "20000000" + "1000" + "0500" + "00000000" + "00000000" +
      "00000000" + "05000000" + "01000000" + "01000000",
  );
  assert.equal(hex(linkStateMessage(5, false)).slice(-16), "0000000001000000");
});

test("the message for an address names it as local and as address", (libc) => {
  const prefix = parseInterfacePrefix(libc, "192.0.2.129/26");
  const expected = "28000000" + "1400" + "0505" + "00000000" + "00000000" +
    "021a0000" + "05000000" + // ifaddrmsg
    "0800" + "0200" + "c0000281" + // IFA_LOCAL
    "0800" + "0100" + "c0000281"; // IFA_ADDRESS
  assert.equal(hex(addressMessage(5, prefix, false)), expected);
});

test("a broadcast address has all host bits set", (libc) => {
  const broadcastOf = (text: string) =>
    hex(addressMessage(5, parseInterfacePrefix(libc, text), true)).slice(80);
  assert.equal(broadcastOf("192.0.2.129/26"), "08000400c00002bf");
  assert.equal(broadcastOf("10.1.2.3/0"), "08000400ffffffff");
  assert.equal(broadcastOf("10.1.2.3/31"), "");
});

Deno.test("an answer counts only when it belongs to the request", () => {
  const reply = Uint8Array.fromHex(
    "24000000" + "0200" + "0000" + "07000000" + "00000000" + "ffffffff" +
      "00".repeat(16),
  );
  assert.equal(acknowledged(reply, 7), Errno.EPERM);
  assert.equal(acknowledged(reply, 8), undefined);
  assert.equal(acknowledged(reply.subarray(0, 19), 7), undefined);
  reply[4] = 3;
  assert.equal(acknowledged(reply, 7), undefined);
});

const nodeFailures = [
  [Errno.ENOENT, "no-driver"],
  [Errno.ENODEV, "no-driver"],
  [Errno.ENXIO, "no-driver"],
  [Errno.EACCES, "not-permitted"],
  [Errno.EPERM, "not-permitted"],
  [Errno.EMFILE, "failed"],
] as const;

test("a failure to open /dev/net/tun is told by its kind", (libc) => {
  for (const [errno, code] of nodeFailures) {
    const failing = fakeLibc(libc, { open: () => -1 }, errno);
    assert.throws(() => openDevice(failing, { name: "tun0" }), {
      code,
      message: /^Cannot open the tun device 'tun0': .*[^.]$/,
    });
  }
});

const attachFailures = [
  [Errno.EPERM, "not-permitted"],
  [Errno.EBUSY, "busy"],
  [Errno.EINVAL, "wrong-kind"],
  [Errno.EBADFD, "wrong-kind"],
  [Errno.ENFILE, "failed"],
] as const;

test("a failure to attach is told by its kind, and closes the node", (libc) => {
  for (const [errno, code] of attachFailures) {
    const closed: number[] = [];
    const failing = fakeLibc(libc, {
      open: () => 4711,
      ioctl: () => -1,
      close: (fd) => closed.push(fd) && 0,
    }, errno);
    assert.throws(() => openDevice(failing, { type: "tap" }), {
      code,
      message: /^Cannot open a new tap device: .*[^.]$/,
    });
    assert.deepEqual(closed, [4711]);
  }
});

test("a program without the right is told which one it needs", (libc) => {
  const refused = fakeLibc(libc, { open: () => -1 }, Errno.EACCES);
  assert.throws(() => openDevice(refused, {}), { message: /CAP_NET_ADMIN/ });
});

test("opening and closing take back what is set on a persistent device", (libc) => {
  const taken: [number, number][] = [];
  const fake = fakeLibc(libc, {
    open: () => 4711,
    ioctl: () => 0,
    ioctlNumber: (_fd, request, argument) => taken.push([request, argument]),
    close: (fd) => fd === 4711 ? 0 : libc.symbols.close(fd),
  }, 0);
  const TUNSETOFFLOAD = 0x400454d0;
  const device = openDevice(fake, {});
  assert.deepEqual(taken, [[TUNSETOFFLOAD, 0]]);
  device.close();
  assert.deepEqual(taken, [[TUNSETOFFLOAD, 0], [TUNSETOFFLOAD, 0]]);
});

test("negotiateOffloads() gives up the newest first", (libc) => {
  const { CSUM, TSO4, TSO6, USO4, USO6 } = Offload;
  const granted = (known: number) => {
    const fake = fakeLibc(libc, {
      ioctlNumber: (_fd, _request, wanted) => (wanted & ~known) === 0 ? 0 : -1,
    }, Errno.EINVAL);
    return negotiateOffloads(fake, 0, CSUM | TSO4 | TSO6 | USO4 | USO6);
  };
  assert.equal(granted(0xff), CSUM | TSO4 | TSO6 | USO4 | USO6);
  assert.equal(granted(CSUM | TSO4 | TSO6), CSUM | TSO4 | TSO6);
  assert.equal(granted(CSUM), CSUM);
  assert.equal(granted(0), 0);
});
