/** A change of the own account that the password proves in the same form. */
import { useMutation } from '@tanstack/react-query';
import { useNavigate, type LinkProps } from '@tanstack/react-router';
import { VaultError } from '../app/vault-connection.ts';
import { useTypedPassword } from '../design/current-password.tsx';

export function useProvedChange(options: {
  readonly run: (password: string) => Promise<void>;
  readonly onDone?: () => void;
  /** Where to go when it is done; nowhere when the account is gone with it. */
  readonly backTo?: NonNullable<LinkProps['to']>;
  /** Anything but a wrong password. */
  readonly onRefused?: (error: Error) => void;
}) {
  const { run, onDone, backTo, onRefused } = options;
  const current = useTypedPassword();
  const navigate = useNavigate();
  const change = useMutation({
    mutationFn: () => run(current.value),
    onSuccess() {
      onDone?.();
      if (backTo !== undefined) void navigate({ to: backTo });
    },
    onError(error) {
      if (isWrongPassword(error)) current.again();
      else onRefused?.(error);
    },
  });
  const wrong = isWrongPassword(change.error);
  return {
    current,
    change,
    /** The password was wrong. */
    refused: wrong ? change.error : null,
    /** Anything else that went wrong. */
    problem: wrong ? null : change.error,
  };
}

/** As the device noticed it, or the server. */
const isWrongPassword = (error: unknown): boolean =>
  error instanceof VaultError &&
  (error.code === 'client.wrong-password' || error.code === 'authentication.wrong-secret');
