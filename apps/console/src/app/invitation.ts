/** The token of a set-up or invitation link. It stands behind the #, which browsers do not send. */

/** 32 bytes in base64url without padding; in an invitation followed by who invites and their public key. */
const TOKEN = /^#([A-Za-z0-9_-]{43}(?:\.[A-Za-z0-9_.-]{1,200})?)$/;

let kept: string | null = null;

/** Null without one. Stays known when it has left the address. */
export function readInvitation(): string | null {
  kept = TOKEN.exec(location.hash)?.[1] ?? kept;
  return kept;
}

/** It was used, or is worthless. */
export function dropInvitation(): void {
  kept = null;
}

/** Takes the token out of the address, where the history and whoever looks over a shoulder would keep it. */
export function clearAddress(): void {
  if (location.hash !== '') history.replaceState(history.state, '', location.pathname);
}
