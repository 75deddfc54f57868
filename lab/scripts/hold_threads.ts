/**
 * Has threads of another process stand still, as `<thread id> …`, until the input
 * ends: as its tracer (ptrace(2)), since a signal would stop all of them.
 */
import { createInterface } from "node:readline";
import process from "node:process";
import { say } from "./say.ts";

/** include/uapi/linux/ptrace.h */
const PTRACE_SEIZE = 0x4206;
const PTRACE_INTERRUPT = 0x4207;

const libc = Deno.dlopen("libc.so.6", {
  ptrace: {
    parameters: ["i32", "i32", "pointer", "pointer"],
    result: "i64",
  },
});

for (const thread of Deno.args.map(Number)) {
  for (const request of [PTRACE_SEIZE, PTRACE_INTERRUPT]) {
    const result = libc.symbols.ptrace(request, thread, null, null);
    if (Number(result) !== 0) throw new Error(`Cannot hold thread ${thread}`);
  }
}
say("holding");
// With its tracer they go on.
for await (const _ of createInterface({ input: process.stdin }));
