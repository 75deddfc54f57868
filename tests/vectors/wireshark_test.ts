import { strict as assert } from "node:assert";
import { fromHex, loadVectors } from "./vectors.ts";
import { testUnless } from "../../lab/test_unless.ts";
import { whyNoPrograms } from "../../lab/missing.ts";

interface Packet {
  readonly seq: number;
  readonly payload_type: string;
  readonly plain_hex: string;
  readonly datagram_hex: string;
}

interface Vectors {
  readonly sets: readonly {
    readonly id: string;
    readonly params: {
      readonly cipher: string;
      readonly mux: number;
      readonly sender_id: number;
    };
    readonly effective: { readonly auth_tag_length: number };
    readonly packets: readonly Packet[];
  }[];
}

const SCRIPT = new URL("../../packaging/wireshark/anytun.lua", import.meta.url);
const PORT = 4445;

async function tshark(...args: string[]): Promise<string> {
  const { success, stdout, stderr } = await new Deno.Command("tshark", {
    args,
    // Where a user's own dissectors would be.
    env: { HOME: "/nonexistent", XDG_CONFIG_HOME: "/nonexistent" },
  }).output();
  const decoder = new TextDecoder();
  assert.ok(success, decoder.decode(stderr));
  return decoder.decode(stdout);
}

async function whyNot(): Promise<string | null> {
  const withoutPrograms = whyNoPrograms();
  if (withoutPrograms !== null) return withoutPrograms;
  try {
    await tshark("--version");
    return null;
  } catch {
    return "tshark is missing";
  }
}

/** A capture file of UDP datagrams in IPv4 (pcap, LINKTYPE_IPV4). */
function capture(datagrams: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const u32 = (...values: number[]) =>
    new Uint8Array(Uint32Array.from(values).buffer);
  const u16 = (...values: number[]) =>
    values.flatMap((value) => [value >> 8, value & 0xff]);
  const header = [u32(0xa1b2c3d4, 0x00040002, 0, 0, 65535, 228)];
  const records = datagrams.flatMap((datagram) => {
    const size = 28 + datagram.length;
    const ip = [0x45, 0, ...u16(size, 0, 0), 64, 17, 0, 0];
    const addresses = [192, 0, 2, 1, 192, 0, 2, 2];
    const udp = u16(PORT, PORT, 8 + datagram.length, 0);
    const headers = Uint8Array.from([...ip, ...addresses, ...udp]);
    return [u32(0, 0, size, size), headers, datagram];
  });
  const parts = [...header, ...records];
  const bytes = new Uint8Array(
    parts.reduce((sum, { length }) => sum + length, 0),
  );
  let at = 0;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.length;
  }
  return bytes;
}

interface Seen {
  readonly [field: string]: string[];
}

/** Fields of each datagram, as tshark says them. */
async function dissect(
  datagrams: readonly Uint8Array[],
  preferences: Readonly<Record<string, string>>,
  fields: readonly string[],
): Promise<Seen[]> {
  const file = Deno.makeTempFileSync({ suffix: ".pcap" });
  try {
    Deno.writeFileSync(file, capture(datagrams));
    const chosen = { ports: `4444,${PORT}`, ...preferences };
    const text = await tshark(
      ...["-r", file, "-X", `lua_script:${SCRIPT.pathname}`, "-T", "json"],
      ...Object.entries(chosen).flatMap(([name, value]) => [
        "-o",
        `anytun.${name}:${value}`,
      ]),
      ...fields.flatMap((field) => ["-e", field]),
    );
    const packets: { _source: { layers: Seen } }[] = JSON.parse(text);
    return packets.map(({ _source }) => _source.layers);
  } finally {
    Deno.removeSync(file);
  }
}

const why = await whyNot();
const { sets } = loadVectors<Vectors>("datagrams.json");
const all = sets.flatMap(({ params, effective, packets }) =>
  packets.map((packet) => ({ ...packet, params, effective }))
);
const HEADER = ["seq", "sender_id", "mux", "payload_length"];

testUnless(
  [why],
  "Wireshark shows header and tag of all that the original programs sent",
  async () => {
    const byTag = Map.groupBy(all, (one) => one.effective.auth_tag_length);
    assert.ok(byTag.size > 3);
    for (const [tagLength, packets] of byTag) {
      const seen = await dissect(
        packets.map(({ datagram_hex }) => fromHex(datagram_hex)),
        { tag: String(tagLength) },
        [...HEADER, "tag"].map((field) => `anytun.${field}`),
      );
      assert.equal(seen.length, packets.length);
      for (
        const [at, { seq, params, plain_hex, datagram_hex }] of packets
          .entries()
      ) {
        const fields = seen[at] ?? {};
        const header = HEADER.map((field) => Number(fields[`anytun.${field}`]));
        const { sender_id, mux } = params;
        assert.deepEqual(header, [seq, sender_id, mux, plain_hex.length / 2]);
        const tag = fields["anytun.tag"]?.join().replaceAll(":", "") ?? "";
        assert.equal(tag.length, 2 * tagLength);
        assert.ok(datagram_hex.endsWith(tag));
      }
    }
  },
);

testUnless(
  [why],
  "Wireshark shows packets inside of datagrams with a null cipher, and " +
    "takes nothing that is encrypted for one",
  async () => {
    for (const tagLength of [0, 10, 20]) {
      const packets = all.filter(({ effective }) =>
        effective.auth_tag_length === tagLength
      );
      const seen = await dissect(
        packets.map(({ datagram_hex }) => fromHex(datagram_hex)),
        { tag: String(tagLength) },
        ["anytun.payload_type", "anytun.encrypted", "frame.protocols"],
      );
      for (const [at, { params, payload_type }] of packets.entries()) {
        const fields = seen[at] ?? {};
        const protocols = fields["frame.protocols"]?.join() ?? "";
        const isPlain = params.cipher === "null" && payload_type !== "6558";
        assert.equal("anytun.encrypted" in fields, !isPlain);
        if (!isPlain) continue;
        assert.equal(
          Number(fields["anytun.payload_type"]),
          parseInt(payload_type, 16),
        );
        assert.match(
          protocols,
          payload_type === "86dd" ? /anytun:ipv6/ : /anytun:ip:/,
        );
      }
    }
  },
);

testUnless(
  [why],
  "Wireshark shows frames of tap devices where it is told that there is " +
    "no cipher",
  async () => {
    const frames = all.filter(({ params, payload_type, effective }) =>
      params.cipher === "null" && payload_type === "6558" &&
      effective.auth_tag_length === 20
    );
    assert.ok(frames.length > 0);
    const seen = await dissect(
      frames.map(({ datagram_hex }) => fromHex(datagram_hex)),
      { tag: "20", cipher: "None" },
      ["frame.protocols"],
    );
    for (const { "frame.protocols": protocols } of seen) {
      assert.match(protocols?.join() ?? "", /anytun:eth:/);
    }
  },
);

testUnless(
  [why],
  "Wireshark calls what is too short malformed, and shows the others",
  async () => {
    const sizes = [0, 1, 8, 19, 20, 21];
    const seen = await dissect(
      sizes.map((size) => new Uint8Array(size)),
      {},
      ["anytun.seq", "_ws.expert.message", "_ws.lua.error"],
    );
    const isShown = seen.map((fields) => "anytun.seq" in fields);
    assert.deepEqual(isShown, sizes.map((size) => size >= 20));
    for (const [at, fields] of seen.entries()) {
      assert.ok(!("_ws.lua.error" in fields));
      const isRefused = (sizes[at] ?? 0) > 0 && !isShown[at];
      const messages = fields["_ws.expert.message"]?.join() ?? "";
      assert.equal(messages.includes("Too short for SATP"), isRefused);
    }
  },
);
