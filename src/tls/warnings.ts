/**
 * What works, but should not stay as it is.
 *
 * @module
 */

import type { CertificateFacts } from "../runtime/runtime.ts";

/** Something that a host should look at. */
export interface TransportWarning {
  /** What it is about: `certificate_old`, a certificate that should have been replaced. */
  readonly code: "certificate_old";
  /** What was found, and what to do. */
  readonly message: string;
}

/** Days after which a certificate should be replaced. */
const CERTIFICATE_DAYS = 90;

const DAY_MS = 86_400_000;

/** A warning for each certificate that is in use for too long. */
export function certificateWarnings(
  certificates: readonly CertificateFacts[],
  now: number = Date.now(),
): TransportWarning[] {
  return certificates.flatMap(({ subject, validFrom, validTo }) => {
    const days = Math.floor((now - Date.parse(validFrom)) / DAY_MS);
    if (!(days > CERTIFICATE_DAYS)) return [];
    const message =
      `The certificate of ${subject} is ${days} days old, ${CERTIFICATE_DAYS} are the most it should be: ` +
      `replace it (it expires on ${validTo})`;
    return [{ code: "certificate_old" as const, message }];
  });
}
