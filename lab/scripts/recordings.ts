/**
 * Seals datagrams as a client does, and sends them as often as it is told to.
 * Runs on a host of a lab, as a script: `<passphrase> <mux> <host> <port>` says
 * `ready`. Of each line of standard input, `new <count>` makes and sends so many
 * with numbers of their own, and `again` sends the same once more; says `sent`.
 */
import { createInterface } from "node:readline";
import process from "node:process";
import { createSatpCodec, PayloadType } from "../../mod.ts";
import { say } from "./say.ts";

const SENDER_ID = 7;

/** An IPv4 packet to nowhere: version and header length are enough for a plane. */
function packet(): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(28);
  const view = new DataView(bytes.buffer);
  view.setUint16(0, 0x4500);
  view.setUint16(2, bytes.length);
  bytes.set([64, 17], 8);
  bytes.set([10, 99, 0, 2, 10, 77, 0, 254], 12);
  return bytes;
}

if (import.meta.main) {
  const [passphrase = "", mux, hostname = "", port] = Deno.args;
  const codec = await createSatpCodec({
    ...{ passphrase, role: "right" },
    ...{ mux: Number(mux), senderId: SENDER_ID },
  });
  const socket = Deno.listenDatagram({
    transport: "udp",
    hostname: "0.0.0.0",
    port: 0,
  });
  const to = { transport: "udp", hostname, port: Number(port) } as const;
  let seq = 1000;
  let recorded: readonly Uint8Array[] = [];
  say("ready");
  for await (const line of createInterface({ input: process.stdin })) {
    const [what, count] = line.split(" ");
    if (what === "new") {
      recorded = await Promise.all(
        Array.from({ length: Number(count) }, () =>
          codec.seal({
            seq: seq++,
            payloadType: PayloadType.IPV4,
            payload: packet(),
          })),
      );
    }
    for (const datagram of recorded) await socket.send(datagram, to);
    say("sent");
  }
}
