/** An e-mail address: of the account that signs in, unless said otherwise. */
import type { RefObject } from 'react';
import { TextField } from './parts.tsx';

export function EmailField(props: {
  readonly label: string;
  readonly value: string;
  readonly onChange: (value: string) => void;
  readonly inputRef?: RefObject<HTMLInputElement | null>;
  readonly autoComplete?: 'username' | 'email' | 'off';
  readonly hint?: string;
  readonly error?: string | null;
}) {
  return <TextField autoComplete="username" {...props} type="email" inputMode="email" required />;
}
