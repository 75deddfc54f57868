/**
 * Our tools as people run them. They need no lab: whatever listens does so on
 * the loopback device.
 */
import assert from "node:assert/strict";
import { LabProcess } from "./lab_process.ts";
import { fromSource } from "./our_programs.ts";

/** How a tool ended. */
export interface ToolEnd {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** A tool, by the first word that chooses it. */
export type Tool = "config" | "controld" | "showtables";

/** Runs a tool to its end. */
export async function runTool(
  tool: Tool,
  args: readonly string[],
  input = "",
): Promise<ToolEnd> {
  const [program = "", ...first] = fromSource.command;
  const child = new Deno.Command(program, {
    args: [...first, tool, ...args],
    env: { NO_COLOR: "1" },
    stdin: "piped",
    stdout: "piped",
    stderr: "piped",
    signal: AbortSignal.timeout(20_000),
  }).spawn();
  const writer = child.stdin.getWriter();
  await writer.write(new TextEncoder().encode(input));
  await writer.close();
  const { code, stdout, stderr } = await child.output();
  const decoder = new TextDecoder();
  return {
    code,
    stdout: decoder.decode(stdout),
    stderr: decoder.decode(stderr),
  };
}

/** Runs a tool that must succeed, and returns what it prints. */
export async function outputOf(
  tool: Tool,
  args: readonly string[],
  input = "",
): Promise<string> {
  const { code, stdout, stderr } = await runTool(tool, args, input);
  assert.equal(code, 0, stderr);
  return stdout;
}

/** Starts a tool that goes on; it is to be stopped. */
export function startTool(tool: Tool, ...args: string[]): LabProcess {
  const [program = "", ...first] = fromSource.command;
  return new LabProcess({
    title: tool,
    program,
    args: [...first, tool, ...args],
  });
}

/** A control daemon of ours, and the port that it got. */
export async function startControld(
  file: string,
): Promise<{ readonly controld: LabProcess; readonly port: number }> {
  // Nobody else listens on a port that was free a moment ago.
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = listener.addr;
  listener.close();
  const controld = startTool(
    "controld",
    ...["-D", "-L", "stdout:4", "-f", file, "-X", `127.0.0.1:${port}`],
  );
  await controld.line(/sync server listening/);
  return { controld, port };
}
