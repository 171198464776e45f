/** Times of events as text: RFC 3339 UTC with three decimals, or six where the time is not whole milliseconds. */

/** Throws a RangeError for other years than 0 to 9999. */
export function formatMicroseconds(microseconds: number): string {
  const milliseconds = Math.floor(microseconds / 1000);
  const text = new Date(milliseconds).toISOString();
  if (text.length !== 24) throw new RangeError('formatMicroseconds: the year must have four digits');
  const rest = microseconds - milliseconds * 1000;
  return rest === 0 ? text : `${text.slice(0, -1)}${String(rest).padStart(3, '0')}Z`;
}

/** The inverse. Throws a RangeError for any other text, so that each time has one spelling. */
export function parseMicroseconds(text: string): number {
  const [, start = '', rest = '0'] = /^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3})(\d{3})?Z$/.exec(text) ?? [];
  const microseconds = Date.parse(`${start}Z`) * 1000 + Number(rest);
  if (Number.isNaN(microseconds) || formatMicroseconds(microseconds) !== text) {
    throw new RangeError('parseMicroseconds: not a UTC time');
  }
  return microseconds;
}
