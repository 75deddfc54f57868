/**
 * From how many messages on libIPSec_MB, which works on them side by side, is
 * faster than libcrypto, which works on one after the other: AES-CTR and
 * HMAC-SHA1, a new key for each message. Sealing and opening are one of each;
 * what `src/crypto/ipsec_mb.ts` leaves to libcrypto follows from it.
 *
 * @module
 */
import { Aes, HmacSha1 } from "../../ffi/crypto/openssl.ts";
import { CtrBurst, HmacBurst } from "../../ffi/crypto/burst_jobs.ts";
import { openIpsecMb } from "../../ffi/crypto/ipsec_mb.ts";
import { openLibcrypto } from "../../ffi/crypto/libcrypto.ts";
import { Arena } from "../../ffi/memory.ts";
import { whyNoIpsecMb } from "../../lab/engines.ts";

const COUNTS = [1, 2, 4, 6, 8, 16, 64];
const SIZES = [100, 1410];
const KEY_SIZE = 16;

/** Bytes from one message to the next: key, counter, message, HMAC. */
const STRIDE = 1536;
const COUNTER_AT = 32;
const MESSAGE_AT = 48;
const MAC_AT = 1500;

function compare(): void {
  const arena = new Arena(1 << 20);
  const ipsecMb = openIpsecMb();
  const libcrypto = openLibcrypto();
  const firstAt = arena.take(Math.max(...COUNTS) * STRIDE, 64);

  const ctr = new Aes(libcrypto, arena).ctr(KEY_SIZE);
  bench("AES-CTR", "one by one", (count, size) => {
    for (let i = 0; i < count; i++) {
      const at = firstAt + i * STRIDE;
      ctr.run(at, at + COUNTER_AT, at + MESSAGE_AT, size);
    }
  });

  const ctrBurst = new CtrBurst(ipsecMb, arena);
  bench("AES-CTR", "side by side", (count, size) => {
    ctrBurst.begin(KEY_SIZE);
    for (let i = 0; i < count; i++) {
      const at = firstAt + i * STRIDE;
      ctrBurst.run(at, at + COUNTER_AT, at + MESSAGE_AT, size);
    }
    ctrBurst.flush();
  });

  const hmac = new HmacSha1(libcrypto, arena);
  bench("HMAC-SHA1", "one by one", (count, size) => {
    for (let i = 0; i < count; i++) {
      const at = firstAt + i * STRIDE;
      hmac.run(at, at + MESSAGE_AT, size, at + MAC_AT);
    }
  });

  const hmacBurst = new HmacBurst(ipsecMb, arena, hmac);
  bench("HMAC-SHA1", "side by side", (count, size) => {
    hmacBurst.begin();
    for (let i = 0; i < count; i++) {
      const at = firstAt + i * STRIDE;
      hmacBurst.run(at, at + MESSAGE_AT, size, at + MAC_AT);
    }
    hmacBurst.flush();
  });
}

function bench(
  work: string,
  way: "one by one" | "side by side",
  body: (count: number, size: number) => void,
): void {
  for (const size of SIZES) {
    for (const count of COUNTS) {
      const group = `${work} of ${count} x ${size} bytes`;
      Deno.bench(`${group}, ${way}`, { group }, () => body(count, size));
    }
  }
}

const reason = whyNoIpsecMb();
if (reason === null) compare();
else Deno.bench(`bursts (skipped: ${reason})`, { ignore: true }, () => {});
