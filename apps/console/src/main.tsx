import { QueryClientProvider } from '@tanstack/react-query';
import { RouterProvider } from '@tanstack/react-router';
import { lazy, StrictMode, Suspense, useState } from 'react';
import { createRoot } from 'react-dom/client';
import { keepFocus } from './app/keep-focus.ts';
import { applyPreferences } from './app/preferences.ts';
import { queries, start, useSession } from './app/session.ts';
import { CSPProvider } from '@base-ui/react/csp-provider';
import { languageOf, startMessages } from './messages/messages.ts';
import { router } from './router.tsx';

const LazyToasts = lazy(async () => ({ default: (await import('./design/toasts.tsx')).Toasts }));

/** Whoever is not signed in reads no notes: what shows them comes with somebody's vault, and stays. */
function Notes() {
  const { phase } = useSession();
  const [wanted, setWanted] = useState(false);
  if (!wanted && (phase === 'locked' || phase === 'open')) setWanted(true);
  return wanted ? (
    <Suspense fallback={null}>
      <LazyToasts />
    </Suspense>
  ) : null;
}

applyPreferences(languageOf);
keepFocus();
void start();
await startMessages();

createRoot(document.querySelector('#root')!).render(
  <StrictMode>
    <CSPProvider disableStyleElements>
      <QueryClientProvider client={queries}>
        <RouterProvider router={router} />
        <Notes />
      </QueryClientProvider>
    </CSPProvider>
  </StrictMode>,
);
