/**
 * What has the focus may go: a form that was sent, the card of a session that was ended, the button of a memory that was deleted. The browser then begins
 * again at the top of the document, and whoever works by keyboard or by ear has lost their place. Here the main heading of what is shown takes the focus,
 * unless something else wanted it. The list of memories draws only what can be seen, and looks after its own focus.
 */

/** Milliseconds in which pages and dialogs put the focus where they want it. */
const OTHERS_FIRST = 50;

/** From now on, for as long as the page lives. */
export function keepFocus(): void {
  let last: Element | null = null;
  let timer: ReturnType<typeof setTimeout> | undefined;

  const look = (): void => {
    if (!isLost(last)) return;
    const heading = [...document.querySelectorAll<HTMLElement>('main h1')].find(isReadable);
    // It may be on its way.
    if (heading === undefined) return;
    last = null;
    heading.tabIndex = -1;
    heading.focus({ preventScroll: true });
  };

  document.addEventListener('focusin', ({ target }) => {
    last = target instanceof Element && target.closest('.ledger') === null ? target : null;
  });
  new MutationObserver(() => {
    if (!isLost(last)) return;
    clearTimeout(timer);
    timer = setTimeout(look, OTHERS_FIRST);
  }).observe(document.body, { childList: true, characterData: true, subtree: true });
}

const isLost = (last: Element | null): boolean =>
  last !== null && !last.isConnected && document.activeElement === document.body;

const isReadable = (heading: HTMLElement): boolean =>
  heading.offsetParent !== null && heading.textContent.trim() !== '';
