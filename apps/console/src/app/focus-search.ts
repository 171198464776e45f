const searchField = (): HTMLInputElement | null => document.querySelector<HTMLInputElement>('#search');

/** To the search field, which is on the page of every space; from elsewhere `go` there first. */
export function focusSearch(go: () => void): void {
  const found = searchField();
  if (found !== null && found.checkVisibility()) {
    found.focus();
    found.select();
    return;
  }
  go();
  // The page of the space is drawn within the next frames.
  setTimeout(() => searchField()?.focus(), 100);
}
