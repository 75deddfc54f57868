/**
 * Our program with clocks and timers that run ten times as fast from a moment
 * on, in ms since 1970, which is its first argument.
 *
 * @module
 */
import { main } from "../../src/cli/main.ts";

const SPEED = 10;
const [from, ...rest] = Deno.args;
const origin = Number(from);
const [now, elapsed] = [Date.now, performance.now.bind(performance)];
Date.now = () => Math.round(origin + (now() - origin) * SPEED);
performance.now = () => elapsed() * SPEED;
const { setTimeout: wait, setInterval: repeat } = globalThis;
Object.assign(globalThis, {
  setTimeout: (work: () => void, ms = 0) => wait(work, ms / SPEED),
  setInterval: (work: () => void, ms = 0) => repeat(work, ms / SPEED),
});

Deno.exit(await main("anytun", rest));
