import type { Clock } from '@strongroom/kernel';
import { toMicroseconds } from './gcra.ts';

/**
 * Microseconds that only ever go forward. When the clock is set back, the step counts as no time at all and counting
 * goes on from there: buckets neither refill by it nor freeze until the clock has caught up.
 */
export function steadyTime(clock: Clock): () => number {
  let last = clock.now();
  let steady = last;
  return () => {
    const now = clock.now();
    if (now > last) steady += now - last;
    last = now;
    return toMicroseconds(steady);
  };
}
