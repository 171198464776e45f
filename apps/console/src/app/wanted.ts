/** Where somebody wanted to go before they had to sign in. */
let wanted = '/';

export function rememberWanted(path: string): void {
  wanted = path;
}

export const wantedPath = (): string => wanted;
