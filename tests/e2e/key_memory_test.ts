import assert from "node:assert/strict";
import { runDaemon, startDaemon, TestFolder } from "../../lab/daemons.ts";
import { searchMemory } from "../../lab/process_memory.ts";
import { fastClock } from "../../lab/programs.ts";
import { labTest } from "../../lab/test_case.ts";
import { until } from "../../lab/until.ts";
import { hkdf } from "../../src/crypto/hkdf.ts";
import { type ChainLink, KeyChain } from "../../src/satp/key_chain.ts";
import { parseChainFile } from "../../src/satp/key_chain_file.ts";

/** Epochs that have to pass. */
const EPOCHS = 3;

/** A daemon erases what is in memory within its next look at the clock. */
const SEARCHES = 100;
const BETWEEN_SEARCHES_MS = 200;

/** What opens what was captured in an epoch: bytes, and text of them. */
function secretsOf(link: ChainLink, epoch: number): Map<string, Uint8Array> {
  const chain = new KeyChain(link, hkdf);
  const { key } = chain.link(epoch);
  const { key: master } = chain.secrets(epoch, "aes-ctr-128");
  const text = new TextEncoder();
  return new Map([
    [`chain key of ${epoch}`, key],
    [`chain key of ${epoch} as text`, text.encode(key.toHex())],
    [`master key of ${epoch}`, master],
    [`master key of ${epoch} as text`, text.encode(master.toHex())],
  ]);
}

type Needles = ReadonlyMap<string, Uint8Array>;

/** What is searched is to stay as it is, and so is what is searched for. */
function searchStopped(pid: number, needles: () => Needles) {
  Deno.kill(pid, "SIGSTOP");
  try {
    return searchMemory(pid, needles());
  } finally {
    Deno.kill(pid, "SIGCONT");
  }
}

/** @returns What is there still in the last of many searches */
async function remains(pid: number, needles: Needles) {
  let found = searchStopped(pid, () => needles);
  for (let count = 1; found.size > 0 && count < SEARCHES; count++) {
    await new Promise((resolve) => setTimeout(resolve, BETWEEN_SEARCHES_MS));
    found = searchStopped(pid, () => needles);
  }
  return found;
}

for (const engine of ["ipsec-mb", "openssl", "builtin"]) {
  labTest(
    `after an epoch and its grace neither file nor memory has its keys: ${engine}`,
    `k-mem${engine[0]}`,
    [],
    async ({ left, right }) => {
      using folder = new TestFolder();
      const program = fastClock(Date.now());
      const [mine, other] = ["left", "right"].map((name) => {
        Deno.mkdirSync(folder.file(name));
        return `${folder.file(name)}/chain`;
      });
      assert.ok(mine !== undefined && other !== undefined);
      const genkey = ["genkey", "--chain", "--interval", "1m"];
      const made = await runDaemon(
        left,
        [...genkey, "--chain-file", mine],
        { program },
      );
      assert.equal(made.code, 0, made.text);
      Deno.copyFileSync(mine, other);
      const first = parseChainFile(Deno.readFileSync(mine));
      const common = [
        ...["-D", "-L", "stdout:5", "-d", "tun7", "--engine", engine],
      ];
      const server = startDaemon(left, [
        ...[...common, "--key-chain", mine, "-n", "10.99.0.1/24"],
      ], { program });
      await server.line(/tunnel is set up/);
      const client = startDaemon(right, [
        ...[...common, "--key-chain", other, "-n", "10.99.0.2/24"],
        ...["-e", "right", "-r", left.ipv4],
      ], { program });
      await client.line(/tunnel is set up/);
      const epochOf = (file: string) =>
        parseChainFile(Deno.readFileSync(file)).epoch;
      const pings = right.spawn("ping", "-i", "0.2", "10.99.0.1");
      // The files move on first: what is in memory goes once it is on the disk.
      for (const file of [mine, other]) {
        await until(`epochs pass in ${file}`, 45, () => {
          return epochOf(file) >= first.epoch + EPOCHS;
        });
      }
      const gone = Array.from({ length: EPOCHS }, (_, k) => first.epoch + k);
      const old = new Map(gone.flatMap((epoch) => [
        ...secretsOf(first, epoch),
      ]));
      for (
        const [{ pid }, file] of [[server, mine], [client, other]] as const
      ) {
        const now = () => secretsOf(first, epochOf(file));
        const found = searchStopped(pid, now);
        assert.ok(found.size > 0, "those in use are found");
        assert.deepEqual(await remains(pid, old), new Map());
      }
      await pings.stop("SIGINT");
      await client.stop();
      await server.stop();
    },
  );
}
