/**
 * The software bill of materials, as CycloneDX 1.6 in JSON: what the package is made of, from the locks.
 *
 * Only the few fields that this needs are written. A library for it would add forty packages to the
 * development set in order to write one file.
 *
 * @module
 */

/** A component as CycloneDX has it. */
export interface Component {
  readonly type: "library";
  readonly "bom-ref": string;
  readonly name: string;
  readonly version: string;
  readonly purl: string;
  /** `required` ships with the package or in the WebAssembly module; `excluded` only builds and tests. */
  readonly scope: "required" | "optional" | "excluded";
  readonly hashes?: readonly { readonly alg: "SHA-256" | "SHA-512"; readonly content: string }[];
}

interface NpmLock {
  readonly npm: Readonly<
    Record<string, { readonly integrity?: string; readonly dependencies?: readonly string[] }>
  >;
}

/**
 * Packages of npm.
 *
 * @param lock The text of `deno.lock`.
 * @param direct The dependencies of `package.json`, by name; what they need is required as well.
 */
export function npmComponents(lock: string, direct: readonly string[]): Component[] {
  const { npm } = JSON.parse(lock) as NpmLock;
  const keys = new Map(Object.keys(npm).map((key) => [plainKey(key), key]));
  const required = new Set<string>();
  const need = (name: string): void => {
    for (const [plain, key] of keys) {
      if (plain !== name && !plain.startsWith(`${name}@`)) continue;
      if (required.has(plain)) continue;
      required.add(plain);
      for (const dependency of npm[key]?.dependencies ?? []) need(plainKey(dependency));
    }
  };
  for (const name of direct) need(name);
  return [...keys].map(([plain, key]) => {
    const at = plain.lastIndexOf("@");
    const [name, version] = [plain.slice(0, at), plain.slice(at + 1)];
    const purl = `pkg:npm/${name.replace(/^@/, "%40")}@${version}`;
    const scope = required.has(plain) ? "required" : "excluded";
    const content = hexOf(npm[key]?.integrity);
    const hashes = content === undefined ? {} : { hashes: [{ alg: "SHA-512" as const, content }] };
    return { type: "library", "bom-ref": purl, name, version, purl, scope, ...hashes };
  });
}

/** A key without the peers that Deno appends to it. */
function plainKey(key: string): string {
  return key.replace(/_.*$/, (rest, at: number) => key.lastIndexOf("@", at) > 0 ? "" : rest);
}

function hexOf(integrity: string | undefined): string | undefined {
  if (integrity === undefined || !integrity.startsWith("sha512-")) return undefined;
  return Array.from(
    atob(integrity.slice(7)),
    (char) => char.charCodeAt(0).toString(16).padStart(2, "0"),
  ).join("");
}

/**
 * Crates of a lock.
 *
 * @param lock The text of `Cargo.lock`; crates of the workspace itself are left out.
 * @param scope Of all of them.
 */
export function cargoComponents(lock: string, scope: Component["scope"]): Component[] {
  return lock.split("[[package]]").slice(1).flatMap((text): Component[] => {
    const field = (name: string): string | undefined =>
      new RegExp(`^${name} = "([^"]*)"$`, "m").exec(text)?.[1];
    const [name, version, checksum] = [field("name"), field("version"), field("checksum")];
    if (name === undefined || version === undefined || field("source") === undefined) return [];
    const purl = `pkg:cargo/${name}@${version}`;
    const hashes = checksum === undefined
      ? {}
      : { hashes: [{ alg: "SHA-256" as const, content: checksum }] };
    return [{ type: "library", "bom-ref": purl, name, version, purl, scope, ...hashes }];
  });
}

/**
 * The bill.
 *
 * @param version Of the package.
 * @param when ISO 8601.
 * @param artefact SHA-256 of the WebAssembly module.
 * @param components What it is made of; of several with one reference the first counts.
 */
export function bom(
  version: string,
  when: string,
  artefact: string,
  components: readonly Component[],
): Record<string, unknown> {
  const unique = [...new Map(components.toReversed().map((one) => [one["bom-ref"], one])).values()];
  const purl = `pkg:npm/ron-transport@${version}`;
  return {
    $schema: "http://cyclonedx.org/schema/bom-1.6.schema.json",
    bomFormat: "CycloneDX",
    specVersion: "1.6",
    serialNumber: `urn:uuid:${crypto.randomUUID()}`,
    version: 1,
    metadata: {
      timestamp: when,
      component: {
        type: "library",
        "bom-ref": purl,
        name: "ron-transport",
        version,
        purl,
        licenses: [{ expression: "MIT OR Apache-2.0" }],
        properties: [{ name: "ron-transport:wasm-sha256", value: artefact }],
      },
    },
    components: unique.sort((a, b) => a["bom-ref"] < b["bom-ref"] ? -1 : 1),
  };
}
