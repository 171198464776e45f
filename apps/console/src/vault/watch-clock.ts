/** Compares the clocks of this device and of the server, by the date of its answers (RFC 9110 §6.6.1). */

/** Milliseconds; less is a slow line, a page that slept, or the whole seconds of the header. */
const TOLERANCE = 5 * 60_000;

/** A `fetch` that tells once when the clocks are apart. Nothing depends on it but what people read as dates. */
export function watchClock(onDifference: () => void, now: () => number = Date.now): typeof fetch {
  let told = false;
  return async (input, init) => {
    const asked = now();
    const answer = await fetch(input, init);
    const server = Date.parse(answer.headers.get('date') ?? '');
    // The answer was written between the two looks at the clock.
    if (!told && (server < asked - TOLERANCE || server > now() + TOLERANCE)) {
      told = true;
      onDifference();
    }
    return answer;
  };
}
