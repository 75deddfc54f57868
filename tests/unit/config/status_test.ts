import { strict as assert } from "node:assert";
import { readAnytunCommandLine } from "../../../src/config/anytun.ts";
import { readStatusCommandLine } from "../../../src/config/status_program.ts";
import { statusSocketOf } from "../../../src/daemon/status_socket.ts";
import { fakeHostFiles } from "../../fakes/host_files.ts";
import { faultOf, runOf, RUNTIME } from "../../samples/command_lines.ts";

function daemon(...argv: string[]) {
  const line = ["-E", "x", "-w", "64", ...argv];
  return readAnytunCommandLine(line, RUNTIME, fakeHostFiles());
}

function optionsOf(...argv: string[]) {
  return runOf(daemon(...argv));
}

function errorOf(...argv: string[]): string {
  return faultOf(daemon(...argv));
}

Deno.test("a port of metrics alone is one of this host", () => {
  const placeOf = (text: string) => {
    const { options, warnings } = optionsOf("--metrics", text);
    const open = warnings.filter((text) => text.includes("from everywhere"));
    return [options.metrics?.host, options.metrics?.port, open.length];
  };
  assert.deepEqual(placeOf("9100"), ["127.0.0.1", 9100, 0]);
  assert.deepEqual(placeOf("192.0.2.1:9100"), ["192.0.2.1", 9100, 0]);
  assert.deepEqual(placeOf("[2001:db8::1]:9100"), ["2001:db8::1", 9100, 0]);
  assert.deepEqual(placeOf("vpn.example:80"), ["vpn.example", 80, 0]);
  assert.deepEqual(placeOf("0.0.0.0:9100"), ["0.0.0.0", 9100, 1]);
  assert.deepEqual(placeOf("[::]:9100"), ["::", 9100, 1]);
});

Deno.test("what is no place for metrics is refused, with what would be right", () => {
  for (
    const text of [
      ...["65536", "x", ":9100", "a:", "::1:9100", "[x]:1", "[1.2.3.4]:1"],
      ...["http://a:1", "a:1/", "a b:1", "a:1x"],
    ]
  ) {
    assert.match(errorOf("--metrics", text), /such as 192\.0\.2\.1:9100/, text);
  }
  assert.match(errorOf("--metrics-connections", "65537"), /from 0 to 65536/);
  const { warnings } = optionsOf("--metrics-connections", "5");
  assert.ok(warnings.some((text) => /no effect without --metrics$/.test(text)));
});

Deno.test("the socket is named after the instance, unless people name one", () => {
  const socketOf = (argv: readonly string[], folder?: string) =>
    statusSocketOf(optionsOf(...argv).options, folder);
  assert.deepEqual(socketOf([]), {
    path: "/run/anytun/anytun.sock",
    folder: "/run/anytun",
  });
  assert.deepEqual(socketOf([], "/run/managed"), {
    path: "/run/managed/anytun.sock",
    folder: "/run/managed",
  });
  assert.equal(socketOf([], "off"), undefined);
  assert.equal(socketOf(["--status-socket", "off"], "/run/x"), undefined);
  const named = ["--status-socket", "/srv/a.sock"];
  assert.deepEqual(socketOf(named, "off"), {
    path: "/srv/a.sock",
    folder: undefined,
  });
  for (const text of ["a.sock", "/srv/", `/${"x".repeat(107)}`, "unix:/x"]) {
    assert.match(errorOf("--status-socket", text), /a path|the absolute path/);
  }
});

Deno.test("anytun status takes names in front of its options", () => {
  const read = (...argv: string[]) => readStatusCommandLine(argv, RUNTIME);
  const options = (...argv: string[]) => runOf(read(...argv)).options;
  const none = { names: [], form: "table", cluster: false, watch: false };
  assert.deepEqual(options(), none);
  assert.deepEqual(options("vpn", "/run/b", "--json", "-w"), {
    ...{ names: ["vpn", "/run/b"], form: "json", cluster: false, watch: true },
  });
  assert.equal(options("--dump").form, "dump");
  assert.ok(options("vpn", "--cluster").cluster);
  for (const argv of [["--json", "--dump"], [".."], [""], ["a\0b"]]) {
    faultOf(read(...argv));
  }
  const help = read("--help");
  assert.ok(help.kind === "print" && /last heard \(s since/.test(help.text));
  assert.match(
    help.text,
    /^USAGE:\nanytun status \[name\.\.\.\] \[options\]\n/,
  );
});
