import { strict as assert } from "node:assert";
import type { Subject } from "../../../src/sync/extension.ts";
import {
  Ledger,
  REMEMBERED_MS,
  type Verdict,
} from "../../../src/sync/ledger.ts";
import { instanceOf } from "../../fakes/sync_mesh.ts";

const NOW = 1_000_000;
const A = instanceOf("a");
const B = instanceOf("b");
const FIVE: Subject = { command: "connection", mux: 5 };

function setUp(letter = "c") {
  const clock = { now: NOW };
  const ledger = new Ledger({
    instance: instanceOf(letter),
    now: () => clock.now,
    elapsed: () => clock.now,
  });
  return { clock, ledger };
}

Deno.test("of two statements the later one counts, in whatever order they come", () => {
  const early = { version: NOW, origin: B };
  const late = { version: NOW + 1, origin: A };
  for (const isLateFirst of [false, true]) {
    const { ledger } = setUp();
    const learn = (): Verdict => ledger.learn(FIVE, "early", early);
    if (!isLateFirst) assert.equal(learn(), "new");
    assert.equal(ledger.learn(FIVE, "late", late), "new");
    if (isLateFirst) assert.equal(learn(), "old");
    assert.equal(ledger.get(FIVE)?.statement, "late");
  }
});

Deno.test("of two statements with one version all members choose the same", () => {
  const statements = [[A, B], [B, A]].map((origins) => {
    const { ledger } = setUp();
    for (const origin of origins) {
      ledger.learn(FIVE, origin, { version: NOW, origin });
    }
    return ledger.get(FIVE)?.statement;
  });
  assert.deepEqual(statements, [B, B]);
});

Deno.test("what is stated already is known, and moves no revision", () => {
  const { ledger } = setUp();
  ledger.learn(FIVE, "one", { version: NOW, origin: A });
  const { revision } = ledger;
  const again = { version: NOW, origin: A };
  assert.equal(ledger.learn(FIVE, "one", again), "known");
  assert.equal(ledger.learn(FIVE, "one", { ...again, version: 1 }), "known");
  assert.equal(
    ledger.learn(FIVE, "one", { ...again, version: NOW + 9 }),
    "known",
  );
  assert.equal(ledger.revision, revision);
  assert.equal(
    ledger.learn(FIVE, "two", { ...again, version: NOW + 8 }),
    "old",
  );
});

Deno.test("a removal beats what is older, and nothing that is stated later", () => {
  const { ledger } = setUp();
  assert.equal(ledger.remove(FIVE, { version: NOW, origin: A }), false);
  assert.equal(
    ledger.learn(FIVE, "one", { version: NOW - 1, origin: A }),
    "old",
  );
  assert.equal(ledger.get(FIVE), undefined);
  const later = { version: NOW + 1, origin: A };
  assert.equal(ledger.learn(FIVE, "one", later), "new");
  assert.equal(ledger.remove(FIVE, { version: NOW, origin: B }), false);
  assert.equal(ledger.get(FIVE)?.statement, "one");
  assert.equal(ledger.remove(FIVE, { version: NOW + 2, origin: B }), true);
  assert.equal(ledger.get(FIVE), undefined);
});

Deno.test("a statement of a clock far ahead can be taken back at once, one a little ahead in minutes", () => {
  const { ledger, clock } = setUp();
  ledger.learn(FIVE, "lie", { version: NOW + 3600_000, origin: A });
  clock.now += 1;
  assert.equal(ledger.remove(FIVE, { version: clock.now, origin: B }), true);
  ledger.learn(FIVE, "lie", { version: clock.now + 300_000, origin: A });
  assert.equal(ledger.remove(FIVE, { version: clock.now, origin: B }), false);
  clock.now += 300_001;
  assert.equal(ledger.remove(FIVE, { version: clock.now, origin: B }), true);
});

Deno.test("who has heard a later version states something later still", () => {
  const { ledger } = setUp();
  ledger.learn(FIVE, "one", { version: NOW + 1000, origin: A });
  ledger.claim(FIVE, "two");
  assert.equal(ledger.get(FIVE)?.stamp?.version, NOW + 1001);
});

Deno.test("a clock that stands still or goes back gives no version twice", () => {
  const { ledger, clock } = setUp();
  ledger.claim(FIVE, "one");
  const one = ledger.get(FIVE)?.stamp?.version ?? 0;
  clock.now -= 1000;
  ledger.claim(FIVE, "two");
  assert.equal(ledger.get(FIVE)?.stamp?.version, one + 1);
});

Deno.test("what is claimed again unchanged has its stamp, and moves on", () => {
  const { ledger } = setUp();
  ledger.learn(FIVE, "one", { version: NOW, origin: A });
  const { revision } = ledger;
  ledger.claim(FIVE, "one");
  assert.equal(ledger.get(FIVE)?.stamp?.origin, A);
  assert.equal(ledger.revision, revision + 1);
});

Deno.test("only what was stated here is withdrawn", () => {
  const { ledger } = setUp();
  ledger.learn(FIVE, "one", { version: NOW, origin: A });
  assert.equal(ledger.withdraw(FIVE), false);
  ledger.claim(FIVE, "two");
  assert.equal(ledger.withdraw(FIVE), true);
  assert.equal(ledger.withdraw(FIVE), false);
});

Deno.test("an original that repeats what was removed brings nothing back, a new key does", () => {
  const { ledger, clock } = setUp();
  assert.equal(ledger.learnPlain(FIVE, "one"), "new");
  assert.equal(ledger.learnPlain(FIVE, "one"), "known");
  assert.equal(ledger.learnPlain(FIVE, "two"), "new", "the last comer counts");
  ledger.remove(FIVE, { version: NOW, origin: A });
  assert.equal(ledger.learnPlain(FIVE, "two"), "old");
  assert.equal(ledger.learnPlain(FIVE, "three"), "new");
  ledger.remove(FIVE, { version: NOW + 1, origin: A });
  clock.now += REMEMBERED_MS + 1;
  ledger.forget();
  assert.equal(ledger.learnPlain(FIVE, "three"), "new", "it is forgotten");
});

Deno.test("of what was gone before it was known here an original brings nothing back", () => {
  const { ledger } = setUp();
  ledger.remove(FIVE, { version: NOW, origin: A });
  assert.equal(ledger.learnPlain(FIVE, "one"), "old");
});

Deno.test("an original changes nothing that is stated with a version", () => {
  const { ledger } = setUp();
  ledger.learn(FIVE, "one", { version: NOW, origin: A });
  assert.equal(ledger.learnPlain(FIVE, "one"), "known", "where the peer is");
  assert.equal(ledger.learnPlain(FIVE, "two"), "old");
  assert.equal(ledger.get(FIVE)?.stamp?.origin, A);
});

Deno.test("removals are forgotten after a day, or when they are too many, the oldest first", () => {
  const { ledger, clock } = setUp();
  ledger.remove(FIVE, { version: NOW, origin: A });
  clock.now += REMEMBERED_MS - 1;
  ledger.forget();
  assert.equal(ledger.forgotten, 0);
  clock.now += 2;
  ledger.forget();
  assert.equal(ledger.forgotten, 1);
  for (let k = 0; k < 100_002; k++) {
    const subject = {
      command: "route" as const,
      network: { family: "ethernet" as const, value: BigInt(k) },
      prefixLength: 48,
    };
    ledger.remove(subject, { version: NOW, origin: A });
  }
  assert.equal(ledger.forgotten, 3);
});

Deno.test("what an instance stated counts as older than what takes its place, also where it comes later", () => {
  const { ledger, clock } = setUp();
  ledger.learn(FIVE, "one", { version: NOW, origin: A });
  // The clock of the one that took its place was set back.
  ledger.supersede(A, NOW - 500);
  clock.now += 1;
  const stamp = { version: NOW - 400, origin: B };
  assert.equal(ledger.learn(FIVE, "two", stamp), "new");
  assert.equal(ledger.learn(FIVE, "one", { version: NOW, origin: A }), "old");
});

Deno.test("an instance that counted as ended and states something later is there, and counts again", () => {
  const { ledger, clock } = setUp();
  const by = (version: number) => ({ version, origin: A });
  ledger.learn(FIVE, "one", by(NOW));
  ledger.supersede(A, 2);
  ledger.learn(FIVE, "lie", { version: 5, origin: B });
  assert.equal(ledger.get(FIVE)?.statement, "lie");
  clock.now += 1000;
  assert.equal(ledger.learn(FIVE, "two", by(clock.now)), "new");
  clock.now += 1000;
  assert.equal(ledger.learn(FIVE, "three", by(clock.now)), "new");
  assert.equal(ledger.remove(FIVE, by(clock.now + 1)), true);
});

Deno.test("of what an instance stated before it counted as ended the later counts", () => {
  const { ledger, clock } = setUp();
  clock.now += 1000;
  ledger.learn(FIVE, "one", { version: NOW, origin: A });
  ledger.supersede(A, NOW - 500);
  const gone = { version: NOW + 1, origin: A };
  assert.equal(ledger.remove(FIVE, gone), true);
  assert.equal(ledger.learn(FIVE, "one", { version: NOW, origin: A }), "old");
});

Deno.test("an instance that says welcome counts as ever", () => {
  const { ledger } = setUp();
  ledger.learn(FIVE, "one", { version: NOW, origin: A });
  ledger.supersede(A, NOW - 500);
  ledger.revive(A);
  assert.equal(ledger.get(FIVE)?.stamp?.version, NOW);
  const late = { version: NOW - 400, origin: B };
  assert.equal(ledger.learn(FIVE, "two", late), "old");
});

Deno.test("who has only memories takes nobody's place", () => {
  const { ledger } = setUp();
  ledger.remove(FIVE, { version: NOW, origin: A });
  ledger.supersede(A, 1);
  const memory = { version: 1, origin: B };
  assert.equal(ledger.learn(FIVE, "one", memory), "old");
});

Deno.test("a log of changes is as long as what there is", () => {
  const { ledger } = setUp();
  for (let k = 0; k < 10_000; k++) ledger.claim(FIVE, String(k));
  const last = ledger.after(0);
  assert.equal(last?.revision, ledger.revision);
  assert.equal(ledger.after(ledger.revision), undefined);
});
