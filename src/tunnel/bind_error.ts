// The reason why a socket cannot be bound.
import { codeOf, reasonOf } from "../log/reason.ts";
import { type Endpoint, formatEndpoint } from "../net/endpoint.ts";

/** By the error codes of bind(2), ip(7) and ipv6(7). */
const REASONS: Readonly<Record<string, string>> = {
  EADDRINUSE: "Address already in use by another program",
  EADDRNOTAVAIL: "no interface of this host has this address",
  EAFNOSUPPORT: "this host does not have this address family",
  EACCES: "ports below 1024 need root or CAP_NET_BIND_SERVICE",
  ENODEV: "there is no such device to bind to (--bind-device)",
  EPERM: "the kernel does not permit it without CAP_NET_ADMIN and CAP_NET_RAW",
  EINVAL: "a link-local address needs its interface, as in fe80::1%eth0",
};

export class BindError extends Error {
  override readonly name = "BindError";
  /** The error code of the system, if there is one, such as `EADDRINUSE`. */
  readonly code: string | undefined;
  /** What is wrong, without the endpoint. */
  readonly reason: string;

  constructor(endpoint: Endpoint, cause: unknown) {
    const code = codeOf(cause);
    const reason = REASONS[code ?? ""] ?? reasonOf(cause);
    super(`Cannot listen on ${formatEndpoint(endpoint)}: ${reason}`, { cause });
    this.code = code;
    this.reason = reason;
  }
}
