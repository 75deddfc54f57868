/**
 * A peer that has the key, and takes another sender id for each datagram. Runs
 * on a host of a lab, as a script: `<host> <port> <mux> <passphrase>`, as the
 * right side; says `sent <count>` when each id was used.
 */
import { setTimeout as delay } from "node:timers/promises";
import { openBuiltin } from "../../src/crypto/builtin.ts";
import { satpParameters, satpSecrets } from "../../src/crypto/satp_options.ts";
import { DatagramBatch } from "../../src/satp/batch.ts";
import { SatpBatchCodec } from "../../src/satp/batch_codec.ts";
import { MAX_DATAGRAM_BYTES, PayloadType } from "../../src/satp/header.ts";
import { schedulePair } from "../../src/satp/key_derivation.ts";
import { udpPacket } from "../packets.ts";
import { say } from "./say.ts";

const SENDER_IDS = 65536;

/** Datagrams in a row, and how many of these a second. */
const BURST = 50;
const PAUSE_MS = 2;

/** One codec for each sender id, all on one engine. */
async function codecs(
  mux: number,
  passphrase: string,
): Promise<(senderId: number) => SatpBatchCodec> {
  const params = satpParameters({});
  const secrets = await satpSecrets({ passphrase }, params.kdPrf);
  const room = DatagramBatch.slottedBytes(params, 1, MAX_DATAGRAM_BYTES);
  const { engine, bytes, freeAt } = openBuiltin(room);
  const batch = DatagramBatch.slotted(
    ...[bytes, params, 1, MAX_DATAGRAM_BYTES, freeAt] as const,
  );
  const schedules = await schedulePair(engine, secrets, "right");
  return (id) => new SatpBatchCodec(engine, batch, schedules, mux, id);
}

if (import.meta.main) {
  const [hostname = "", port, mux, passphrase = ""] = Deno.args;
  const transport = "udp";
  const to = { transport, hostname, port: Number(port) } as const;
  const codecOf = await codecs(Number(mux), passphrase);
  const socket = Deno.listenDatagram({
    ...{ transport, hostname: "0.0.0.0", port: 0 },
  });
  const packet = udpPacket({ version: 4 }, {});
  for (let id = 0; id < SENDER_IDS; id++) {
    const codec = codecOf(id);
    codec.payloads[0]?.set(packet);
    codec.payloadSizes[0] = packet.length;
    codec.payloadTypes[0] = PayloadType.IPV4;
    codec.seqs[0] = 1;
    codec.sealAll(1);
    const datagram = codec.datagrams[0]?.slice(0, codec.datagramSizes[0]);
    if (datagram !== undefined) await socket.send(datagram, to);
    if (id % BURST === 0) await delay(PAUSE_MS);
  }
  say(`sent ${SENDER_IDS}`);
}
