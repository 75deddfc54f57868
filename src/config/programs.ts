// Programs of the binary.
export const PROGRAMS = {
  "anytun": "carry packets between a device and a peer, or many",
  "anytun-config": "print the records of a client, for anytun controld",
  "anytun-controld": "serve such records to the servers of a cluster",
  "anytun-fleet": "add, remove, list and rotate the clients of a fleet",
  "anytun-check": "say what a start with a config file would refuse or warn of",
  "anytun-show-config": "print the options in force, and where each comes from",
  "anytun-status": "show what daemons of this host do, and how their peers are",
  "anytun-health": "say in a word, and by exit status, whether one is fit",
  "anytun-drain": "have traffic led elsewhere, before a daemon is stopped",
  "anytun-undrain": "take that back",
  "anytun-withdraw":
    "take away what a daemon that was killed has left announced",
  "anytun-showtables": "show the clients and routes that a server serves",
  "anytun-genkey": "make a key and a salt, or a key chain",
} as const;

/** Its name: the one that the binary is called by, or `anytun` and a word. */
export type ProgramName = keyof typeof PROGRAMS;

/** The program that is meant unless another one is. */
export const MAIN_PROGRAM: ProgramName = "anytun";

export function isProgram(name: string): name is ProgramName {
  return Object.hasOwn(PROGRAMS, name);
}

/** The way to call a program that needs no name of its own for it. */
export function callOf(program: ProgramName): string {
  return program.replace("-", " ");
}
