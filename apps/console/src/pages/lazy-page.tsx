/**
 * Pages that are fetched when somebody goes to them, or before. The router's own way would load everything anew when a file does not come,
 * and with the server away nothing would come at all: here the vault stays open, and whoever is there may try again.
 */
import { useEffect, useState, type ComponentType, type ReactNode } from 'react';
import { Button, Notice, Page } from '../design/parts.tsx';
import { useEntranceMessages } from '../messages/messages.ts';
import { Entrance } from './entrance.tsx';

interface LazyPage {
  (): ReactNode;
  /** For the router: goes on when the page is there, or it is known that it is not. */
  preload: () => Promise<void>;
}

const known: LazyPage[] = [];

/** `instead` is shown while it is fetched. */
export function lazyPage(
  fetchPage: () => Promise<ComponentType>,
  where: 'inside' | 'entrance' = 'inside',
  instead: ReactNode = null,
): LazyPage {
  let Loaded: ComponentType | null = null;
  const load = async (): Promise<boolean> => {
    Loaded ??= await fetchPage().catch(() => null);
    return Loaded !== null;
  };
  function Lazy() {
    const [state, setState] = useState<'loading' | 'there' | 'missing'>(Loaded === null ? 'loading' : 'there');
    useEffect(() => {
      if (state !== 'loading') return;
      void load().then((there) => setState(there ? 'there' : 'missing'));
    }, [state]);
    if (Loaded !== null) return <Loaded />;
    return state === 'missing' ? <Missing where={where} onAgain={() => setState('loading')} /> : instead;
  }
  Lazy.preload = async () => void (await load());
  if (where === 'inside') known.push(Lazy);
  return Lazy;
}

/** All that is behind the door, one after the other: a server that goes away later is missed less. */
export async function fetchAllPages(): Promise<void> {
  for (const page of known) await page.preload();
}

function Missing({ where, onAgain }: { readonly where: 'inside' | 'entrance'; readonly onAgain: () => void }) {
  const { missingPage: words, common } = useEntranceMessages();
  const inside = (
    <>
      <Notice tone="problem" live>
        {words.lead}
      </Notice>
      <div className="row">
        <Button look="primary" onClick={onAgain}>
          {common.tryAgain}
        </Button>
        <Button onClick={() => location.reload()}>{words.reload}</Button>
      </div>
    </>
  );
  return where === 'inside' ? (
    <Page title={words.title}>
      <div className="stack">{inside}</div>
    </Page>
  ) : (
    <Entrance title={words.title}>{inside}</Entrance>
  );
}
