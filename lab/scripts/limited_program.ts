/**
 * A daemon that goes to the background with limits, and writes as JSON what its
 * threads have, and where they could make files. Its arguments are the folder
 * that it needs, and another one.
 */
import { CAP } from "../../ffi/flags.ts";
import { openProcessLibc } from "../../ffi/process/libc.ts";
import { firstReading } from "../first_reading.ts";
import { startDaemon } from "../../src/cli/start_daemon.ts";

const [folder = "", other = ""] = Deno.args;
const options = {
  ...{ foreground: false, startTimeout: 30, noSandbox: false },
  ...{ username: undefined, chroot: undefined },
};

function nameOf(error: unknown): string {
  return error instanceof Error ? error.name : "?";
}

function inMain(path: string): string {
  try {
    Deno.writeTextFileSync(path, "");
    return "written";
  } catch (error) {
    return nameOf(error);
  }
}

/** By a thread of Tokio's. */
async function inPool(path: string): Promise<string> {
  return await Deno.writeTextFile(path, "").then(() => "written", nameOf);
}

async function inWorker(path: string): Promise<string> {
  const text = `try {
    Deno.writeTextFileSync(${JSON.stringify(path)}, ""); postMessage("written");
  } catch (error) { postMessage(error.name); }`;
  const url = `data:text/javascript,${encodeURIComponent(text)}`;
  const worker = new Worker(url, { type: "module" });
  return await new Promise((resolve) =>
    worker.onmessage = ({ data }) => resolve(data)
  );
}

/** What all threads have in these lines of their status. */
function threads(): readonly string[] {
  const names = ["CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"];
  const all = Array.from(Deno.readDirSync("/proc/self/task"), ({ name }) => {
    const text = Deno.readTextFileSync(`/proc/self/task/${name}/status`);
    const lines = text.split("\n").map((line) => line.split(":\t"));
    const values = new Map(lines.map(([name, value]) => [name, value]));
    const sets = names.map((name) => parseInt(values.get(name) ?? "", 16));
    return [...sets, values.get("NoNewPrivs")].join();
  });
  return [`${all.length > 1}`, ...new Set(all)];
}

const status = await startDaemon(
  {
    name: "test-daemon",
    limits: () => ({
      capabilities: [CAP.NET_ADMIN, CAP.DAC_READ_SEARCH],
      places: { appended: [], written: [folder], devices: ["/dev/null"] },
      stateFolder: undefined,
      runFolder: undefined,
    }),
    read: () => ({ kind: "run", ...firstReading(options) }),
    async run(_configured, { parent }) {
      const ends = {
        hasConfinedFiles: parent.hasConfinedFiles,
        needed: inMain(`${folder}/main`),
        main: inMain(`${other}/main`),
        pool: await inPool(`${other}/pool`),
        worker: await inWorker(`${other}/worker`),
        threads: threads(),
      };
      Deno.writeTextFileSync(`${folder}/ends`, JSON.stringify(ends));
      parent.changed({ kind: "ready" });
      return 0;
    },
  },
  [],
  openProcessLibc(),
);
Deno.exit(status);
