// In step with the other members of a cluster, or not: what a member can tell of
// that by the servers that it follows (docs/health.md, "In step").

/** To a server that this member follows. */
export interface Link {
  readonly name: string;
  /** Whether it leaves this host: others tell nothing of the network. */
  readonly isRemote: boolean;
  /** Milliseconds; undefined while it is up. */
  readonly downFor: number | undefined;
  /** Whether the other host said last that nobody serves: then it is there. */
  readonly isRefused: boolean;
  /** Whether all that the server knows was heard at least once. */
  readonly hasTable: boolean;
  /** Whether what the server states counts: others bring no connections. */
  readonly mayState: boolean;
}

export interface StepSettings {
  /** Milliseconds for which a link may be down. */
  readonly age: number;
  /**
   * How many have to be up; undefined for one of several, and none of one: who
   * has a single one cannot tell its end from the own.
   */
  readonly links: number | undefined;
}

/** What a member has without others. */
interface StepStart {
  /** Milliseconds since it began to follow them. */
  readonly elapsed: number;
  /** Whether it has connections already, such as the own one. */
  readonly hasConnections: () => boolean;
}

/** @returns Why it is not in step; undefined if it is */
export function stepFault(
  links: readonly Link[],
  settings: StepSettings,
  start: StepStart,
): string | undefined {
  if (links.length === 0) return undefined;
  return missingTable(links, settings, start) ?? cutOff(links, settings);
}

/** Those that do not answer in time are not waited for. */
function missingTable(
  links: readonly Link[],
  { age }: StepSettings,
  { elapsed, hasConnections }: StepStart,
): string | undefined {
  const missing = links.filter(({ hasTable }) => !hasTable);
  if (missing.length === 0) return undefined;
  const hasAny = () =>
    links.some(({ hasTable, mayState }) => hasTable && mayState) ||
    hasConnections();
  if (elapsed >= age && hasAny()) return undefined;
  return `the table of ${namesOf(missing)} was not heard yet`;
}

function cutOff(
  links: readonly Link[],
  { age, links: wanted }: StepSettings,
): string | undefined {
  const remote = links.filter(({ isRemote }) => isRemote);
  // What is refused comes from a host that is reached, whose daemon has ended.
  const lost = remote.filter(({ downFor = 0, isRefused }) =>
    downFor >= age && !isRefused
  );
  const needed = wanted ?? (remote.length > 1 ? 1 : 0);
  const reached = remote.length - lost.length;
  if (reached >= Math.min(needed, remote.length)) return undefined;
  const seconds = Math.floor(
    Math.min(...lost.map(({ downFor = 0 }) => downFor)) / 1000,
  );
  return `${namesOf(lost)} ${
    lost.length === 1 ? "is" : "are"
  } out of reach for ${seconds} s`;
}

function namesOf(links: readonly Link[]): string {
  return links.map(({ name }) => name).join(", ");
}
