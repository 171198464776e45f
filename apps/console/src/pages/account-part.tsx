/** The frame of the pages behind the account's page. */
import { Link } from '@tanstack/react-router';
import type { ReactNode } from 'react';
import { Dial } from '../design/dial.tsx';
import { Icon } from '../design/icon.tsx';
import { Page } from '../design/parts.tsx';
import { useMessages } from '../messages/messages.ts';

export function AccountPart(props: {
  readonly title: string;
  readonly lead: string;
  readonly children: ReactNode;
  /** For what concerns the lock: shows it beside the page, turning while it is changed. */
  readonly turning?: boolean;
}) {
  const { title, lead, children, turning } = props;
  const { account, common } = useMessages();
  const back = (
    <Link to="/account" className="button button-quiet account-back" aria-label={`${common.back}: ${account.title}`}>
      <Icon name="back" />
      <span>{account.title}</span>
    </Link>
  );
  return (
    <Page title={title} lead={lead} actions={back}>
      <div className="account-part">
        <div className="account-part-words">{children}</div>
        {turning === undefined ? null : <Dial turning={turning} className="account-dial" />}
      </div>
    </Page>
  );
}
