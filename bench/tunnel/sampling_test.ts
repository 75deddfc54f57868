import assert from "node:assert/strict";
import {
  cpuSeconds,
  parseCpuSeconds,
  parseResidentBytes,
  residentBytes,
} from "./sampling.ts";

/** Fields 3 to 17 of /proc/pid/stat; utime is 140 and stime 33. */
const FIELDS = "S 1 1 1 0 -1 4194560 409 0 0 0 140 33 7 7";

Deno.test("parseCpuSeconds() adds user and system time, without children", () => {
  assert.equal(parseCpuSeconds(`4932 (anytun) ${FIELDS}`), 1.73);
});

Deno.test("parseCpuSeconds() is not misled by brackets in the name", () => {
  assert.equal(parseCpuSeconds(`4932 (a) 9 (b c) ${FIELDS}`), 1.73);
});

Deno.test("parseCpuSeconds() rejects a text that is something else", () => {
  assert.throws(() => parseCpuSeconds("no such process"), /CPU time/);
});

Deno.test("parseResidentBytes() counts in bytes", () => {
  const status = "VmPeak:\t   20000 kB\nVmRSS:\t    1024 kB\nRssAnon:\t 1 kB\n";
  assert.equal(parseResidentBytes(status), 1048576);
});

Deno.test("parseResidentBytes() rejects the status of a kernel thread", () => {
  assert.throws(() => parseResidentBytes("Name:\tkthreadd\n"), /VmRSS/);
});

Deno.test({
  name: "a process that runs has used time and memory",
  ignore: Deno.build.os !== "linux",
  async fn() {
    assert.ok(await cpuSeconds(Deno.pid) > 0);
    assert.ok(await residentBytes(Deno.pid) > 2 ** 20);
  },
});
