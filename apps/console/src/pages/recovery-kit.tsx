import { useEffect, useRef, useState } from 'react';
import { datedName, download } from '../app/download.ts';
import { useFormats } from '../app/formats.ts';
import { Button } from '../design/parts.tsx';
import { useEntranceMessages } from '../messages/messages.ts';
import { Entrance } from './entrance.tsx';
import type { AccountView } from '../vault/account-protocol.ts';

export function RecoveryKit(props: {
  readonly code: string;
  readonly account: AccountView;
  readonly onDone: () => void;
  /** Milliseconds since the epoch, or RFC 3339; when the account was made, unless said. */
  readonly madeAt?: number | string;
  readonly title?: string;
  readonly lead?: string;
  readonly submit?: string;
}) {
  const { kit } = useEntranceMessages();
  const { code, account, onDone, madeAt = account.createdAt } = props;
  const { title = kit.title, lead = kit.lead, submit = kit.submit } = props;
  const { day } = useFormats();
  const [confirmed, setConfirmed] = useState(false);
  const sheet = useRef<HTMLElement>(null);

  useEffect(() => {
    sheet.current?.focus();
    const warn = (event: BeforeUnloadEvent) => event.preventDefault();
    window.addEventListener('beforeunload', warn);
    return () => window.removeEventListener('beforeunload', warn);
  }, []);

  const rows = [
    [kit.address, location.origin],
    [kit.account, account.email],
    [kit.date, day(madeAt)],
  ] as const;

  const save = () => {
    const lines = [
      kit.fileTitle,
      '',
      ...rows.map(([name, value]) => `${name}: ${value}`),
      '',
      `${kit.code}:`,
      code,
      '',
      kit.advice,
      '',
    ];
    download(new Blob([lines.join('\n')], { type: 'text/plain' }), `${datedName('strongroom-recovery-kit')}.txt`);
  };

  return (
    <Entrance title={title}>
      <p className="lead">{lead}</p>
      <section className="kit" ref={sheet} tabIndex={-1} aria-label={kit.fileTitle}>
        <h2 className="kit-title">{kit.fileTitle}</h2>
        <dl className="facts">
          {rows.map(([name, value]) => (
            <div key={name}>
              <dt>{name}</dt>
              <dd>{value}</dd>
            </div>
          ))}
        </dl>
        <p className="kit-label" id="kit-code">
          {kit.code}
        </p>
        <p className="kit-code" aria-labelledby="kit-code" role="group">
          {code.split('-').map((group, index) => (
            <span key={index}>{group}</span>
          ))}
        </p>
        <p className="kit-advice">{kit.advice}</p>
      </section>
      <div className="row">
        <Button icon="print" onClick={() => window.print()}>
          {kit.print}
        </Button>
        <Button icon="export" onClick={save}>
          {kit.save}
        </Button>
      </div>
      <label className="check">
        <input type="checkbox" checked={confirmed} onChange={(event) => setConfirmed(event.target.checked)} />
        <span>{kit.confirm}</span>
      </label>
      <Button look="primary" disabled={!confirmed} onClick={onDone}>
        {submit}
      </Button>
    </Entrance>
  );
}
