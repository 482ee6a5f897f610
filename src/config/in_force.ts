/**
 * The configuration in force, its version, and how another takes its place.
 *
 * @module
 */

import type {
  ConfigChange,
  ConfigIssue,
  ConfigSnapshot,
  ReloadResult,
  TransportConfig,
} from "./config.ts";
import { diffConfigs } from "./diff.ts";
import { ConfigError } from "./issues.ts";
import { checkConfig } from "./schema.ts";

/** What a check of a host's adds: faults of a configuration that is valid by itself, and of the change to it. */
export type ExtraCheck = (
  config: ConfigSnapshot,
  current: ConfigSnapshot | undefined,
) => readonly ConfigIssue[];

/**
 * See the module. Invariant: `current` is replaced whole, in one assignment, by a frozen snapshot;
 * `version` grows by one with each, and with nothing else.
 */
export class ConfigInForce {
  readonly #check: ExtraCheck;
  #current: ConfigSnapshot; // none while the first is checked
  #version = 1;
  #pending: ConfigSnapshot | undefined;

  /**
   * @param document The first document.
   * @param check Further faults; it must not throw.
   * @throws {ConfigError} With every fault.
   */
  constructor(document: TransportConfig, check: ExtraCheck) {
    this.#check = check;
    const { snapshot, issues } = this.#checked(document);
    if (snapshot === undefined) throw new ConfigError(issues);
    this.#current = snapshot;
  }

  /** The snapshot that holds now. */
  get current(): ConfigSnapshot {
    return this.#current;
  }

  /** Its version, from 1. */
  get version(): number {
    return this.#version;
  }

  /** A valid configuration that waits for a rebind. */
  get pending(): ConfigSnapshot | undefined {
    return this.#pending;
  }

  /**
   * Offers a whole document. It is applied at once, refused, or kept until a rebind; never in part.
   *
   * @param document With the names of the configuration file; what it leaves out has its default.
   */
  offer(document: unknown): ReloadResult {
    const { snapshot, issues } = this.#checked(document);
    if (snapshot === undefined) return this.rejected(issues);
    const diff = diffConfigs(this.#current, snapshot);
    if (diff.some(({ reload }) => reload === "rebind")) {
      this.#pending = snapshot;
      return this.#result("rebind_required", diff);
    }
    return this.apply(snapshot, diff);
  }

  /** What an offer with faults comes to: all stays as it is. */
  rejected(issues: readonly ConfigIssue[]): ReloadResult {
    // The bounds of an error hold for this list, too.
    return Object.freeze({
      ...this.#result("rejected", []),
      issues: new ConfigError(issues).issues,
    });
  }

  /** Puts a snapshot in force; what was pending is not any more. */
  apply(snapshot: ConfigSnapshot, diff: readonly ConfigChange[]): ReloadResult {
    this.#current = snapshot;
    this.#pending = undefined;
    this.#version++;
    return this.#result("applied", diff);
  }

  #checked(
    document: unknown,
  ): { snapshot: ConfigSnapshot | undefined; issues: readonly ConfigIssue[] } {
    const { snapshot, issues } = checkConfig(document);
    if (snapshot === undefined) return { snapshot, issues };
    const more = this.#check(snapshot, this.#current as ConfigSnapshot | undefined);
    return more.length === 0 ? { snapshot, issues } : { snapshot: undefined, issues: more };
  }

  #result(result: ReloadResult["result"], diff: readonly ConfigChange[]): ReloadResult {
    const widened = diff.filter((change) => change.widened).map(({ path }) => path);
    return Object.freeze({
      result,
      version: this.#version,
      diff,
      widened: Object.freeze(widened),
    });
  }
}
