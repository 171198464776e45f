/** Settings of a whole process, for programs that are nothing but Strongroom; an application that embeds it decides for itself. */
import { setFlagsFromString } from 'node:v8';

/**
 * Before anything is loaded. V8 compiles each WebAssembly function anew, with optimisation, once about so many bytes of it were executed; its own
 * setting is 13 million. PGlite is over ten thousand functions, and a start alone takes enough of them past that to cost a quarter of its
 * processor time, for code that hardly runs again. What a server runs all the time gets past this one, too (measured: docs/design/storage.md).
 */
export function useOwnProcess(): void {
  setFlagsFromString('--wasm-tiering-budget=200000000');
}
