import assert from "node:assert/strict";
import { parseRoundTrips } from "../../../lab/round_trips.ts";

const TEXT = `PING 198.51.100.2 (198.51.100.2) 56(84) bytes of data.
64 bytes from 198.51.100.2: icmp_seq=1 ttl=64 time=1.54 ms
64 bytes from 198.51.100.2: icmp_seq=3 ttl=64 time=0.945 ms
64 bytes from 198.51.100.2: icmp_seq=4 ttl=64 time=120 ms

--- 198.51.100.2 ping statistics ---
4 packets transmitted, 3 received, 25% packet loss, time 401ms
rtt min/avg/max/mdev = 0.945/40.828/120.000/1.427 ms
`;

Deno.test("parseRoundTrips() reads each answer and nothing else", () => {
  assert.deepEqual(parseRoundTrips(TEXT), [1.54, 0.945, 120]);
});
