/** Whether this device's clock can be believed. The server's stands in the header of each of its answers (RFC 9110 §6.6.1). */
import { createStore } from './store.ts';

/** Milliseconds by which this device's clock is ahead of the server's, negative when it is behind; 0 while that does not matter. */
export const clockAhead = createStore(0);

/** Milliseconds that nobody notices; the header has full seconds, and the answer was on its way for a while. */
const TOLERATED = 2 * 60_000;
/** Milliseconds between two comparisons. */
const COMPARE_EVERY = 10 * 60_000;

/** What of a difference is worth a word. */
export const noticeable = (milliseconds: number): number => (Math.abs(milliseconds) > TOLERATED ? milliseconds : 0);

async function compare(): Promise<void> {
  const asked = Date.now();
  const answer = await fetch('/', { method: 'HEAD', cache: 'no-store', redirect: 'error' }).catch(() => null);
  const server = Date.parse(answer?.headers.get('date') ?? '');
  if (Number.isNaN(server)) return;
  clockAhead.set(noticeable((asked + Date.now()) / 2 - server));
}

/** Compares now and from time to time: clocks are set while a page is open, and wrong ones after waking up. */
export function watchClock(): () => void {
  let last = 0;
  const look = (): void => {
    // Not by the clock that is in question.
    if (last !== 0 && performance.now() - last < COMPARE_EVERY) return;
    last = performance.now();
    void compare();
  };
  look();
  const timer = setInterval(look, COMPARE_EVERY);
  window.addEventListener('focus', look);
  return () => {
    clearInterval(timer);
    window.removeEventListener('focus', look);
  };
}
