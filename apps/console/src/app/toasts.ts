import { Toast } from '@base-ui/react/toast';

/** Short notes at the edge of the screen; shown by `Toasts`, written from anywhere. */
export const toasts = Toast.createToastManager();

/** Milliseconds. WCAG 2.2.1: what can be acted upon has another way too, and hovering or focusing holds it. */
const NOTE = 6_000;

/** The same words twice are one note, which stays a while longer. */
export function note(title: string, type: 'plain' | 'problem' = 'plain'): void {
  toasts.add({ id: `${type}: ${title}`, title, type, timeout: NOTE });
}
