/**
 * Where the programs differ from the originals in what they make of a command
 * line, and why.
 *
 * @module
 */

/** What a command line comes to. */
export type Verdict =
  | "runs"
  | "prints"
  | "syntax error"
  | "option error"
  /** Only the originals tell their errors to standard output. */
  | "error on standard output";

/** One difference. */
export interface Deviation {
  readonly reason: string;
  /** The programs that differ. */
  readonly program: RegExp;
  readonly line: RegExp;
  /** Of the original, where the line alone does not tell. */
  readonly exit?: number;
  readonly ours: Verdict;
}

/**
 * What comes behind the lines of every syntax error. The originals print their
 * usage to standard output.
 */
export const HELP_DEVIATION = {
  reason:
    "the fault is what one sees last, and not a screen of help; standard " +
    "output stays empty, which Debian's launcher appends to the file of clients",
  pattern: /\nsee anytun( \w+)? --help\n$/,
} as const;

const ANY = /./;

/** In the order in which they are looked for. */
export const DEVIATIONS: readonly Deviation[] = [
  {
    reason: "numbers are decimal and in range (CLI section 1)",
    program: ANY,
    line:
      /-[pobmwS] ( 7|\+5|abc|http|0x10|12abc|1e3|65536|70000|4294967296|9{11})( |$)|-w 4294967295/,
    ours: "syntax error",
  },
  {
    reason: "names of algorithms are checked at the start (CLI section 2)",
    program: ANY,
    line: /-[ck] (foo|AES-CTR|aes-ctr-64)( |$)/,
    ours: "syntax error",
  },
  {
    reason: "a prefix length is a number that fits the address (CLI section 1)",
    program: ANY,
    line: /-[nR] [\d.]+\/(99|x|70000)?( |$)/,
    ours: "syntax error",
  },
  {
    reason: "blanks have no place in an address",
    program: /config/,
    line: /-R ( 10|10\.0\.0\.0\/8 ,)|-r 192\.0\.2\.1 192/,
    ours: "syntax error",
  },
  {
    reason: "a value that cannot be used is a syntax error, on standard " +
      "error, whichever option it belongs to",
    program: ANY,
    line:
      /-L (foo|eventlog|STDOUT|syslog)?:3|-a foo|-t foo( |$)|-n foo\/24|-R foo\/8/,
    ours: "syntax error",
  },
  {
    reason: "key and salt are hexadecimal, the salt of 14 bytes (SATP 2.4)",
    program: /config/,
    line: /-K 0 |-K 0g|-A 1 1|-A 0{26}$/,
    ours: "syntax error",
  },
  {
    reason: "a key has the length that the key derivation wants (SATP 2.4)",
    program: /config/,
    line: /-K 0{34} /,
    ours: "option error",
  },
  {
    reason: "options that do not go together are reported on standard error",
    program: ANY,
    line: /-L stdout:3 -L stdout:4|^-U -d pbA$/,
    ours: "option error",
  },
  {
    reason: "an address of the family that is ruled out can never be used",
    program: ANY,
    line: /-6 .*-r 127|-4 -r ::1/,
    ours: "option error",
  },
  {
    reason: "a server to follow has a host",
    program: /^anytun$/,
    line: /-M ''$|-X \[\]:5( -h)?$/,
    ours: "syntax error",
  },
  {
    reason: "a port is a number",
    program: /controld/,
    line: /-X 127\.0\.0\.1:abc$/,
    ours: "syntax error",
  },
  {
    reason: "a file to serve is asked for on standard error",
    program: /controld/,
    line: /^(-D)?$/,
    ours: "option error",
  },
  {
    reason: "the device may have an IPv6 address",
    program: ANY,
    line: /-n fd00::1\/64/,
    ours: "runs",
  },
  {
    reason: "not the arguments are wrong, but what the program meets later",
    program: /^anytun$/,
    line:
      /-d lo |-i 192\.0\.2\.99|-u nosuchuser|-g nosuchgroup|-U -d pbA -t tun -i 127.0.0.1 -p 10001$/,
    exit: 255,
    ours: "runs",
  },
  {
    reason: "not the arguments are wrong, but what the program meets later",
    program: /controld/,
    line: /-f \/nonexistent/,
    ours: "runs",
  },
];
