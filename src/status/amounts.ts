// Amounts as people read them.

const KIBI = 1024;
const PREFIXES = ["", "Ki", "Mi", "Gi", "Ti", "Pi", "Ei"];

/** Such as `1.2 MiB`. */
export function bytesText(bytes: number): string {
  let amount = bytes;
  let power = 0;
  // What would be rounded up to 1024 is one of the next size.
  while (amount >= KIBI - 0.5 && power < PREFIXES.length - 1) {
    amount /= KIBI;
    power++;
  }
  const digits = power > 0 && amount < 99.95 ? 1 : 0;
  return `${amount.toFixed(digits)} ${PREFIXES[power]}B`;
}

const UNITS = [
  { seconds: 86_400, name: "d" },
  { seconds: 3600, name: "h" },
  { seconds: 60, name: "min" },
  { seconds: 1, name: "s" },
];

/** The two largest units, such as `3 h 12 min`. */
export function durationText(ms: number): string {
  let rest = Math.max(0, Math.floor(ms / 1000));
  const texts = UNITS.map(({ seconds, name }) => {
    const amount = Math.floor(rest / seconds);
    rest %= seconds;
    return { amount, text: `${amount} ${name}` };
  });
  const first = texts.findIndex(({ amount }) => amount > 0);
  if (first < 0) return "0 s";
  return texts.slice(first, first + 2).filter(({ amount }) => amount > 0)
    .map(({ text }) => text).join(" ");
}

/** How long ago, by the clock of the report. */
export function agoText(time: number, at: number | null): string {
  return at === null ? "never" : `${durationText(time - at)} ago`;
}
