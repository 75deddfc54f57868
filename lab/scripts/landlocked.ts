/**
 * Says as JSON which threads of a process Landlock restricts, when the main
 * thread is restricted: in which a file can still be made.
 */
import { forbidPrivileges } from "../../ffi/process/hardening.ts";
import { confineFiles } from "../../ffi/process/landlock.ts";
import { openProcessLibc } from "../../ffi/process/libc.ts";
import { say } from "./say.ts";

const [folder = "", other = ""] = Deno.args;
const libc = openProcessLibc();

function started(name: string) {
  const text = `onmessage = ({ data }) => {
    try { Deno.writeTextFileSync(data, ""); postMessage("written"); }
    catch (error) { postMessage(error.name); }
  }; postMessage("ready")`;
  const worker = new Worker(
    `data:text/javascript,${encodeURIComponent(text)}`,
    { type: "module", name },
  );
  const next = () =>
    new Promise<string>((resolve) =>
      worker.onmessage = ({ data }) => resolve(data)
    );
  const ready = next();
  return {
    ready,
    write: async (path: string) => {
      await ready;
      const answer = next();
      worker.postMessage(path);
      return await answer;
    },
  };
}

function write(path: string): string {
  try {
    Deno.writeTextFileSync(path, "");
    return "written";
  } catch (error) {
    return error instanceof Error ? error.name : "?";
  }
}

const early = started("early");
await early.ready;
const needs = { appended: [folder], written: [], removedFrom: [] };
const all = confineFiles(libc, needs);
const single = forbidPrivileges(libc) ?? confineFiles(libc, needs, 0);
const late = started("late");
say(JSON.stringify({
  all,
  single,
  needed: write(`${folder}/main`),
  main: write(`${other}/main`),
  early: await early.write(`${other}/early`),
  late: await late.write(`${other}/late`),
}));
Deno.exit(0);
