/** Whether the log holds what somebody's certificate says. */
import { useMutation } from '@tanstack/react-query';
import { useRef } from 'react';
import { vault } from '../app/session.ts';
import { VaultError } from '../app/vault-connection.ts';
import { Button, Notice } from '../design/parts.tsx';
import { errorText, useMessages } from '../messages/messages.ts';

export function CertificateCheck() {
  const messages = useMessages();
  const { certificate: words } = messages;
  const input = useRef<HTMLInputElement>(null);
  const check = useMutation({ mutationFn: (file: File) => vault('proveDeletion', file) });
  const { data, error, isPending } = check;
  return (
    <section className="panel">
      <h2>{words.checkTitle}</h2>
      <p className="quiet">{words.checkLead}</p>
      <input
        ref={input}
        type="file"
        accept=".json,application/json"
        hidden
        data-testid="certificate-file"
        onChange={(event) => {
          const file = event.target.files?.[0];
          // The same file again is a new question: the log has grown.
          event.target.value = '';
          if (file !== undefined) check.mutate(file);
        }}
      />
      {data === undefined ? null : data === null ? (
        <Notice tone="problem" live>
          {words.notProved}
        </Notice>
      ) : (
        <Notice tone="good" live>
          {words.proved(data.index, data.size)}
        </Notice>
      )}
      {error === null ? null : (
        <Notice tone="problem" live>
          {error instanceof VaultError && error.code === 'client.invalid-certificate' && error.detail !== null
            ? messages.audit.badLead
            : errorText(messages, error)}
        </Notice>
      )}
      <div>
        <Button icon="file" busy={isPending} onClick={() => input.current?.click()}>
          {isPending ? words.checking : words.choose}
        </Button>
      </div>
    </section>
  );
}
