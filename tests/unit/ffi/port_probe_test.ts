import assert from "node:assert/strict";
import { PortProbe } from "../../../ffi/net/port_probe.ts";
import { UdpSocket } from "../../../ffi/net/udp.ts";
import { writeEndpoint } from "../../../src/tunnel/endpoint_words.ts";
import { endpointWords } from "../../../src/tunnel/connection_table.ts";
import { until } from "../../../lab/until.ts";
import { libcTest } from "../../fakes/with_libc.ts";

const LOOPBACK = Uint8Array.of(127, 0, 0, 1);
const LOCAL = { address: LOOPBACK, port: 0, scope: 0 };

libcTest(
  "a port that nobody listens at is told from one that somebody does",
  async (libc) => {
    const socket = UdpSocket.open(libc, LOCAL);
    const words = endpointWords();
    const { port } = socket.local;
    writeEndpoint(words, 0, { address: { family: 4, bytes: LOOPBACK }, port });
    {
      using probe = new PortProbe(libc, LOCAL, {});
      probe.knock(words, 0);
      assert.equal(probe.isRefused, false);
    }
    socket.close();
    using probe = new PortProbe(libc, LOCAL, {});
    await until("it is refused", 60, () => {
      probe.knock(words, 0);
      return probe.isRefused;
    });
  },
);
