import { Toast } from '@base-ui/react/toast';
import { GRACE } from './pending-deletions.ts';

/** Short notes at the edge of the screen; shown by `Toasts`, written from anywhere. */
export const toasts = Toast.createToastManager();

/** Milliseconds. WCAG 2.2.1: what can be acted upon has another way too, and hovering or focusing holds it. */
const NOTE = 6_000;

/** The same words twice are one note, which stays a while longer. */
export function note(title: string, type: 'plain' | 'problem' = 'plain'): void {
  toasts.add({ id: `${type}: ${title}`, title, type, timeout: NOTE });
}

/** A note that offers a way on, or back, as long as a deletion can be taken back; taking it closes the note. */
export function noteWithWay(title: string, way: string, take: () => void): void {
  const id = toasts.add({
    title,
    timeout: GRACE,
    actionProps: {
      children: way,
      onClick() {
        toasts.close(id);
        take();
      },
    },
  });
}
