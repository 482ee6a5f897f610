/**
 * What a host keeps of the figures that governance decides.
 *
 * @module
 */

/** Figures by name: `cap:frameBytes`, `default:max_conns`. JSON can carry them. */
export type PolicyFigures = Readonly<
  Record<string, string | number | boolean | null | readonly (string | number)[]>
>;

/** What a host has on record of the last start. */
export interface RecordedPolicy {
  /** What `policyFigures()` gave then. */
  figures: PolicyFigures;
  /** Who brought the new figures. @default {"unknown"} */
  actor?: string;
  /** Where that was reviewed. @default {"unknown"} */
  pr?: string;
  /** The commit that did it. @default {"unknown"} */
  commit?: string;
}
