// Certificate and key that a member of a cluster shows, and whom it believes.
export interface TlsIdentity {
  /** The own certificate and its intermediates, as PEM. */
  readonly certificate: string;
  readonly key: string;
  /** Trusted authorities, as PEM. Those of the system count for nothing. */
  readonly authority: string;
}
