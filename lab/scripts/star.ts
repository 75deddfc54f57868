/**
 * Many clients of one server, in one process. Runs on a host of a lab, as a
 * script: `<host> <port> <first mux> <clients>`. Client n has the mux
 * `<first mux> + n`, the passphrase `client <n>` and the address 10.98.0.n in
 * the tunnel, n from 1. Each sends the server's 10.98.0.254 an echo request
 * (RFC 792) until there is an answer for it, under its own keys; the script
 * prints `answered <clients>` when all have one.
 */
import { createSatpCodec, PayloadType } from "../../mod.ts";
import { say } from "./say.ts";
import { concat, internetSum } from "../packets.ts";

/** How long an answer may take before the request is sent again, in ms. */
const ANSWER_MS = 500;

const ECHO_REPLY = 0, ECHO_REQUEST = 8;

/** Becomes an echo request with right checksums. */
function echoRequest(client: number): Uint8Array {
  const icmp = Uint8Array.of(ECHO_REQUEST, 0, 0, 0, 0, client, 0, 1, client);
  fillIn(icmp, 2, icmp);
  const header = new Uint8Array(20);
  header.set([0x45, 0, 0, 20 + icmp.length, 0, client, 0x40, 0, 64, 1]);
  header.set([10, 98, 0, client, 10, 98, 0, 254], 12);
  fillIn(header, 10, header);
  return concat(header, icmp);
}

function fillIn(packet: Uint8Array, at: number, over: Uint8Array): void {
  const sum = ~internetSum(over);
  packet.set([sum >> 8 & 0xff, sum & 0xff], at);
}

function isAnswer(packet: Uint8Array, client: number): boolean {
  return packet[19] === client && packet[20] === ECHO_REPLY &&
    packet[28] === client;
}

async function ask(
  hostname: string,
  port: number,
  mux: number,
  client: number,
): Promise<void> {
  const passphrase = `client ${client}`;
  const codec = await createSatpCodec({ passphrase, role: "right", mux });
  const socket = Deno.listenDatagram({
    hostname: "0.0.0.0",
    port: 0,
    transport: "udp",
  });
  const payload = echoRequest(client);
  let seq = 0;
  const send = async () => {
    const packet = { seq: seq++, payloadType: PayloadType.IPV4, payload };
    const to = { hostname, port, transport: "udp" } as const;
    await socket.send(await codec.seal(packet), to);
  };
  // What is still on its way when all is over has nowhere to go.
  const again = setInterval(() => send().catch(() => {}), ANSWER_MS);
  await send();
  for await (const [datagram] of socket) {
    const opened = await codec.open(datagram);
    if (opened.mux === mux && isAnswer(opened.payload, client)) break;
  }
  clearInterval(again);
  socket.close();
}

if (import.meta.main) {
  const [host = "", ...numbers] = Deno.args;
  const [port = 0, firstMux = 0, clients = 0] = numbers.map(Number);
  const asking = Array.from(
    { length: clients },
    (_, k) => ask(host, port, firstMux + k + 1, k + 1),
  );
  await Promise.all(asking);
  say(`answered ${clients}`);
}
