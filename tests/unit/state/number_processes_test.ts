import fc from "fast-check";
import { bootIdOf } from "../../../src/state/boot_id.ts";
import { BLOCK } from "../../../src/state/number_store.ts";
import { Killed, MortalLibc } from "../../fakes/mortal_libc.ts";
import { folderTest, Life, Sender, Used } from "../../fakes/number_life.ts";

const life = fc.record({
  /** Steps that happen before the kill, from the first look on. */
  killAt: fc.nat(40),
  failEvery: fc.constantFrom(0, 2, 3, 7),
  takes: fc.array(fc.integer({ min: 1, max: BLOCK / 2 }), { maxLength: 12 }),
  isClean: fc.boolean(),
});

const SPACES = ["AA", "AB", "b"];
const act = fc.record({
  /** Of two processes. */
  who: fc.nat(1),
  what: fc.constantFrom(
    ...["send", "send", "send", "send", "settle", "end", "kill", "crash"],
  ),
  space: fc.nat(2),
  count: fc.integer({ min: 1, max: BLOCK / 2 }),
  killIn: fc.oneof(
    { weight: 6, arbitrary: fc.constant(Infinity) },
    { weight: 1, arbitrary: fc.nat(20) },
  ),
  failEvery: fc.constantFrom(0, 0, 0, 13, 17),
  ids: fc.constantFrom([7], [7], [7, 8], [8, 7]),
});

Deno.test("whenever the process is killed, and whatever fails to be written, no number is used twice", () => {
  fc.assert(
    fc.property(fc.array(life, { minLength: 2, maxLength: 6 }), (lives) => {
      const path = Deno.makeTempDirSync();
      const used = new Used();
      try {
        for (const { killAt, failEvery, takes, isClean } of lives) {
          const life = new Life(path);
          life.mortal.killAt = life.mortal.steps + killAt;
          const fails = (step: number) =>
            failEvery > 0 && step % failEvery === 0;
          life.mortal.fails = fails;
          try {
            life.start();
            for (const count of takes) {
              const first = life.take(count);
              if (first >= 0) used.add(first, first + count);
              life.table.keepNumbersAhead();
            }
            if (isClean) life.table.settleNumbers();
          } catch (error) {
            if (!(error instanceof Killed)) throw error;
          } finally {
            life.mortal.killAt = Infinity;
            life.kill();
          }
        }
      } finally {
        Deno.removeSync(path, { recursive: true });
      }
    }),
    { numRuns: 60 },
  );
});

folderTest(
  "keys that are given back while another process uses them do not begin anew",
  (path) => {
    using one = new MortalLibc();
    using two = new MortalLibc();
    const first = new Sender(one, path, [7]).begin();
    const other = new Sender(two, path, [7]).begin();
    const used = new Map<string, Used>();
    for (let k = 0; k < 4; k++) other.send("AA", BLOCK / 2, used);
    first.send("AB", 1, used);
    first.send("AA", 1, used);
    first.settle(["AA"]);
    first.send("AA", 1, used);
    for (const sender of [first, other]) sender.kill();
  },
);

Deno.test("two processes that come and go, with keys that do, use no number twice", () => {
  using one = new MortalLibc();
  using other = new MortalLibc();
  fc.assert(
    fc.property(fc.array(act, { minLength: 20, maxLength: 40 }), (acts) => {
      const path = Deno.makeTempDirSync();
      const used = new Map<string, Used>();
      const senders: (Sender | undefined)[] = [undefined, undefined];
      let boots = 1;
      try {
        for (const { who, what, space: k, count, ...how } of acts) {
          const space = SPACES[k] ?? "";
          const sender = senders[who] ??
            new Sender(
              ...[who === 0 ? one : other, path, how.ids] as const,
              bootIdOf(String(boots)),
            ).failEvery(how.failEvery).begin();
          senders[who] = sender;
          sender.killIn(how.killIn);
          if (what === "crash") {
            for (const sender of senders.splice(0)) sender?.kill();
            boots++;
            continue;
          }
          let isGone = what === "kill";
          try {
            if (what === "send") {
              sender.send(space, count, used);
            } else if (what === "settle") sender.settle([space]);
            else if (what === "end") {
              sender.settle(SPACES);
              isGone = true;
            }
          } catch (error) {
            if (!(error instanceof Killed)) throw error;
            isGone = true;
          }
          if (!isGone) continue;
          sender.kill();
          senders[who] = undefined;
        }
      } finally {
        for (const sender of senders) sender?.kill();
        Deno.removeSync(path, { recursive: true });
      }
    }),
    { numRuns: 15 },
  );
});
