/**
 * Looks from time to time whether others changed something. Each look is a line in the audit log, so they are few: none while nobody can
 * see the page, ever rarer while nothing happens, and at once when somebody comes back.
 */

/** Milliseconds between two looks while nothing changes grow up to this. */
const LONGEST = 15 * 60_000;
/** Milliseconds while the server is away; whoever does not answer writes no log. */
const AWAY = 10_000;
/** Milliseconds: windows come to the front in bursts. */
const NOT_AGAIN_WITHIN = 5_000;

export interface LookAgainOptions {
  /** Milliseconds until the next look after something changed, or somebody came back. */
  readonly shortest: number;
  /** True when something had changed. What it rejects with is somebody else's to tell. */
  readonly look: () => Promise<boolean>;
  readonly reachable: () => boolean;
  readonly page?: Pick<Document, 'visibilityState' | 'addEventListener' | 'removeEventListener'>;
  readonly window?: Pick<EventTarget, 'addEventListener' | 'removeEventListener'>;
}

export interface LookAgain {
  /** Something did change. */
  readonly now: () => void;
  readonly stop: () => void;
}

export function lookAgain(options: LookAgainOptions): LookAgain {
  const { shortest, look, reachable, page = document, window: frame = window } = options;
  let wait = shortest;
  let last = performance.now();
  let busy = false;
  let wanted = false;
  let stopped = false;
  let timer: ReturnType<typeof setTimeout>;

  const lookIn = (milliseconds: number): void => {
    clearTimeout(timer);
    if (!stopped) timer = setTimeout(run, milliseconds);
  };
  function run(): void {
    if (stopped) return;
    // Nobody sees it: the next look comes with the eyes.
    if (page.visibilityState === 'hidden') return;
    if (busy) wanted = true;
    else void lookOnce();
  }
  async function lookOnce(): Promise<void> {
    busy = true;
    wanted = false;
    last = performance.now();
    const changed = await look().catch(() => false);
    busy = false;
    wait = changed ? shortest : Math.min(wait * 2, LONGEST);
    lookIn(wanted ? 0 : reachable() ? wait : Math.min(wait, AWAY));
  }
  const comeBack = (): void => {
    wait = shortest;
    lookIn(Math.max(0, last + NOT_AGAIN_WITHIN - performance.now()));
  };

  lookIn(wait);
  frame.addEventListener('focus', comeBack);
  frame.addEventListener('online', comeBack);
  page.addEventListener('visibilitychange', comeBack);
  return {
    now: run,
    stop() {
      stopped = true;
      clearTimeout(timer);
      frame.removeEventListener('focus', comeBack);
      frame.removeEventListener('online', comeBack);
      page.removeEventListener('visibilitychange', comeBack);
    },
  };
}
