import type { Extractor } from '../extractor.ts'
import { RustProbe } from './rust/probe.ts'

/** Programs that rustc made, with the crates that cargo-auditable lists in them. */
export const rust = {
  name: 'rust',
  version: 1,
  maxBytes: 0,
  wants: () => false,
  extract: () => [],
  probe: ({ program }) => program && new RustProbe(program),
} satisfies Extractor
