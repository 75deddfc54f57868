import { strict as assert } from "node:assert";
import {
  createSatpCodec,
  SatpError,
  type SatpErrorCode,
} from "../../../mod.ts";
import { toHex } from "../../vectors/vectors.ts";

const passphrase = "unit tests";
const payload = new Uint8Array([0x45, 1, 2, 3, 4, 5, 6, 7]);
const packet = { seq: 1, payloadType: 0x0800, payload };

function hasCode(code: SatpErrorCode): (error: unknown) => boolean {
  return (error) => error instanceof SatpError && error.code === code;
}

Deno.test("open() rejects a tag of the wrong length", async () => {
  const long = await createSatpCodec({ passphrase, authTagLength: 12 });
  const short = await createSatpCodec({
    passphrase,
    role: "right",
    authTagLength: 10,
  });
  await assert.rejects(
    short.open(await long.seal(packet)),
    hasCode("WRONG_TAG"),
  );
});

Deno.test("open() rejects a datagram when any one bit of it is flipped", async () => {
  const left = await createSatpCodec({ passphrase });
  const right = await createSatpCodec({ passphrase, role: "right" });
  const datagram = await left.seal(packet);
  for (let bit = 0; bit < datagram.length * 8; bit++) {
    const forged = datagram.slice();
    forged[bit >> 3] = (forged[bit >> 3] ?? 0) ^ (1 << (bit & 7));
    await assert.rejects(right.open(forged), hasCode("WRONG_TAG"));
  }
});

Deno.test("open() rejects what the own role sealed", async () => {
  const codec = await createSatpCodec({ passphrase });
  await assert.rejects(
    codec.open(await codec.seal(packet)),
    hasCode("WRONG_TAG"),
  );
});

Deno.test("open() rejects a datagram without room for header and tag", async () => {
  const codec = await createSatpCodec({ passphrase });
  for (let size = 0; size < 20; size++) {
    await assert.rejects(
      codec.open(new Uint8Array(size)),
      hasCode("TOO_SHORT"),
    );
  }
});

Deno.test("seal() takes the longest payload that peers take, and no longer one", async () => {
  const left = await createSatpCodec({ passphrase });
  const right = await createSatpCodec({ passphrase, role: "right" });
  const longest = { ...packet, payload: new Uint8Array(1580).fill(0x45) };
  const datagram = await left.seal(longest);
  assert.equal(datagram.length, 1600);
  assert.deepEqual((await right.open(datagram)).payload, longest.payload);
  await assert.rejects(
    left.seal({ ...packet, payload: new Uint8Array(1581) }),
    hasCode("TOO_LONG"),
  );
});

Deno.test("seal() rejects numbers that do not fit", async () => {
  const codec = await createSatpCodec({ passphrase });
  for (const seq of [-1, 2 ** 32, 1.5, NaN]) {
    await assert.rejects(
      codec.seal({ ...packet, seq }),
      hasCode("BAD_PARAMETER"),
    );
  }
  await assert.rejects(
    codec.seal({ ...packet, payloadType: 65536 }),
    hasCode("BAD_PARAMETER"),
  );
});

Deno.test("a key as text and as bytes gives the same datagrams", async () => {
  const key = "000102030405060708090a0b0c0d0e0f";
  const salt = "00112233445566778899aabbccdd";
  const bytes = (hex: string) =>
    Uint8Array.from(
      hex.match(/../g) ?? [],
      (pair) => Number.parseInt(pair, 16),
    );
  const text = await createSatpCodec({ key, salt });
  const binary = await createSatpCodec({ key: bytes(key), salt: bytes(salt) });
  assert.equal(
    toHex(await text.seal(packet)),
    toHex(await binary.seal(packet)),
  );
});

Deno.test("createSatpCodec() refuses to start without a valid key and salt", async () => {
  const key = "00".repeat(16);
  const salt = "00".repeat(14);
  const refused: [SatpErrorCode, object][] = [
    ["BAD_KEY", {}],
    ["BAD_KEY", { salt }],
    ["BAD_SALT", { key }],
    ["BAD_KEY", { key: "00".repeat(15), salt }],
    ["BAD_KEY", { key: "00".repeat(16), salt, kdPrf: "aes-ctr-256" }],
    ["BAD_SALT", { key, salt: "00".repeat(13) }],
    ["BAD_KEY", { key: key.replace("0", "x"), salt }],
    ["BAD_KEY", { key: `${key}0`, salt }],
    ["BAD_SALT", { key, salt: `${salt}0` }],
  ];
  for (const [code, options] of refused) {
    await assert.rejects(createSatpCodec(options), hasCode(code));
  }
});

Deno.test("copies of key and salt are wiped once the codec has them", async () => {
  const copies: Uint8Array[] = [];
  class Noting extends Uint8Array {
    override slice(): Uint8Array<ArrayBuffer> {
      const copy = Uint8Array.from(this);
      copies.push(copy);
      return copy;
    }
  }
  const [key, salt] = [new Noting(16).fill(7), new Noting(14).fill(8)];
  const codec = await createSatpCodec({ key, salt });
  assert.deepEqual(copies, [new Uint8Array(16), new Uint8Array(14)]);
  assert.ok(key.every((byte) => byte === 7));
  const same = await createSatpCodec({
    key: "07".repeat(16),
    salt: toHex(salt),
  });
  assert.deepEqual(await codec.seal(packet), await same.seal(packet));
});

Deno.test("an error about a secret does not show it", async () => {
  const secret = "feedfacefeedfacefeedfacefeedfax";
  await assert.rejects(
    createSatpCodec({ key: secret, salt: "00".repeat(14) }),
    (error: Error) => !error.message.includes("feed"),
  );
});

Deno.test("createSatpCodec() rejects options that are none", async () => {
  const wrong: object[] = [
    { cipher: "aes-cbc" },
    { kdPrf: "" },
    { authAlgo: "md5" },
    { authTagLength: 21 },
    { authTagLength: -1 },
    { role: "toString" },
    { mux: 65536 },
    { senderId: -1 },
  ];
  for (const options of wrong) {
    await assert.rejects(
      createSatpCodec({ passphrase, ...options }),
      hasCode("BAD_PARAMETER"),
      JSON.stringify(options),
    );
  }
});

Deno.test("without cipher and authentication no key is needed", async () => {
  const codec = await createSatpCodec({ cipher: "null", authAlgo: "null" });
  const datagram = await codec.seal({ ...packet, seq: 0x01020304 });
  assert.equal(
    toHex(datagram),
    "01020304" + "0000" + "0000" + "0800" + toHex(payload),
  );
});
