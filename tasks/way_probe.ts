// Two workers of the native plane in this thread, and packets from the device
// of one to that of the other. Run by way.ts.
import { strict as assert } from "node:assert";
import { type Libc, openLibc } from "../ffi/libc.ts";
import { UdpSocket } from "../ffi/net/udp.ts";
import { EventFd } from "../ffi/poll.ts";
import { plain } from "../lab/super_packets.ts";
import {
  ConnectionTable,
  endpointWords,
} from "../src/tunnel/connection_table.ts";
import { PLANE_COUNTERS } from "../src/tunnel/counters.ts";
import { writeEndpoint } from "../src/tunnel/endpoint_words.ts";
import { engineMaker } from "../src/tunnel/engine_maker.ts";
import { assemble } from "../src/tunnel/native/assemble.ts";
import { DeviceTurn } from "../src/tunnel/native/device_turn.ts";
import type { CarryLoop } from "../src/tunnel/native/loop.ts";
import { PlaneLog } from "../src/tunnel/plane_log.ts";
import { PairDevice } from "../tests/fakes/native_rig_device.ts";
import { recordingLog } from "../tests/fakes/recording_log.ts";
import { tunnelSettings } from "../tests/fakes/tunnel_settings.ts";
import { WarmUp } from "../src/tunnel/native/warm_up.ts";

const LOOPBACK = Uint8Array.of(127, 0, 0, 1);

/** One end of the tunnel. */
class End implements Disposable {
  readonly device: PairDevice;
  readonly socket: UdpSocket;
  readonly #libc: Libc;
  readonly #wakeup: EventFd;
  #loop: CarryLoop | undefined;

  constructor(libc: Libc) {
    this.#libc = libc;
    this.device = new PairDevice(libc);
    const local = { address: LOOPBACK, port: 0, scope: 0 };
    this.socket = UdpSocket.open(libc, local);
    this.socket.enableGro();
    this.#wakeup = EventFd.open(libc);
  }

  assemble(role: "left" | "right", peer: End): void {
    const table = new ConnectionTable(ConnectionTable.allocate());
    const words = endpointWords();
    const { port } = peer.socket.local;
    writeEndpoint(words, 0, { address: { family: 4, bytes: LOOPBACK }, port });
    table.endpoints.set(0, words, 0);
    const key = new Uint8Array(16).fill(1);
    const secrets = { key, salt: new Uint8Array(14).fill(2) };
    table.put(0, { role, secrets, windowSize: 64 }, 0);
    const now = () => performance.now();
    this.#loop = assemble({
      role: "all",
      settings: tunnelSettings(),
      engine: "openssl",
      connections: table.shared,
      routes: undefined,
      accepted: undefined,
      counters: new SharedArrayBuffer(PLANE_COUNTERS * 8),
      stop: new SharedArrayBuffer(4),
      turn: DeviceTurn.allocate(),
      wakeup: this.#wakeup.fd,
      otherWakeup: this.#wakeup.fd,
      device: this.device.fd,
      sockets: { ipv4: this.socket.fd, ipv6: undefined },
      receiveFrom: [this.socket.fd],
      vnetHeader: true,
      gso: true,
      gro: true,
      locals: false,
      coalesce: { tcp: true, udp: true },
      warmUpRounds: 0,
    }, {
      libc: this.#libc,
      newEngine: engineMaker("openssl", () => performance.now()),
      now,
      log: new PlaneLog(recordingLog(), now),
      moved: () => {},
      refused: () => {},
      maxRest: 10_000,
      idle: new WarmUp(undefined, 0),
    });
  }

  /** One round, without a rest. */
  round(): void {
    this.#wakeup.signal();
    this.#loop?.round();
  }

  [Symbol.dispose](): void {
    this.device.close();
    this.socket.close();
    this.#wakeup.close();
  }
}

/** A TCP segment without data, whose checksum nobody looks at. */
const PACKET = new Uint8Array(40);
PACKET.set([0x45, 0, 0, 40, 0, 0, 0, 0, 64, 6]);
PACKET.set([10, 0, 0, 1, 10, 0, 0, 2], 12);
PACKET.set([0x50, 0x10], 32);

Deno.test({
  name: "every packet reaches the other device",
  // The libraries stay open, as in a worker.
  sanitizeResources: false,
  fn() {
    const libc = openLibc();
    using left = new End(libc);
    using right = new End(libc);
    left.assemble("left", right);
    right.assemble("right", left);
    const packets = Number(Deno.env.get("PACKETS") ?? 1);
    let arrived = 0;
    for (let k = 0; k < packets; k++) {
      left.device.handOver(plain(PACKET));
      left.round();
      let taken = 0;
      while (taken === 0) {
        right.round();
        taken = right.device.taken().length;
      }
      arrived += taken;
    }
    assert.equal(arrived, packets);
  },
});
