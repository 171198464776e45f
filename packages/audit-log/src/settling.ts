/** Waiting for a running server, whose job gives events their places. */

/** Milliseconds in which it does so: the job runs every second, and whatever was committed before has its place within two. */
const SETTLING = 2500;

/**
 * `LogSource.settled` of a source that asks a running server. Nothing is asked meanwhile: a server that could be told to hurry would be at work for whoever
 * asks, and one that could say "not yet" would keep its verifiers waiting.
 */
export const serverSettled = (): Promise<void> =>
  new Promise((resolve) => {
    setTimeout(resolve, SETTLING);
  });
