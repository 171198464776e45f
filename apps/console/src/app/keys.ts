/** Which key does what. Single letters can be turned off (WCAG 2.1.4) and never work while somebody types. */

export type Command = 'palette' | 'search' | 'write' | 'edit' | 'help' | 'lock';

export interface KeyPress {
  readonly key: string;
  readonly ctrlKey: boolean;
  readonly metaKey: boolean;
  readonly altKey: boolean;
  readonly shiftKey: boolean;
  /** The focus is in a field, or a dialog is open. */
  readonly typing: boolean;
}

const LETTERS: Readonly<Record<string, Command>> = { '/': 'search', n: 'write', e: 'edit', '?': 'help' };

export function commandOf(press: KeyPress, letterKeys: boolean): Command | null {
  const { key, ctrlKey, metaKey, altKey, shiftKey, typing } = press;
  const control = ctrlKey || metaKey;
  if (control && !altKey && !shiftKey && key.toLowerCase() === 'k') return 'palette';
  if (control && !altKey && shiftKey && key.toLowerCase() === 'l') return 'lock';
  if (control || altKey || typing || !letterKeys) return null;
  return Object.hasOwn(LETTERS, key) ? LETTERS[key]! : null;
}

export function isTyping(target: EventTarget | null): boolean {
  if (!(target instanceof HTMLElement)) return false;
  return (
    target.isContentEditable ||
    target.closest('input, textarea, select, [role="dialog"], [role="alertdialog"], [role="menu"]') !== null
  );
}
