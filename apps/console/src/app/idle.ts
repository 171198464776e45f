/** Locks the vault when nobody has touched the page for a while. Timers sleep with the machine, so the clock on the wall decides. */

/** Milliseconds between two looks at the clock. */
const LOOK_EVERY = 5_000;
const SIGNS_OF_LIFE = ['pointerdown', 'pointermove', 'keydown', 'wheel', 'touchstart'] as const;

export interface IdleWatch {
  /** Somebody was there, for example in another tab. */
  touch(): void;
  stop(): void;
}

export interface IdleOptions {
  /** Milliseconds; asked each time, since the preference can change. */
  readonly limit: () => number;
  readonly onIdle: () => void;
  /** A sign of life in this tab; at most one in five seconds. */
  readonly onActive?: () => void;
  readonly target: Pick<EventTarget, 'addEventListener' | 'removeEventListener'>;
  readonly now?: () => number;
}

export function watchIdle({ limit, onIdle, onActive, target, now = Date.now }: IdleOptions): IdleWatch {
  let last = now();
  let told = last;

  const look = (): void => {
    if (now() - last >= limit()) onIdle();
  };
  const live = (): void => {
    const time = now();
    // After a night in a bag the first touch is not life, it is somebody opening the lid.
    if (time - last >= limit()) {
      onIdle();
      return;
    }
    last = time;
    if (time - told < LOOK_EVERY) return;
    told = time;
    onActive?.();
  };

  const timer = setInterval(look, LOOK_EVERY);
  for (const sign of SIGNS_OF_LIFE) target.addEventListener(sign, live, { passive: true, capture: true });
  target.addEventListener('visibilitychange', look);
  return {
    touch() {
      last = now();
    },
    stop() {
      clearInterval(timer);
      for (const sign of SIGNS_OF_LIFE) target.removeEventListener(sign, live, { capture: true });
      target.removeEventListener('visibilitychange', look);
    },
  };
}
