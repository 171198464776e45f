/** A lock between processes, as a file. Needs nothing but Node 18 or later. */
// @ts-check
import { randomUUID } from 'node:crypto';
import { readFileSync, renameSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { performance } from 'node:perf_hooks';
import { setTimeout as delay } from 'node:timers/promises';

/** How often the holder shows that it lives. Milliseconds. */
const HEARTBEAT = 500;
/** How often a waiter looks. Milliseconds. */
const POLL = 100;
/** A lock whose heartbeat was not seen to move for this long belonged to a killed process. Milliseconds. */
const STALE_AFTER = 8_000;

/**
 * Runs `work` while holding a lock file. A second process waits until the first is done; a lock left behind by a killed
 * process is taken over. Staleness is judged by a heartbeat that the waiter itself saw standing still, so neither process ids of other
 * containers nor a machine that slept can mislead it.
 * @template Result
 * @param {string} lock
 * @param {() => Promise<Result>} work
 * @param {{ staleAfter?: number, onWait?: () => void }} [options]
 * @returns {Promise<Result>}
 */
export async function withLock(lock, work, { staleAfter = STALE_AFTER, onWait } = {}) {
  const token = randomUUID();
  let seen = '';
  let seenSince = performance.now();
  for (;;) {
    try {
      writeFileSync(lock, token, { flag: 'wx' });
      break;
    } catch (error) {
      if (/** @type {NodeJS.ErrnoException} */ (error).code !== 'EEXIST') throw error;
    }
    const state = lockState(lock);
    if (state === undefined) continue;
    if (state !== seen) {
      if (seen === '') onWait?.();
      seen = state;
      seenSince = performance.now();
    } else if (performance.now() - seenSince > staleAfter) {
      takeAway(lock, seen);
      continue;
    }
    await delay(POLL);
  }
  const heartbeat = setInterval(() => {
    const now = new Date();
    try {
      utimesSync(lock, now, now);
    } catch {
      // The folder may be gone in the middle of a clean-up; then nobody waits either.
    }
  }, HEARTBEAT);
  const release = () => {
    clearInterval(heartbeat);
    if (readToken(lock) === token) rmSync(lock, { force: true });
  };
  process.once('exit', release);
  try {
    return await work();
  } finally {
    release();
    process.off('exit', release);
  }
}

/** @param {string} lock */
function lockState(lock) {
  const token = readToken(lock);
  if (token === undefined) return undefined;
  try {
    return `${token} ${statSync(lock).mtimeMs}`;
  } catch {
    return undefined;
  }
}

/**
 * Removes a stale lock by renaming, so that of several waiters one wins.
 * @param {string} lock
 * @param {string} stale
 */
function takeAway(lock, stale) {
  if (lockState(lock) !== stale) return;
  const aside = `${lock}.${randomUUID()}`;
  try {
    renameSync(lock, aside);
    rmSync(aside, { force: true });
  } catch {
    // Another waiter was quicker.
  }
}

/** @param {string} lock */
function readToken(lock) {
  try {
    return readFileSync(lock, 'utf8');
  } catch {
    return undefined;
  }
}
