import assert from "node:assert/strict";
import fc from "fast-check";
import { hkdf } from "../../../src/crypto/hkdf.ts";
import {
  type ChainLink,
  epochAt,
  type Hkdf,
  KeyChain,
  MAX_STEPS,
} from "../../../src/satp/key_chain.ts";

const KD_PRF = "aes-ctr-128";

function link(epoch = 10): ChainLink {
  return { interval: 60, epoch, key: new Uint8Array(32).fill(7) };
}

/** Keeps everything that the chain ever had, to look whether it is wiped. */
function recorder() {
  const derived: Uint8Array[] = [];
  const derive: Hkdf = (ikm, info, length) => {
    const output = hkdf(ikm, info, length);
    derived.push(output);
    return output;
  };
  const alive = () => derived.filter((bytes) => bytes.some((b) => b !== 0));
  return { derive, alive };
}

const hexOf = (chain: KeyChain, epoch: number) => chain.link(epoch).key.toHex();

Deno.test("an epoch is as long as the interval, and begins with it", () => {
  assert.equal(epochAt(0, 60), 0);
  assert.equal(epochAt(59.999, 60), 0);
  assert.equal(epochAt(60, 60), 1);
  assert.equal(epochAt(1_775_556_000, 3600), 493210);
});

Deno.test("a chain derives the same in whatever order it is asked", () => {
  const epochs = fc.array(fc.integer({ min: 10, max: 80 }), { minLength: 1 });
  fc.assert(fc.property(epochs, (asked) => {
    const [one, other] = [
      new KeyChain(link(), hkdf),
      new KeyChain(link(), hkdf),
    ];
    for (const epoch of asked) {
      other.approach(epoch);
      assert.equal(hexOf(other, epoch), hexOf(one, epoch));
      assert.equal(hexOf(other, 10), hexOf(one, 10), "nothing is lost");
    }
  }));
});

Deno.test("what is erased cannot be derived again, and what follows can", () => {
  const reference = new KeyChain(link(), hkdf);
  const chain = new KeyChain(link(), hkdf);
  chain.approach(30);
  for (const epoch of [20, 25, 40]) {
    chain.eraseBefore(epoch);
    assert.equal(chain.epoch, epoch);
    for (const later of [epoch, epoch + 1, 60]) {
      assert.equal(hexOf(chain, later), hexOf(reference, later));
    }
    assert.throws(() => chain.secrets(epoch - 1, KD_PRF), RangeError);
  }
  chain.eraseBefore(12);
  assert.equal(chain.epoch, 40, "and never comes back");
});

Deno.test("a chain leaves no key behind but that of its epoch", () => {
  const { derive, alive } = recorder();
  const chain = new KeyChain(link(), derive);
  const { key, salt } = chain.secrets(15, KD_PRF);
  key.fill(0);
  salt.fill(0);
  chain.link(16).key.fill(0);
  assert.deepEqual(alive(), [], "all steps are overwritten");
  chain.approach(20);
  chain.approach(21);
  assert.equal(alive().length, 1, "the one it derives from");
  chain.eraseBefore(23);
  assert.deepEqual(alive().map((bytes) => bytes.toHex()), [hexOf(chain, 23)]);
  alive().slice(1).forEach((bytes) => bytes.fill(0));
  chain.erase();
  assert.deepEqual(alive(), []);
});

Deno.test("a chain has a copy of its own: the caller's may be overwritten", () => {
  const given = link();
  const chain = new KeyChain(given, hkdf);
  const before = hexOf(chain, 11);
  given.key.fill(0);
  assert.equal(hexOf(chain, 11), before);
});

Deno.test("a chain derives nothing that is too far ahead, or no number", () => {
  const chain = new KeyChain(link(), hkdf);
  const tooFar = 10 + MAX_STEPS + 1;
  assert.throws(() => chain.link(tooFar), {
    name: "RangeError",
    message: `Cannot derive the keys of epoch ${tooFar}: the chain is at 10, ` +
      `it must be at most ${MAX_STEPS} epochs before`,
  });
  assert.throws(() => chain.link(NaN), RangeError);
});
