import type { Extractor } from '../extractor.ts'
import type { Probe } from '../probe.ts'

/** UPX marks what it packs: behind the program headers of ELF, by the names of sections in PE. */
const mark = 'UPX!'
const markWithin = 512

const packedProgram: Probe = {
  push: () => {},
  finish: () => ({ facts: [{ unsupported: { kind: 'program packed by UPX, of which nothing inside can be read', component: true } }] }),
}

/**
 * Programs whose bytes unpack themselves when they run: what is in them can't be seen, and that is said.
 * github.com/upx/upx, src/stub/src/include/linux.h, `l_info`.
 */
export const packed = {
  name: 'packed',
  version: 1,
  maxBytes: 0,
  wants: () => false,
  extract: () => [],
  probe: ({ bytes, program }) => {
    if (program === undefined) return undefined
    const isPacked = bytes.subarray(0, markWithin).includes(mark, 0, 'latin1') || program.sections.some(({ name }) => name === 'UPX0')
    return isPacked ? packedProgram : undefined
  },
} satisfies Extractor
