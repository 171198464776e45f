/** The frame of the pages behind the account's page. */
import { Link } from '@tanstack/react-router';
import type { ReactNode } from 'react';
import { Icon } from '../design/icon.tsx';
import { Page } from '../design/parts.tsx';
import { useMessages } from '../messages/messages.ts';

export function AccountPart(props: { readonly title: string; readonly lead: string; readonly children: ReactNode }) {
  const { title, lead, children } = props;
  const { account, common } = useMessages();
  const back = (
    <Link to="/account" className="button button-quiet" aria-label={`${common.back}: ${account.title}`}>
      <Icon name="back" />
      <span>{account.title}</span>
    </Link>
  );
  return (
    <Page title={title} lead={lead} actions={back}>
      <div className="account-part">{children}</div>
    </Page>
  );
}
