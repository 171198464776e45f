import { describe, expect, it, vi } from 'vitest';
import { newUuid } from '@strongroom/kernel';
import { deviceName } from './device-name.ts';
import { differences } from './differences.ts';
import { watchIdle } from './idle.ts';
import { commandOf, type KeyPress } from './keys.ts';
import { splitLinks } from './links.ts';
import { createPendingDeletions, type PendingDeletion } from './pending-deletions.ts';
import { readPreferences } from './preferences.ts';
import { OVERSCAN, visibleRange } from './visible-range.ts';

describe('preferences', () => {
  it('keeps what is known and replaces what is not', () => {
    expect(readPreferences('{"theme":"dark","language":"de","lockAfter":30,"letterKeys":false}')).toEqual({
      theme: 'dark',
      language: 'de',
      lockAfter: 30,
      letterKeys: false,
    });
    const defaults = { theme: 'system', language: 'system', lockAfter: 10, letterKeys: true };
    for (const kept of [
      null,
      '',
      'x',
      'null',
      '[]',
      '{"theme":"<b>","language":"fr","lockAfter":0,"letterKeys":"no"}',
    ]) {
      expect(readPreferences(kept), String(kept)).toEqual(defaults);
    }
  });
});

describe('commandOf', () => {
  const press = (key: string, more: Partial<KeyPress> = {}): KeyPress => ({
    key,
    ctrlKey: false,
    metaKey: false,
    altKey: false,
    shiftKey: false,
    typing: false,
    ...more,
  });

  it('knows letters outside of fields only, and only when they are wanted', () => {
    expect(commandOf(press('n'), true)).toBe('write');
    expect(commandOf(press('?', { shiftKey: true }), true)).toBe('help');
    expect(commandOf(press('n', { typing: true }), true)).toBeNull();
    expect(commandOf(press('n'), false)).toBeNull();
    expect(commandOf(press('n', { ctrlKey: true }), true)).toBeNull();
    expect(commandOf(press('constructor'), true)).toBeNull();
  });

  it('opens the commands from everywhere', () => {
    expect(commandOf(press('k', { ctrlKey: true, typing: true }), false)).toBe('palette');
    expect(commandOf(press('k', { metaKey: true }), true)).toBe('palette');
    expect(commandOf(press('L', { ctrlKey: true, shiftKey: true }), true)).toBe('lock');
    expect(commandOf(press('l', { ctrlKey: true }), true)).toBeNull();
  });
});

describe('splitLinks', () => {
  const addresses = (text: string): string[] =>
    splitLinks(text).flatMap((piece) => ('address' in piece ? [piece.address] : []));

  it('finds web addresses and leaves the sentence around them', () => {
    expect(addresses('See https://example.com/a?b=c, and (http://example.org/x_(y)).')).toEqual([
      'https://example.com/a?b=c',
      'http://example.org/x_(y)',
    ]);
    expect(splitLinks('no address').map(({ text }) => text)).toEqual(['no address']);
  });

  it('gives the text back letter by letter', () => {
    const text = 'a https://example.com/ä… b\n[x](https://example.com) https://';
    expect(
      splitLinks(text)
        .map((piece) => piece.text)
        .join(''),
    ).toBe(text);
  });

  it.each([
    'javascript:alert(1)',
    '[click](javascript:alert(1))',
    'data:text/html,<script>alert(1)</script>',
    '<img src=x onerror=alert(1)>',
    'https://user:password@example.com/',
    'https://trusted.example@evil.example/',
    'vbscript:https//example.com',
    'xhttps://example.com',
  ])('makes no link of %s', (text) => {
    expect(addresses(text)).toEqual([]);
  });

  it('takes linear time: anything else would not end before the timeout', () => {
    const text = `https://example.com/${'('.repeat(200_000)}${').'.repeat(200_000)}`;
    expect(addresses(text)).toHaveLength(1);
    expect(addresses('http'.repeat(600_000))).toEqual([]);
  });
});

describe('differences', () => {
  const side = (kind: 'added' | 'removed', before: string, after: string): string =>
    differences(before, after)
      .filter((piece) => piece.kind !== (kind === 'added' ? 'removed' : 'added'))
      .map(({ text }) => text)
      .join('');

  it.each([
    ['', ''],
    ['one two three', 'one 2 three four'],
    ['東京に住んでいます', '大阪に住んでいました'],
    ['same', 'same'],
    ['a\n\nb', 'a\nb '],
  ])('%j → %j gives both texts back', (before, after) => {
    expect(side('removed', before, after)).toBe(before);
    expect(side('added', before, after)).toBe(after);
  });

  it('marks what changed and nothing else', () => {
    expect(differences('the red house', 'the blue house')).toEqual([
      { kind: 'same', text: 'the ' },
      { kind: 'removed', text: 'red' },
      { kind: 'added', text: 'blue' },
      { kind: 'same', text: ' house' },
    ]);
  });

  it('keeps phrases together', () => {
    expect(differences('under the third stone.', 'under a red boat.')).toEqual([
      { kind: 'same', text: 'under ' },
      { kind: 'removed', text: 'the third stone.' },
      { kind: 'added', text: 'a red boat.' },
    ]);
  });

  it('does not compare for ever', () => {
    const long = (seed: number): string =>
      Array.from({ length: 30_000 }, (_, index) => `w${(index * seed) % 9973}`).join(' ');
    expect(side('added', long(7), long(11))).toBe(long(11));
  });
});

describe('watchIdle', () => {
  const watch = (limit: number) => {
    const target = new EventTarget();
    let time = 0;
    const onIdle = vi.fn<() => void>();
    const onActive = vi.fn<() => void>();
    const idle = watchIdle({ limit: () => limit, onIdle, onActive, target, now: () => time });
    return { target, onIdle, onActive, idle, at: (now: number) => (time = now) };
  };

  it('tells when nobody was there, also when the machine slept through it', () => {
    const { target, onIdle, idle, at } = watch(60_000);
    at(59_000);
    target.dispatchEvent(new Event('visibilitychange'));
    expect(onIdle).not.toHaveBeenCalled();
    at(8 * 3_600_000);
    target.dispatchEvent(new Event('pointermove'));
    expect(onIdle).toHaveBeenCalledOnce();
    idle.stop();
  });

  it('any sign of life counts, of other tabs too', () => {
    const { target, onIdle, onActive, idle, at } = watch(60_000);
    at(50_000);
    target.dispatchEvent(new Event('keydown'));
    expect(onActive).toHaveBeenCalledOnce();
    at(100_000);
    idle.touch();
    at(159_000);
    target.dispatchEvent(new Event('visibilitychange'));
    expect(onIdle).not.toHaveBeenCalled();
    idle.stop();
    at(1_000_000);
    target.dispatchEvent(new Event('visibilitychange'));
    expect(onIdle).not.toHaveBeenCalled();
  });
});

describe('pending deletions', () => {
  const setUp = (remove: (deletion: PendingDeletion) => Promise<void> = () => Promise.resolve()) => {
    const calls: string[] = [];
    const deletions = createPendingDeletions({
      grace: 1000,
      async remove(deletion) {
        calls.push('remove');
        await remove(deletion);
      },
      removeLater: () => calls.push('later'),
      onRemoved: () => calls.push('removed'),
      onFailed: () => calls.push('failed'),
    });
    const deletion = { space: newUuid(), id: newUuid(), version: 3, heading: 'x' };
    return { calls, deletions, deletion };
  };

  it('waits before it deletes, and hides meanwhile', async () => {
    vi.useFakeTimers();
    try {
      const { calls, deletions, deletion } = setUp();
      deletions.start(deletion);
      deletions.start(deletion);
      expect(deletions.hidden.get()).toEqual(new Set([deletion.id]));
      await vi.advanceTimersByTimeAsync(999);
      expect(calls).toEqual([]);
      await vi.advanceTimersByTimeAsync(1);
      expect(calls).toEqual(['remove', 'removed']);
      expect(deletions.hidden.get().size).toBe(0);
      expect(deletions.undo(deletion.id)).toBe(false);
    } finally {
      vi.useRealTimers();
    }
  });

  it('undo in time deletes nothing', async () => {
    vi.useFakeTimers();
    try {
      const { calls, deletions, deletion } = setUp();
      deletions.start(deletion);
      expect(deletions.undo(deletion.id)).toBe(true);
      expect(deletions.hidden.get().size).toBe(0);
      await vi.advanceTimersByTimeAsync(5000);
      expect(calls).toEqual([]);
    } finally {
      vi.useRealTimers();
    }
  });

  it('locking deletes at once and waits for it; leaving the page needs no answer', async () => {
    const { calls, deletions, deletion } = setUp();
    deletions.start(deletion);
    await deletions.flush();
    expect(calls).toEqual(['remove', 'removed']);
    deletions.start(deletion);
    deletions.flushLater();
    expect(calls).toEqual(['remove', 'removed', 'later']);
  });

  it('shows again what could not be deleted', async () => {
    const { calls, deletions, deletion } = setUp(() => Promise.reject(new Error('gone')));
    deletions.start(deletion);
    await deletions.flush();
    expect(calls).toEqual(['remove', 'failed']);
    expect(deletions.hidden.get().size).toBe(0);
  });
});

describe('deviceName', () => {
  it.each([
    [
      'Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0 Safari/537.36',
      'Chrome, Linux',
    ],
    ['Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:140.0) Gecko/20100101 Firefox/140.0', 'Firefox, Windows'],
    [
      'Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1.15 Version/18.0 Safari/604.1',
      'Safari, iPhone',
    ],
    ['', 'Browser, ?'],
  ])('%s', (userAgent, name) => {
    expect(deviceName(userAgent)).toBe(name);
  });
});

describe('visibleRange', () => {
  it('covers the screen and a little more, within the list', () => {
    expect(visibleRange({ top: 0, height: 800, entry: 100, count: 10_000 })).toEqual({ first: 0, end: 8 + OVERSCAN });
    expect(visibleRange({ top: 500_050, height: 800, entry: 100, count: 10_000 })).toEqual({
      first: 5000 - OVERSCAN,
      end: 5009 + OVERSCAN,
    });
    expect(visibleRange({ top: 999_200, height: 800, entry: 100, count: 10_000 }).end).toBe(10_000);
  });

  it('bears an empty list, a hidden one, and one that became shorter', () => {
    expect(visibleRange({ top: 0, height: 800, entry: 100, count: 0 })).toEqual({ first: 0, end: 0 });
    expect(visibleRange({ top: 0, height: 0, entry: 100, count: 5 })).toEqual({ first: 0, end: 5 });
    expect(visibleRange({ top: 90_000, height: 800, entry: 100, count: 20 })).toEqual({ first: 8, end: 20 });
  });
});
