/** The password that somebody has, typed to open the vault or to prove who asks. */
import { useRef, useState, type RefObject } from 'react';
import { PasswordField } from './parts.tsx';

export interface TypedPassword {
  readonly value: string;
  readonly set: (value: string) => void;
  readonly field: RefObject<HTMLInputElement | null>;
  readonly focus: () => void;
  /** It was wrong: emptied, with the focus in it. */
  readonly again: () => void;
}

export function useTypedPassword(): TypedPassword {
  const [value, set] = useState('');
  const field = useRef<HTMLInputElement>(null);
  const focus = () => field.current?.focus();
  const again = () => {
    set('');
    focus();
  };
  return { value, set, field, focus, again };
}

export function CurrentPassword(props: {
  readonly label: string;
  readonly password: TypedPassword;
  /** Why the one before was refused; goes away when another one is begun. */
  readonly refused?: string | null;
}) {
  const { label, password, refused = null } = props;
  return (
    <PasswordField
      label={label}
      value={password.value}
      onChange={password.set}
      autoComplete="current-password"
      required
      inputRef={password.field}
      error={password.value === '' ? refused : null}
    />
  );
}

/** For password managers, which keep and fill in by account: nobody sees it, and Tab passes by. */
export function AccountName({ email }: { readonly email: string }) {
  return (
    <input
      className="visually-hidden"
      type="email"
      autoComplete="username"
      value={email}
      readOnly
      tabIndex={-1}
      aria-hidden="true"
    />
  );
}
