/**
 * Our tools as people run them. They need no lab: whatever listens does so on
 * the loopback device.
 */
import assert from "node:assert/strict";
import { freePort } from "./free_port.ts";
import { LabProcess, type Outcome, outcomeOf } from "./process.ts";
import { fromSource } from "./programs.ts";

/** A tool, by the first word that chooses it. */
export type Tool = "config" | "controld" | "showtables";

/** What is run for a tool, before its arguments. */
export type CommandOf = (tool: Tool) => readonly string[];

const sourceOf: CommandOf = (tool) => [...fromSource.command, tool];

/** Runs a tool to its end. */
export function runTool(
  tool: Tool,
  args: readonly string[],
  input = "",
  commandOf = sourceOf,
): Promise<Outcome> {
  return outcomeOf([...commandOf(tool), ...args], { input });
}

/** Runs a tool that must succeed, and returns what it prints. */
export async function outputOf(
  tool: Tool,
  args: readonly string[],
  input = "",
  commandOf = sourceOf,
): Promise<string> {
  const end = await runTool(tool, args, input, commandOf);
  const { code, stdout, stderr } = end;
  assert.equal(code, 0, stderr);
  return stdout;
}

/** Starts a tool that goes on; it is to be stopped. */
export function startTool(
  tool: Tool,
  args: readonly string[],
  commandOf = sourceOf,
): LabProcess {
  const [program = "", ...first] = commandOf(tool);
  return new LabProcess({ title: tool, program, args: [...first, ...args] });
}

/** A control daemon of ours, and the port that it got. */
export async function startControld(
  file: string,
  args: readonly string[] = [],
  commandOf = sourceOf,
): Promise<{ readonly controld: LabProcess; readonly port: number }> {
  const port = freePort();
  const at = `127.0.0.1:${port}`;
  const controld = startTool(
    "controld",
    ["-D", "-L", "stdout:4", "-f", file, "-X", at, ...args],
    commandOf,
  );
  await controld.line(/sync server listening/);
  return { controld, port };
}
