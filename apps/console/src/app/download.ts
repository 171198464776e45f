/** Hands a file to the browser to save. */
export function download(file: Blob, name: string): void {
  const address = URL.createObjectURL(file);
  const link = document.createElement('a');
  link.href = address;
  link.download = name;
  link.click();
  // The browser has taken the file over by then; keeping the address would keep its content in memory.
  setTimeout(() => URL.revokeObjectURL(address), 10_000);
}

/** `strongroom-2026-11-22` */
export const datedName = (name: string, now = new Date()): string => `${name}-${now.toISOString().slice(0, 10)}`;
