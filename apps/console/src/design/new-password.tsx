/** A password that somebody is choosing, and how much is missing. */
import type { RefObject } from 'react';
import { useEntranceMessages } from '../messages/messages.ts';
import { PasswordField } from './parts.tsx';

/** NIST SP 800-63B-4 §3.1.1.2, as `sealing` wants it too. */
const SHORTEST_PASSWORD = 15;

const lengthOf = (password: string): number => Array.from(password.normalize('NFKC')).length;

export const isLongEnough = (password: string): boolean => lengthOf(password) >= SHORTEST_PASSWORD;

export function NewPassword(props: {
  readonly label: string;
  readonly value: string;
  readonly onChange: (value: string) => void;
  readonly inputRef: RefObject<HTMLInputElement | null>;
  /** Somebody tried to go on with it. */
  readonly tried: boolean;
  /** Why it cannot be, besides being too short. */
  readonly error?: string | null;
}) {
  const { label, value, onChange, inputRef, tried, error = null } = props;
  const { errors, setUp } = useEntranceMessages();
  const length = lengthOf(value);
  const enough = isLongEnough(value);
  return (
    <>
      <PasswordField
        label={label}
        value={value}
        onChange={onChange}
        autoComplete="new-password"
        required
        inputRef={inputRef}
        hint={setUp.passwordHint}
        error={tried && !enough ? errors.codes['sealing.invalid-password']! : error}
      />
      <Meter
        value={length}
        most={SHORTEST_PASSWORD}
        words={enough ? setUp.passwordLongEnough : setUp.passwordLength(length)}
      />
    </>
  );
}

/** How much of something is there, in a line and in words. */
export function Meter({
  value,
  most,
  words,
}: {
  readonly value: number;
  readonly most: number;
  readonly words: string;
}) {
  return (
    <p className={`meter ${value >= most ? 'meter-full' : ''}`} aria-live="polite">
      <span className="meter-track">
        <progress className="meter-bar" value={Math.min(value, most)} max={most} aria-hidden="true" />
      </span>
      <span>{words}</span>
    </p>
  );
}
