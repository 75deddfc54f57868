// Hints at what is likely wrong where a store refuses, in words of operators: its
// own name neither a file nor a user.

const HINTS: readonly (readonly [RegExp, string])[] = [
  [
    /UnknownIssuer|BadSignature/,
    "its certificate is not of the authority that is given (--source-ca)",
  ],
  [
    /NotValidForName/,
    "its certificate is for another host (--source, subjectAltName)",
  ],
  [
    /alert: (?:BadCertificate|CertificateRequired|UnknownCA|HandshakeFailure)/,
    "it wants a certificate of its own authority (--source-cert)",
  ],
  [
    /authentication failed/,
    "look at the user (--source-user) and its password",
  ],
  [
    /permission denied/,
    "the role of the user (--source-user) does not allow it below this prefix",
  ],
];

/** @returns The text, and behind it what to look at, if that is known */
export function withHint(text: string): string {
  const [, hint] = HINTS.find(([pattern]) => pattern.test(text)) ?? [];
  return hint === undefined ? text : `${text}; ${hint}`;
}
