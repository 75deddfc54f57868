// Longer texts on the options about the status of a daemon.
import type { Texts } from "../texts.ts";

export default {
  "status-socket": `The unix socket at which anytun-status(8) asks this daemon.
    It is "/run/anytun/<name>.sock" unless given, where the name is that of the
    config file, or "anytun"; where a service manager sets "RUNTIME_DIRECTORY"
    it is in that folder. "off" switches it off. Only root and the user that
    starts the daemon can connect to it. It is made before --username and
    --chroot, and removed at the end where these let it; one that a dead daemon
    left is replaced. Where the default cannot be made, a warning says so; one
    that was given has to be made. It speaks HTTP, with the paths of --metrics,
    and anytun-drain(8) has the daemon drain by it.`,
  "metrics":
    `Serves HTTP at this address and port: "/metrics" in the text format
    of Prometheus, "/healthz" (status 200 while everything that carries packets
    answers), "/readyz" (status 200 while its health is "fit", --health-rise),
    "/status.json" and "/", a page to look at. A port alone is one of
    127.0.0.1. Brackets stand around an IPv6 address. There is no password:
    whoever reaches the port, any user of this host included, can read who is
    connected and how much they send, but neither keys nor packets, and can
    change nothing. Requests by a name are refused unless it is "localhost" or
    the one given here, so that no web page can have a browser ask. HUP takes
    over changes. Off unless given.`,
  "metrics-connections":
    `Of how many connections --metrics tells one by one: the
    first ones by mux. Of the others there are sums only, so that a cluster with
    thousands of clients does not fill the memory of whoever collects. 1000
    unless given.`,
  "health-rise":
    `The daemon looks at itself once a second: whether each thread of
    its data plane goes round, its device is up, its state folder takes
    sequence numbers, it is in step with its cluster,
    and no clock is wrong that its key chain depends on. After so many good looks
    in a row it is "fit", 3 unless given: for anytun-health(8), for "/readyz" of
    --metrics, and for the address that it announces. HUP takes over changes.`,
  "health-fall": `After so many bad looks in a row, each a second after the one
    before, a daemon is "unfit": 3 unless given. A device that is down, a data
    plane that has ended and a time in which the process did not look at all act
    at once. HUP takes over changes.`,
  "health-hold":
    `A daemon that was "unfit" is "fit" again when for so long every
    look was good, so that what flaps stays away: 10 s unless given. It does not
    hold up a start, nor anytun-undrain(8). HUP takes over changes.`,
  "anytun-status watch":
    `Goes on, and shows everything anew every two seconds. On a terminal
    it clears the screen before, in a pipe it does not.`,
  "anytun-status json":
    `Prints one line for each daemon: an object with all that it tells.
    Times are in milliseconds since 1970, "counters" by the names of --metrics.`,
  "anytun-status cluster":
    `Shows what the daemon knows of its cluster, in place of its
    connections: itself, and each member that it follows, with its health, whether
    it hears the others, how many clients it hears, and when its health last
    changed; then each client that somebody hears, where it is, and which member
    serves it. A member that is not connected is shown as it was heard last.`,
  "wait":
    `How long to wait until the daemon carries nothing any more, in seconds
    or with "m", "h" or "d" behind it. Unless given it is 30 s, or the
    --drain-time of the daemon where that is longer. 0 does not wait. What still
    comes after that is said, and the exit status is 1.`,
  "dump": `Prints lines of columns with tabs between them, for scripts.`,
} satisfies Texts;
