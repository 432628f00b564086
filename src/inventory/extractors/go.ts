import type { Extractor } from '../extractor.ts'
import { GoProbe } from './go/probe.ts'

/** Programs that Go's linker made, whatever they are called and stripped or not: ELF, Mach-O and PE. */
export const go = {
  name: 'go',
  version: 1,
  maxBytes: 0,
  wants: () => false,
  extract: () => [],
  probe: ({ program }) => program && new GoProbe(program),
} satisfies Extractor
