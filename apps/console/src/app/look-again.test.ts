import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { lookAgain, type LookAgain } from './look-again.ts';

const MINUTE = 60_000;

class FakePage extends EventTarget {
  visibilityState: DocumentVisibilityState = 'visible';
}

describe('lookAgain', () => {
  beforeEach(() => void vi.useFakeTimers());
  let watch: LookAgain;
  afterEach(() => {
    watch.stop();
    vi.useRealTimers();
  });

  const start = (answers: () => Promise<boolean> = () => Promise.resolve(false)) => {
    const page = new FakePage();
    const frame = new EventTarget();
    const looks: number[] = [];
    const began = performance.now();
    let online = true;
    const look = () => {
      looks.push(Math.round((performance.now() - began) / 1000));
      return answers();
    };
    watch = lookAgain({ shortest: MINUTE, look, reachable: () => online, page, window: frame });
    return { page, frame, looks, setOnline: (value: boolean) => (online = value) };
  };

  it('looks ever more rarely while nothing changes: seven times in an hour, not sixty times', async () => {
    const { looks } = start();
    await vi.advanceTimersByTimeAsync(60 * MINUTE);
    expect(looks.map((seconds) => seconds / 60)).toEqual([1, 3, 7, 15, 30, 45, 60]);
  });

  it('looks often again once something changed', async () => {
    const changes = [false, false, true, false];
    const { looks } = start(() => Promise.resolve(changes.shift() ?? false));
    await vi.advanceTimersByTimeAsync(10 * MINUTE);
    expect(looks.map((seconds) => seconds / 60)).toEqual([1, 3, 7, 8, 10]);
  });

  it('does not look while nobody can see it, and looks at once when somebody comes back', async () => {
    const { page, looks } = start();
    page.visibilityState = 'hidden';
    page.dispatchEvent(new Event('visibilitychange'));
    await vi.advanceTimersByTimeAsync(8 * 60 * MINUTE);
    expect(looks).toEqual([]);
    page.visibilityState = 'visible';
    page.dispatchEvent(new Event('visibilitychange'));
    await vi.advanceTimersByTimeAsync(0);
    expect(looks).toHaveLength(1);
    await vi.advanceTimersByTimeAsync(3 * MINUTE);
    expect(looks, 'and goes on').toHaveLength(2);
  });

  it('takes a burst of windows coming to the front for one, and forgets none', async () => {
    const { frame, looks } = start();
    await vi.advanceTimersByTimeAsync(MINUTE);
    for (let time = 0; time < 4; time += 1) {
      frame.dispatchEvent(new Event('focus'));
      await vi.advanceTimersByTimeAsync(500);
    }
    expect(looks).toEqual([60]);
    await vi.advanceTimersByTimeAsync(5_000);
    expect(looks).toEqual([60, 65]);
  });

  it('looks every ten seconds while the server is away, and as before when it is back', async () => {
    const { looks, setOnline } = start(() => Promise.reject(new Error('away')));
    setOnline(false);
    await vi.advanceTimersByTimeAsync(MINUTE + 30_000);
    expect(looks).toEqual([60, 70, 80, 90]);
    setOnline(true);
    await vi.advanceTimersByTimeAsync(MINUTE);
    expect(looks).toEqual([60, 70, 80, 90, 100]);
  });

  it('looks at once when told, never twice at a time, and not after it was stopped', async () => {
    let finish = (): void => undefined;
    const { looks } = start(() => new Promise((resolve) => (finish = () => resolve(true))));
    watch.now();
    watch.now();
    watch.now();
    expect(looks).toEqual([0]);
    finish();
    await vi.advanceTimersByTimeAsync(0);
    expect(looks, 'what was said meanwhile may be news').toEqual([0, 0]);
    watch.stop();
    finish();
    await vi.advanceTimersByTimeAsync(0);
    watch.now();
    await vi.advanceTimersByTimeAsync(60 * MINUTE);
    expect(looks).toEqual([0, 0]);
  });
});
