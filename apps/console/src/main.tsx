import { QueryClientProvider } from '@tanstack/react-query';
import { RouterProvider } from '@tanstack/react-router';
import { StrictMode } from 'react';
import { createRoot } from 'react-dom/client';
import { applyPreferences } from './app/preferences.ts';
import { queries, start } from './app/session.ts';
import { CSPProvider } from '@base-ui/react/csp-provider';
import { Toasts } from './design/toasts.tsx';
import { languageOf, startMessages } from './messages/messages.ts';
import { router } from './router.tsx';

applyPreferences(languageOf);
void start();
await startMessages();

createRoot(document.querySelector('#root')!).render(
  <StrictMode>
    <CSPProvider disableStyleElements>
      <QueryClientProvider client={queries}>
        <RouterProvider router={router} />
        <Toasts />
      </QueryClientProvider>
    </CSPProvider>
  </StrictMode>,
);
