import path from 'node:path';
import react from '@vitejs/plugin-react';
import { defineConfig } from 'vite';
import { NONCE_PLACEHOLDER } from './src/csp.ts';

/** Workspace packages from their sources, in the form for browsers. */
const conditions = ['source', 'module', 'browser', 'import', 'default'];

export default defineConfig({
  root: import.meta.dirname,
  plugins: [react()],
  resolve: {
    conditions,
    alias: [
      { find: /^#vault-worker\/reader/, replacement: path.join(import.meta.dirname, 'src/reader/reader.ts') },
      { find: /^#vault-worker(?=\?)/, replacement: path.join(import.meta.dirname, 'src/vault/worker.ts') },
    ],
  },
  html: { cspNonce: NONCE_PLACEHOLDER },
  worker: {
    format: 'es',
    // One file each: their policy allows them to load no other.
    rolldownOptions: { output: { codeSplitting: false } },
  },
  build: {
    target: ['chrome123', 'firefox121', 'safari17.5'],
    // Everything is a file with a hash in its name; data: addresses would need a weaker policy.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    chunkSizeWarningLimit: 600,
    reportCompressedSize: false,
  },
});
