/** Some things need the password once more, for five minutes. It is asked for before, not after the server has refused. */
import { useMutation } from '@tanstack/react-query';
import { useRef, useState, type ReactNode } from 'react';
import { Modal } from '../design/dialogs.tsx';
import { Form, Problem, Submit } from '../design/form.tsx';
import { Button } from '../design/parts.tsx';
import { useMessages } from '../messages/messages.ts';
import { useSession, vault } from '../app/session.ts';
import { VaultError } from '../app/vault-connection.ts';
import { CurrentPassword, useTypedPassword } from '../design/current-password.tsx';

/** Milliseconds: a little less than the server's five minutes, so that what begins now does not end too late. */
const COUNTS_FOR = 4.5 * 60_000;

/** Whose password was proved, and until when this page's clock says that it counts. */
let proved = { account: '', until: 0 };

export interface Proof {
  /** Runs what needs the password, after asking for it where it has to be. Null when the person turned away. */
  readonly withProof: <Answer>(work: () => Promise<Answer>) => Promise<Answer | null>;
  /** To be drawn somewhere on the page. */
  readonly dialog: ReactNode;
}

export function useProof(): Proof {
  const session = useSession();
  const account = session.phase === 'open' ? session.account.id : '';
  const [open, setOpen] = useState(false);
  const answer = useRef<(proved: boolean) => void>(() => undefined);
  const ask = (): Promise<boolean> => {
    setOpen(true);
    return new Promise((resolve) => {
      answer.current = resolve;
    });
  };
  const finish = (given: boolean): void => {
    if (given) proved = { account, until: performance.now() + COUNTS_FOR };
    setOpen(false);
    answer.current(given);
  };
  return {
    async withProof(work) {
      const fresh = proved.account === account && performance.now() < proved.until;
      if (!fresh && !(await ask())) return null;
      try {
        return await work();
      } catch (error) {
        // Proved in another tab under another session, or the clocks differ: ask after all.
        if (!(error instanceof VaultError) || error.code !== 'pipeline.reauthentication-required') throw error;
        return (await ask()) ? work() : null;
      }
    },
    dialog: open ? <ProofDialog onDone={finish} /> : null,
  };
}

function ProofDialog({ onDone }: { readonly onDone: (proved: boolean) => void }) {
  const messages = useMessages();
  const { proof, fields, common } = messages;
  const password = useTypedPassword();
  const proving = useMutation({
    mutationFn: () => vault('prove', password.value),
    onSuccess: () => onDone(true),
    onError: password.again,
  });
  const submit = () => {
    if (password.value !== '' && !proving.isPending) proving.mutate();
  };
  return (
    <Modal open onClose={() => onDone(false)} title={proof.title} focus={password.field}>
      <p className="quiet">{proof.lead}</p>
      <Form onSubmit={submit}>
        <CurrentPassword label={fields.password} password={password} />
        <Problem error={proving.error} />
        <div className="row row-end">
          <Button onClick={() => onDone(false)}>{common.cancel}</Button>
          <Submit words={proof} pending={proving.isPending} />
        </div>
      </Form>
    </Modal>
  );
}
