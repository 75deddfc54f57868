// Answers of the kernel on netlink sockets: owners of sockets, devices, routes.
import { strict as assert } from "node:assert";
import { SystemError } from "../../../ffi/errno.ts";
import { openLibc } from "../../../ffi/libc.ts";
import { SocketDiagnosis } from "../../../ffi/net/sock_diag.ts";
import { readRoute } from "../../../ffi/tuntap/device_routes.ts";
import { readNetwork } from "../../../ffi/tuntap/other_networks.ts";
import { ROUTE_PROTOCOL } from "../../../ffi/tuntap/route_numbers.ts";
import {
  linkStateMessage,
  RouteSocket,
} from "../../../ffi/tuntap/rtnetlink.ts";
import { fakeLibc } from "../../fakes/fake_libc.ts";
import { ByteReader } from "../bytes.ts";
import type { Target } from "../target.ts";

const HEADER_BYTES = 16;
const LINK_BYTES = 16;
const EAGAIN = 11;
const [NLMSG_ERROR, NLMSG_DONE, RTM_NEWLINK, SOCK_DIAG] = [2, 3, 16, 20];
const RTM_NEWROUTE = 24;

/** By the first byte: what is asked. */
const QUESTIONS = ["owner", "request", "link", "routes"] as const;

/** Of a byte: it answers the question before. */
const LATE = 1;

const CLIENT = { address: Uint8Array.of(127, 0, 0, 1), port: 0x0102 };
const SERVER = { address: Uint8Array.of(127, 0, 0, 1), port: 0x0304 };

interface Answer {
  readonly isLate: boolean;
  readonly bytes: Uint8Array;
}

/** An input is a question, and answers, each with its length. */
export default function open(): Target {
  const kernel = new Kernel();
  const real = openLibc();
  const libc = fakeLibc(real, kernel.calls(), EAGAIN);
  // Nothing but what is replaced is called.
  real.close();
  const answer = (type: number, body: readonly number[], flags = 0) => {
    const size = HEADER_BYTES + body.length;
    const head = [size, 0, 0, 0, type, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];
    return [flags, size, ...head, ...body];
  };
  const socket = Array(72).fill(0);
  [socket[1], socket[4], socket[5], socket[6], socket[7]] = [1, 1, 2, 3, 4];
  [socket[64], socket[68]] = [200, 9];
  const failed = (errno: number) => [256 - errno, 255, 255, 255];
  const link = [...Array(LINK_BYTES).fill(1), 8, 0, 4, 0, 120, 5, 0, 0];
  const route = [
    ...[2, 16, 0, 0, 254, ROUTE_PROTOCOL, 253, 1, 0, 0, 0, 0],
    ...[8, 0, 1, 0, 10, 77, 0, 0, 8, 0, 4, 0, 7, 0, 0, 0],
  ];
  return {
    seeds: [
      [0, ...answer(SOCK_DIAG, socket)],
      [0, ...answer(NLMSG_ERROR, failed(2)), ...answer(SOCK_DIAG, socket)],
      [0, ...answer(SOCK_DIAG, socket, LATE), ...answer(SOCK_DIAG, socket)],
      [1, ...answer(NLMSG_ERROR, [0, 0, 0, 0])],
      [1, ...answer(NLMSG_ERROR, failed(1))],
      [2, ...answer(RTM_NEWLINK, link)],
      [2, ...answer(NLMSG_ERROR, failed(19))],
      [3, ...answer(RTM_NEWROUTE, route), ...answer(NLMSG_DONE, [0, 0, 0, 0])],
      [3, ...answer(NLMSG_ERROR, failed(1))],
    ].map((bytes) => Uint8Array.from(bytes)),
    maxBytes: 260,
    run(input) {
      const bytes = new ByteReader(input);
      const question = QUESTIONS[bytes.byte() % QUESTIONS.length];
      kernel.answers = answersOf(bytes);
      try {
        if (question === "owner") assertOwner(kernel, libc);
        else if (question === "routes") assertRoutes(new RouteSocket(libc));
        else assertDevice(kernel, new RouteSocket(libc), question === "link");
      } catch (error) {
        const isRefusal = error instanceof SystemError ||
          error instanceof Error && /is not understood$/.test(error.message);
        assert.ok(isRefusal, `untyped: ${error}`);
      }
    },
  };
}

function answersOf(bytes: ByteReader): Answer[] {
  const answers: Answer[] = [];
  while (!bytes.isAtEnd) {
    const isLate = (bytes.byte() & LATE) !== 0;
    answers.push({ isLate, bytes: bytes.take(bytes.byte()) });
  }
  return answers;
}

/** Nobody owns a socket unless an answer of this question says so. */
function assertOwner(
  kernel: Kernel,
  libc: ConstructorParameters<typeof SocketDiagnosis>[0],
): void {
  const { answers } = kernel;
  const nothing = Uint8Array.of(...Array(20).fill(0));
  nothing[4] = NLMSG_ERROR;
  kernel.answers = [{ isLate: false, bytes: nothing }];
  const diagnosis = new SocketDiagnosis(libc);
  kernel.answers = answers.slice();
  const owner = diagnosis.ownerOf(CLIENT, SERVER);
  if (owner === undefined) return;
  const saying = answers.filter(({ isLate, bytes }) => {
    const view = new DataView(bytes.buffer);
    const body = HEADER_BYTES;
    return !isLate && bytes.length >= body + 72 &&
      view.getUint16(4, true) === SOCK_DIAG &&
      view.getUint16(body + 4) === CLIENT.port &&
      view.getUint16(body + 6) === SERVER.port &&
      view.getUint32(body + 64, true) === owner &&
      view.getUint32(body + 68, true) !== 0;
  });
  assert.ok(saying.length > 0, "an owner that no answer tells of");
}

/** What is read of a list can be told to the kernel. */
function assertRoutes(socket: RouteSocket): void {
  const query = linkStateMessage(7, true);
  const bodies = socket.dump(
    { what: "list routes", message: query },
    RTM_NEWROUTE,
  );
  for (const body of bodies) {
    const { address, length: bits = 0 } = readNetwork(body, 7) ?? {};
    assert.ok(bits <= (address?.length ?? 0) * 8);
    const route = readRoute(body, 7);
    if (route === undefined) continue;
    const { network, length, metric } = route;
    assert.ok(network.length === 4 || network.length === 16);
    assert.ok(length <= network.length * 8 && metric >= 0);
  }
}

function assertDevice(
  kernel: Kernel,
  socket: RouteSocket,
  isLink: boolean,
): void {
  const [first] = kernel.answers;
  const size = first?.bytes.length ?? 0;
  if (isLink) {
    const attributes = socket.link("look at at0", 7);
    assert.ok(
      attributes.length <= Math.max(0, size - HEADER_BYTES - LINK_BYTES),
    );
    return;
  }
  socket.request({ what: "set at0 up", message: linkStateMessage(7, true) });
  // It has come through: the kernel has said so.
  assert.ok(first !== undefined && !first.isLate && size >= HEADER_BYTES + 4);
  const view = new DataView(first.bytes.buffer);
  assert.equal(view.getUint16(4, true), NLMSG_ERROR);
  assert.equal(view.getInt32(HEADER_BYTES, true), 0);
}

class Kernel {
  answers: Answer[] = [];
  #sequence = 0;

  calls() {
    return {
      socket: () => 99,
      close: () => 0,
      send: (_fd: number, bytes: unknown) => {
        assert.ok(bytes instanceof Uint8Array);
        this.#sequence = new DataView(bytes.buffer).getUint32(8, true);
        return bytes.length;
      },
      recv: (_fd: number, into: unknown) => {
        assert.ok(into instanceof Uint8Array);
        const answer = this.answers.shift();
        if (answer === undefined) return -1;
        const { isLate, bytes } = answer;
        into.set(bytes);
        const sequence = this.#sequence - (isLate ? 1 : 0);
        if (bytes.length < HEADER_BYTES) return bytes.length;
        new DataView(into.buffer).setUint32(8, sequence >>> 0, true);
        return bytes.length;
      },
    };
  }
}
