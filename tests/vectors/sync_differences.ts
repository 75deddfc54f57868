/**
 * Where records are deliberately not taken as the original takes them: the
 * table of sync section 4, as far as the recorded cases show it.
 *
 * @module
 */

/** What becomes of a stream instead. */
export interface Difference {
  readonly why: string;
  /** Whether the client stays connected. */
  readonly kept: boolean;
  /** What a member passes on afterwards. */
  readonly state: string;
}

const SECRETS = "14 101 102 103 104 105 106 107 108 109 110 111 112 113 114 " +
  "16 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16";

function connection(length: string, mux: number, window: number): string {
  return `${length} 22 serialization::archive 18 0 0 10 connection 0 0 ${mux} ` +
    `0 0 0 0 0 128 0 0 ${SECRETS} 0 0 ${window} 0 7 0.0.0.0 0`;
}

const taken = connection("00193", 5, 100);

function differ(
  outcome: Difference,
  names: readonly string[],
): [string, Difference][] {
  return names.map((name) => [name, outcome]);
}

/** The differences by the name of the case. */
export const DIFFERENCES: Readonly<Record<string, Difference>> = Object
  .fromEntries([
    ...differ({
      why: "newer libraries write the same tokens",
      kept: true,
      state: taken,
    }, ["library version 19", "library version 20", "library version 255"]),
    ...differ({
      why: "newlines between records are skipped",
      kept: true,
      state: taken + connection("00193", 6, 100),
    }, [
      "good connection with newline after the frame, followed by another frame",
    ]),
    ...differ({
      why: "what is out of range is neither wrapped nor cut",
      kept: false,
      state: "",
    }, [
      "mux -1",
      "role -1",
      "role 2 (undefined)",
      "key byte 256",
      "key byte 300",
      "key byte -1",
      "route v4 prefix 256",
      "route v4 prefix -1",
    ]),
    ...differ({
      why: "keys that do not fit are refused",
      kept: false,
      state: "",
    }, [
      "key length 256 but 16 key bytes",
      "key length 128 but 32 key bytes",
      "key length 128 but 0 key bytes",
      "key length 64, 8 key bytes",
      "salt of 13 bytes",
      "salt of 0 bytes",
    ]),
    ...differ({
      why: "a bad record leaves nothing behind",
      kept: false,
      state: "",
    }, [
      "frame length too short, cuts before the port",
      "truncated frame then close",
      "window 4294967296",
      "seq 4294967296",
      "host v4 port 65536",
      "host name instead of address",
      "host empty",
      "host [::]",
    ]),
    ...differ({
      why: "a daemon with key derivation null takes no keys, and the reverse",
      kept: true,
      state: "",
    }, [
      "key length 0, no key, no salt",
      "receiver uses kd-prf null",
      "receiver uses cipher null and auth null",
    ]),
    ...differ({
      why: "the own number does not leap to where it would soon end",
      kept: true,
      state: taken,
    }, ["seq 4294967295"]),
    ...differ({
      why: "the window is cut to what a daemon can hold",
      kept: true,
      state: connection("00197", 5, 1 << 20),
    }, ["window 4294967295"]),
    ...differ({
      why: "nothing can be sent to port 0",
      kept: true,
      state: taken,
    }, ["host v4 port 0"]),
    ...differ({
      why: "the original is aborted by it",
      kept: false,
      state: "",
    }, ["route type 3"]),
  ]);
