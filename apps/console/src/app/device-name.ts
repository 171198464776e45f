/** A name for this browser in the list of sessions, by which its owner knows it again. */

const BROWSERS = [
  ['Edg/', 'Edge'],
  ['OPR/', 'Opera'],
  ['Firefox/', 'Firefox'],
  ['Chrome/', 'Chrome'],
  ['Safari/', 'Safari'],
] as const;
const SYSTEMS = [
  ['iPhone', 'iPhone'],
  ['iPad', 'iPad'],
  ['Android', 'Android'],
  ['Windows', 'Windows'],
  ['Mac OS X', 'macOS'],
  ['CrOS', 'ChromeOS'],
  ['Linux', 'Linux'],
] as const;

const nameIn = (userAgent: string, names: readonly (readonly [string, string])[], otherwise: string): string =>
  names.find(([sign]) => userAgent.includes(sign))?.[1] ?? otherwise;

/** `Firefox, Windows` */
export const deviceName = (userAgent: string): string =>
  `${nameIn(userAgent, BROWSERS, 'Browser')}, ${nameIn(userAgent, SYSTEMS, '?')}`;
