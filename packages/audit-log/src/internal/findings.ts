import type { Finding } from '../log-source.ts';

/** Findings kept: enough to see a pattern, few enough for flat memory when everything is broken. */
const MAXIMUM_FINDINGS = 1000;

/** Collects each finding once. */
export class Findings {
  readonly list: Finding[] = [];
  /** True when there were more than `MAXIMUM_FINDINGS`. */
  more = false;

  report(where: string, what: string): void {
    if (this.list.length >= MAXIMUM_FINDINGS) {
      this.more = true;
    } else if (!this.list.some((known) => known.where === where && known.what === what)) {
      this.list.push({ where, what });
    }
  }
}
