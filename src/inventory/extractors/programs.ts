import type { Extractor } from '../extractor.ts'
import type { FileHead } from '../probe.ts'
import { baseOf } from '../tar/paths.ts'
import { catalogue } from './programs/catalogue.ts'
import { ProgramProbe } from './programs/probe.ts'
import type { Candidate } from './programs/probe.ts'

/**
 * Well-known programs that came without a package: nginx, OpenSSL, BusyBox and others, by the name of the file and what
 * the program says of itself. Which of them a distribution's package brought is told when the layers lie over each other.
 */
export const programs = {
  name: 'programs',
  version: 1,
  maxBytes: 0,
  wants: () => false,
  extract: () => [],
  probe: (head) => {
    const candidates = candidatesFor(head)
    return candidates.length === 0 ? undefined : new ProgramProbe(candidates)
  },
} satisfies Extractor

/** Every file of every layer is asked for: one look at the first letters settles most. */
const known = new RegExp(catalogue.map(({ files }) => files.source.replaceAll(/\(\?<\w+>/g, '(?:')).join('|'))

function candidatesFor({ path, bytes, program }: FileHead): Candidate[] {
  const file = baseOf(path)
  if (!known.test(file)) return []
  const isProgram = program !== undefined || bytes.toString('latin1', 0, 7) === '!<arch>'
  return catalogue.flatMap(({ name, files, texts, isText }) => {
    const match = isProgram || isText === true ? files.exec(file) : null
    return match === null ? [] : [{ name, texts: texts(match) }]
  })
}
