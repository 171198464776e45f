/** What forms have in common, on both sides of the door. */
import type { FormEvent, ReactNode } from 'react';
import { useErrorText } from '../messages/messages.ts';
import { Button, Notice } from './parts.tsx';

export function Form({ onSubmit, children }: { readonly onSubmit: () => void; readonly children: ReactNode }) {
  const submit = (event: FormEvent) => {
    event.preventDefault();
    onSubmit();
  };
  return (
    <form className="stack" noValidate onSubmit={submit}>
      {children}
    </form>
  );
}

/** What went wrong, in plain words, read out when it appears; nothing when nothing did. */
export function Problem({ error }: { readonly error: unknown }) {
  const errorText = useErrorText();
  return error === null ? null : (
    <Notice tone="problem" live>
      {errorText(error)}
    </Notice>
  );
}

/** Says what it does, and while it does it what is going on. */
export function Submit({ words, pending }: { readonly words: SubmitWords; readonly pending: boolean }) {
  return (
    <Button look="primary" type="submit" busy={pending}>
      {pending ? words.busy : words.submit}
    </Button>
  );
}

interface SubmitWords {
  readonly submit: string;
  readonly busy: string;
}
