/**
 * An address as runtimes give it: in two parts, which a socket that is already gone does not have.
 *
 * @module
 */

/** Both parts, or `undefined`. */
export function endpoint(
  hostname: string | undefined,
  port: number | undefined,
): { readonly hostname: string; readonly port: number } | undefined {
  return hostname === undefined || port === undefined ? undefined : { hostname, port };
}
