/** What somebody keeps of an account that is no more. */
import type { DeletionCertificate } from '@strongroom/client';
import { useEffect, useRef, useState } from 'react';
import { datedName, download } from '../app/download.ts';
import { useFormats } from '../app/formats.ts';
import { leave } from '../app/session.ts';
import { Dial } from '../design/dial.tsx';
import { Button } from '../design/parts.tsx';
import { useMessages } from '../messages/messages.ts';
import { Entrance } from './entrance.tsx';

export function Certificate({ certificate }: { readonly certificate: DeletionCertificate }) {
  const { certificate: words } = useMessages();
  const { moment } = useFormats();
  const sheet = useRef<HTMLElement>(null);
  const [kept, setKept] = useState(false);
  useEffect(() => sheet.current?.focus(), []);
  useEffect(() => {
    const warn = (event: BeforeUnloadEvent) => {
      if (!kept) event.preventDefault();
    };
    window.addEventListener('beforeunload', warn);
    return () => window.removeEventListener('beforeunload', warn);
  }, [kept]);
  const { account, deletedAt, destroyed, remains, leafHash } = certificate;
  const { spaces, memories, sessions, spacesLeft, tenant, keys } = destroyed;
  const rows: readonly (readonly [string, string, 'code'?])[] = [
    [words.vault, location.origin],
    [words.account, account, 'code'],
    [words.deletedAt, moment(deletedAt)],
    [
      words.destroyed,
      [
        words.summary(spaces, memories, sessions),
        ...(tenant ? [words.tenant] : []),
        ...(spacesLeft > 0 ? [words.left(spacesLeft)] : []),
      ].join(tenant ? ' ' : '; '),
    ],
    [words.keys, words.keysBy[keys]],
    [words.remains, remains.map((what) => words.remain[what] ?? what).join('; ')],
    [words.hash, leafHash, 'code'],
  ];
  const save = () => {
    download(
      new Blob([`${JSON.stringify(certificate, null, 2)}\n`], { type: 'application/json' }),
      `${datedName(words.fileName)}.json`,
    );
    setKept(true);
  };
  const print = () => {
    window.print();
    setKept(true);
  };
  return (
    <Entrance title={words.title}>
      <p className="lead">{words.lead}</p>
      <section className="kit certificate" ref={sheet} tabIndex={-1} aria-label={words.sheet}>
        <Dial className="certificate-seal" />
        <h2 className="kit-title">{words.sheet}</h2>
        <dl className="facts">
          {rows.map(([name, value, look]) => (
            <div key={name}>
              <dt>{name}</dt>
              <dd className={look}>{value}</dd>
            </div>
          ))}
        </dl>
        <p className="kit-advice">{words.advice}</p>
      </section>
      <div className="row">
        <Button look="primary" icon="export" onClick={save}>
          {words.save}
        </Button>
        <Button icon="print" onClick={print}>
          {words.print}
        </Button>
        <Button look="quiet" onClick={leave}>
          {words.done}
        </Button>
      </div>
    </Entrance>
  );
}
